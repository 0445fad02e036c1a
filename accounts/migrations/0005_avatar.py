"""The avatar of a person."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_bots")]
    operations = [migrations.AddField("user", "avatar", models.JSONField(null=True))]
