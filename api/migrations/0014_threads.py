"""Who takes part in threads, what a notification is about, and when a member came."""

import django.db.models.deletion
from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def note_arrivals(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    """Give every member the number of their own last ``member.joined``."""
    joined = apps.get_model("api", "Event").objects.filter(type="member.joined")
    members = apps.get_model("api", "Member").objects
    last = joined.values_list("stream_id", "subject_id").annotate(models.Max("seq"))
    for room_id, user_id, seq in last.order_by().iterator():
        members.filter(room_id=room_id, user_id=user_id).update(joined_seq=seq)


class Migration(migrations.Migration):
    dependencies = [
        ("api", "0013_drafts_and_scheduled"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            "Thread",
            [
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("replies", models.PositiveIntegerField()),
                ("users_from", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            "Participant",
            [
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "thread_id",
                        "user_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "thread",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        to="api.thread",
                        db_index=False,
                        db_constraint=False,
                    ),
                ),
                ("replies", models.PositiveIntegerField(default=0)),
                ("last_seq", models.BigIntegerField(default=0)),
                ("read_seq", models.BigIntegerField()),
                ("follows", models.BooleanField(default=False)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="threads",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            "participant",
            models.Index(fields=["thread", "last_seq"], name="participant_spoke"),
        ),
        migrations.RemoveIndex("message", "message_unread"),
        migrations.AddIndex(
            "message",
            models.Index(
                fields=["room", "seq", "sender", "deleted_at"],
                name="message_outside_threads",
                condition=models.Q(thread_id__isnull=True),
            ),
        ),
        migrations.AddIndex(
            "message",
            models.Index(
                fields=["thread_id", "seq", "sender", "deleted_at"],
                name="message_in_thread",
                condition=models.Q(thread_id__isnull=False),
            ),
        ),
        migrations.AddField("notification", "message_seq", models.BigIntegerField(null=True)),
        migrations.RemoveIndex("notification", "notification_unread"),
        migrations.AddIndex(
            "notification",
            models.Index(
                fields=["user", "room_id", "message_seq"],
                name="notification_unread",
                condition=models.Q(read_at__isnull=True),
            ),
        ),
        migrations.AddField("member", "joined_seq", models.BigIntegerField(default=0)),
        migrations.RunPython(note_arrivals, migrations.RunPython.noop),
    ]
