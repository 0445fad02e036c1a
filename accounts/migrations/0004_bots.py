"""Bots and their keys; who is staff."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_erasure'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='is_staff',
            field=models.BooleanField(default=False),
        ),
        migrations.CreateModel(
            name='BotKey',
            fields=[
                ('prefix', models.CharField(max_length=12, primary_key=True, serialize=False)),
                ('secret_hash', models.BinaryField(max_length=32)),
                ('session', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, to='accounts.session')),
            ],
        ),
    ]
