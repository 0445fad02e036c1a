"""Reactions to messages, and messages that are pinned."""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def _of_message() -> Any:
    return models.ForeignKey(
        db_index=False, on_delete=django.db.models.deletion.CASCADE, to="api.message"
    )


def _key(*columns: str) -> Any:
    return models.CompositePrimaryKey(
        *columns, blank=True, editable=False, primary_key=True, serialize=False
    )


class Migration(migrations.Migration):
    dependencies = [
        ("api", "0005_blocks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AddField(
            "message", "pinned", models.BooleanField(default=False, db_default=False)
        ),
        migrations.AddIndex(
            "message",
            models.Index(
                fields=["room", "seq"], name="message_pinned", condition=models.Q(pinned=True)
            ),
        ),
        migrations.CreateModel(
            "ReactionKind",
            [
                ("pk", _key("message_id", "emoji")),
                ("message", _of_message()),
                ("emoji", models.CharField(max_length=66)),
                ("first_seq", models.BigIntegerField()),
                ("count", models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            "Reaction",
            [
                ("pk", _key("message_id", "emoji", "user_id")),
                ("message", _of_message()),
                ("emoji", models.CharField(max_length=66)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
    ]
