"""A message in one index less; threads keep how many replies they have, no more."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('api', '0017_scheduled_files'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='thread',
            name='users_from',
        ),
        migrations.AlterField(
            model_name='message',
            name='room',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='api.room'),
        ),
    ]
