"""The tables of messages, of their threads, and of how people react to them."""

import uuid_utils.compat as uuid_utils
from django.db import models

from accounts.models import User
from api.codec import StoredJson
from api.messages.emoji import EMOJI_LENGTH_MAX
from api.rooms.models import Room


class Message(models.Model):
    """Something said. A tombstone keeps its place: text is null, ``deleted_at`` is set.

    ``seq`` is the number of its ``message.created``, ``changed_seq`` of the last event
    about it. ``content_hash`` is of what was first sent, to know a repeated send by.
    ``mentions`` is as ``mentions.schemas.stored``: null where nobody is named; ``attachments``
    as ``uploads.schemas.kept``: null where there are none.
    ``thread_id`` is the root's id; the root itself has none.
    """

    id = models.UUIDField(primary_key=True, default=uuid_utils.uuid7, editable=False)
    room = models.ForeignKey(Room, models.CASCADE, db_index=False)  # message_place begins with it
    seq = models.BigIntegerField()
    changed_seq = models.BigIntegerField()
    sender = models.ForeignKey(User, models.PROTECT)
    text = models.TextField(null=True)
    metadata = models.JSONField(null=True, decoder=StoredJson)
    client_msg_id = models.CharField(max_length=64, null=True)
    content_hash = models.BinaryField(max_length=32)
    reply_to_id = models.UUIDField(null=True)
    thread_id = models.UUIDField(null=True)
    mentions = models.JSONField(null=True)
    attachments = models.JSONField(null=True)
    created_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    pinned = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["room", "seq"], name="message_place"),
            models.UniqueConstraint(
                fields=["room", "sender", "client_msg_id"],
                name="message_sent_once",
                condition=models.Q(client_msg_id__isnull=False),
            ),
        ]
        indexes = [  # a message is in one of them; each covers the counting of what is unread
            models.Index(
                fields=["room", "seq", "sender", "deleted_at"],
                name="message_outside_threads",
                condition=models.Q(thread_id__isnull=True),
            ),
            models.Index(
                fields=["thread_id", "seq", "sender", "deleted_at"],
                name="message_in_thread",
                condition=models.Q(thread_id__isnull=False),
            ),
            models.Index(
                fields=["room", "seq"], name="message_pinned", condition=models.Q(pinned=True)
            ),
        ]


class Thread(models.Model):
    """The replies to a message, with its id: how many are not deleted."""

    id = models.UUIDField(primary_key=True)
    replies = models.PositiveIntegerField()


class Participant(models.Model):
    """A person and a thread; there may be no replies yet.

    ``replies`` that are not deleted, the last of them numbered ``last_seq`` (0: none). Who
    ``follows`` has replied or written the root; others only keep how far they have read.
    """

    pk = models.CompositePrimaryKey("thread_id", "user_id")
    thread = models.ForeignKey(Thread, models.CASCADE, db_index=False, db_constraint=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="threads")
    replies = models.PositiveIntegerField(default=0)
    last_seq = models.BigIntegerField(default=0)
    read_seq = models.BigIntegerField()
    follows = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["thread", "last_seq"], name="participant_spoke")]


class ReactionKind(models.Model):
    """An emoji that somebody has given to a message; the row goes with the last who gave it.

    ``count`` is how many rows of ``Reaction`` there are: a page of messages is not to count
    thousands. ``first_seq`` is the number of the event that brought the emoji here.
    """

    pk = models.CompositePrimaryKey("message_id", "emoji")
    message = models.ForeignKey(Message, models.CASCADE, db_index=False)  # the key begins with it
    emoji = models.CharField(max_length=EMOJI_LENGTH_MAX)
    first_seq = models.BigIntegerField()
    count = models.PositiveIntegerField()


class Reaction(models.Model):
    """An emoji that a person has given to a message."""

    pk = models.CompositePrimaryKey("message_id", "emoji", "user_id")
    message = models.ForeignKey(Message, models.CASCADE, db_index=False)  # the key begins with it
    emoji = models.CharField(max_length=EMOJI_LENGTH_MAX)
    user = models.ForeignKey(User, models.PROTECT)
