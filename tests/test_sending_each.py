"""What becomes of each of the messages that are sent together: by repetitions, by failures."""

from datetime import timedelta

import pytest
from django.db import OperationalError

from accounts.models import User
from api.clock import now
from api.errors import SlowMode, Unavailable
from api.messages import grouping, sending
from api.messages.models import Message
from api.messages.schemas import Content, Sent
from api.messages.sending import Send, send_all
from api.rooms.actions import create_room
from api.rooms.members import add_member
from api.rooms.models import Member, Room
from api.rooms.schemas import CreateRoom


@pytest.fixture
def speaker(db: None) -> User:
    """Somebody who can speak."""
    return User.objects.create(username="alice", skeleton="alice", display_name="Alice")


def room_of(owner: User) -> Room:
    """Return a room of one person."""
    return create_room(creator_id=owner.id, content=CreateRoom(name="room", kind="private"))


@pytest.mark.django_db(transaction=True)
def test_a_repetition_slows_nothing_down(speaker: User) -> None:
    room = room_of(speaker)
    bob = User.objects.create(username="bob", skeleton="bob", display_name="Bob")
    add_member(actor_id=speaker.id, room_id=room.id, user_id=bob.id)
    said = Send(bob.id, room.id, Content(text="said", client_msg_id="said"))
    new = Send(bob.id, room.id, Content(text="new"))
    send_all([said])
    Room.objects.update(slow_mode_seconds=10)
    Member.objects.update(last_sent_at=now() - timedelta(hours=1))
    repeated, sent = send_all([said, new])
    assert isinstance(repeated, Sent)
    assert isinstance(sent, Sent)
    assert (repeated.replayed, sent.replayed) == (True, False)
    assert isinstance(send_all([new])[0], SlowMode)


@pytest.mark.django_db(transaction=True)
def test_what_an_earlier_round_has_committed_stays_said_when_a_later_one_fails(
    speaker: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = room_of(speaker)

    def fail(*_: object) -> None:
        raise OperationalError

    monkeypatch.setattr(sending, "sent_before", fail)
    plain = Send(speaker.id, room.id, Content(text="plain"))
    twice = Send(speaker.id, room.id, Content(text="twice", client_msg_id="twice"))
    first, second, third = send_all([plain, twice, twice])
    assert isinstance(first, Sent)
    assert isinstance(second, Sent)
    assert isinstance(third, OperationalError)
    assert Message.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_more_than_may_wait_are_refused_at_once(
    speaker: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Send(speaker.id, room_of(speaker).id, Content(text="hello"))
    monkeypatch.setattr(grouping, "WAITING_MAX", 0)
    with pytest.raises(Unavailable):
        grouping.submit(send)
    assert Message.objects.count() == 0
