"""Which message has which files, and the avatars of rooms."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("api", "0014_threads")]
    operations = [
        migrations.RemoveIndex("upload", "upload_used_by"),
        migrations.RemoveIndex("upload", "upload_unused"),
        migrations.RenameField("upload", "user_kind", "used_by_kind"),
        migrations.RenameField("upload", "user_id", "used_by_id"),
        migrations.AddIndex("upload", models.Index(fields=["used_by_id"], name="upload_used_by")),
        migrations.AddIndex(
            "upload",
            models.Index(
                fields=["created_at"],
                name="upload_unused",
                condition=models.Q(used_by_id__isnull=True),
            ),
        ),
        migrations.AddField("message", "attachments", models.JSONField(null=True)),
        migrations.AddField("room", "avatar", models.JSONField(null=True)),
    ]
