"""How far the notifications of a message reach: as people wish, past no block, to so many."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from api.blocks.models import Block
from api.clock import now
from api.inbox.models import Notification
from api.log.models import Stream
from api.messages.actions import delete_message, send_message
from api.messages.schemas import Content
from api.rooms.actions import create_room, open_direct_room
from api.rooms.models import Member, Room
from api.rooms.schemas import CreateRoom


def people(*names: str) -> list[User]:
    """Make users."""
    made = [User(username=name, skeleton=name, display_name=name.title()) for name in names]
    return User.objects.bulk_create(made)


def room_of(owner: User, *others: User) -> Room:
    """Make a room with these people in it."""
    content = CreateRoom(name="room", kind="private", member_ids=[user.id for user in others[:100]])
    room = create_room(creator_id=owner.id, content=content)
    rest = others[100:]
    Member.objects.bulk_create(Member(room_id=room.id, user=user) for user in rest)
    Room.objects.filter(pk=room.id).update(member_count=len(others) + 1)
    return room


def say(sender: User, room: Room, text: str, **more: Any) -> uuid.UUID:
    """Say something, however soon; return the message's id."""
    Member.objects.filter(room_id=room.id).update(send_slot=None)
    content = Content(text=text, **more)
    return send_message(sender_id=sender.id, room_id=room.id, content=content).message.id


def kinds(user: User) -> list[str]:
    """Return of what a person has been told, in order."""
    return list(
        Notification.objects.filter(user=user).order_by("seq").values_list("kind", flat=True)
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        ({}, ["mention", "reply", "room_mention", "mention", "reply"]),
        (
            {"notification_level": "mentions"},
            ["mention", "room_mention", "mention", "room_mention"],
        ),
        ({"notification_level": "none"}, []),
        ({"notifications_muted_until": now() + timedelta(hours=1)}, []),
        (
            {"notifications_muted_until": now() - timedelta(hours=1)},
            ["mention", "reply", "room_mention", "mention", "reply"],
        ),
    ],
)
def test_one_is_told_only_what_one_wants_to_be_told(
    wishes: dict[str, Any], expected: list[str]
) -> None:
    ann, bob = people("ann", "bob")
    room = room_of(ann, bob)
    quoted = say(bob, room, "hello")
    Member.objects.filter(room_id=room.id, user=bob).update(**wishes)
    say(ann, room, "@bob")
    say(ann, room, "hello", reply_to_id=quoted)
    say(ann, room, "@room")
    say(ann, room, "@room @bob")
    say(ann, room, "@room", reply_to_id=quoted)
    assert kinds(bob) == expected
    assert kinds(ann) == []


@pytest.mark.django_db(transaction=True)
def test_who_mutes_a_direct_room_is_not_told_and_the_others_are() -> None:
    ann, bob, carl = people("ann", "bob", "carl")
    room, _ = open_direct_room(creator_id=ann.id, user_ids=[bob.id, carl.id])
    Member.objects.filter(room_id=room.id, user=bob).update(notification_level="none")
    say(ann, room, "hello")
    assert (kinds(ann), kinds(bob), kinds(carl)) == ([], [], ["direct_message"])


@pytest.mark.django_db(transaction=True)
def test_who_has_blocked_the_sender_is_not_told() -> None:
    ann, bob, carl = people("ann", "bob", "carl")
    room = room_of(ann, bob, carl)
    direct, _ = open_direct_room(creator_id=carl.id, user_ids=[ann.id, bob.id])
    Block.objects.create(blocker=bob, blocked=ann)
    say(ann, room, "@bob @carl")
    say(ann, direct, "@room")
    say(carl, room, "@bob")
    say(bob, room, "@ann")
    assert kinds(bob) == ["mention"]
    assert kinds(carl) == ["mention", "direct_message"]
    assert kinds(ann) == ["mention"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("members", "notified"), [(200, 199), (201, 0)])
def test_the_room_notifies_up_to_two_hundred_people_and_counts_for_all(
    members: int, notified: int
) -> None:
    ann, *others = people("ann", *(f"person{number}" for number in range(members - 1)))
    room = room_of(ann, *others)
    say(ann, room, "@room")
    assert Notification.objects.count() == notified
    last = others[-1]
    assert kinds(last) == ["room_mention"][:notified]
    say(ann, room, f"@room @{last.username}")
    assert kinds(last)[-1] == "mention"


@pytest.mark.django_db(transaction=True)
def test_a_closed_stream_is_told_nothing_and_keeps_nobody_from_speaking() -> None:
    ann, bob, carl = people("ann", "bob", "carl")
    room = room_of(ann, bob, carl)
    Stream.objects.filter(pk=bob.id).update(closed_at=now())
    message = say(ann, room, "@bob @carl")
    assert (kinds(bob), kinds(carl)) == ([], ["mention"])
    delete_message(actor_id=ann.id, message_id=message)


@pytest.mark.django_db(transaction=True)
def test_ten_people_take_as_many_statements_as_one() -> None:
    ann, *others = people("ann", *(f"person{number}" for number in range(9)))
    taken = []
    for count in (1, 9):
        some = others[:count]
        direct, _ = open_direct_room(creator_id=ann.id, user_ids=[user.id for user in some])
        say(ann, direct, "hello")  # the first spells them out
        with CaptureQueriesContext(connection) as captured:
            say(ann, direct, "hello")
        taken.append(len(captured))
    assert taken[1] == taken[0] + 1  # of two, nobody has blocked the other
