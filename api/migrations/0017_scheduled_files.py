"""Scheduled messages have files, and a time at which they are tried again."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def note_due(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    """Have each tried when it is to be sent."""
    apps.get_model("api", "ScheduledMessage").objects.update(due_at=models.F("send_at"))


class Migration(migrations.Migration):
    dependencies = [("api", "0016_search_files")]
    operations = [
        migrations.AddField("scheduledmessage", "attachments", models.JSONField(null=True)),
        migrations.AddField("scheduledmessage", "due_at", models.DateTimeField(null=True)),
        migrations.RunPython(note_due, migrations.RunPython.noop),
        migrations.AlterField("scheduledmessage", "due_at", models.DateTimeField()),
        migrations.RemoveIndex("scheduledmessage", "scheduled_due"),
        migrations.AddIndex(
            "scheduledmessage",
            models.Index(
                fields=["due_at"],
                name="scheduled_due",
                condition=models.Q(failure__isnull=True),
            ),
        ),
    ]
