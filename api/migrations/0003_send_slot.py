"""When a member may send a whole burst again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("api", "0002_first_epoch")]
    operations = [
        migrations.AddField("member", "send_slot", models.DateTimeField(null=True)),
    ]
