"""How present sockets make a person: the most present one counts, and who comes back never went."""

from realtime.attendance import Attendance, Status, over_at
from realtime.watching import FRAME_SECONDS, ITEMS_MAX, LARGE_READ_SECONDS, Watching


def attended(*sources: str) -> Attendance:
    """Return alice's sockets, as they have been told of."""
    found = Attendance()
    for source in sources:
        found.opened("alice", source)
    found.chosen("alice", "online")
    found.moved()
    return found


def seen(attendance: Attendance, now: float = 0.0) -> dict[str, Status | None]:
    attendance.expire(now)
    return attendance.moved()


def test_nobody_is_seen_before_it_is_known_how_they_want_to_be() -> None:
    found = Attendance()
    found.opened("alice", "1")
    assert (found.undecided(), found.moved(), found.status("alice")) == (["alice"], {}, None)
    found.chosen("alice", "invisible")
    assert found.moved() == {"alice": None}
    found.choice_changed("alice")
    assert (found.undecided(), found.moved()) == (["alice"], {})
    found.chosen("alice", "dnd")
    assert found.moved() == {"alice": "dnd"}


def test_one_of_two_tabs_that_ends_or_hides_changes_nothing() -> None:
    found = attended("1", "2")
    found.in_front("alice", "1", False)
    assert seen(found) == {"alice": "online"}
    found.ended("alice", "2", 0.0)
    assert seen(found) == {"alice": "away"}
    found.in_front("alice", "1", False)
    assert seen(found) == {}
    found.in_front("alice", "1", True)
    assert seen(found) == {"alice": "online"}
    found.ended("alice", "1", 0.0)
    assert seen(found) == {"alice": None}
    assert not found.knows("alice")


def test_who_ends_without_a_word_is_there_for_a_while_or_until_they_come_back() -> None:
    found = attended("1")
    found.ended("alice", "1", 18.0)
    found.ended("alice", "1", 30.0)
    assert seen(found, 17.9) == {}
    found.opened("alice", "2")
    assert seen(found, 18.0) == {"alice": "online"}
    found.in_front("alice", "2", False)
    assert seen(found, 18.0) == {"alice": "away"}
    found.ended("alice", "2", 40.0)
    found.opened("alice", "3")
    found.ended("alice", "3", 41.0)
    assert seen(found, 40.5) == {"alice": "online"}
    assert seen(found, 41.0) == {"alice": None}


def test_a_socket_counts_until_its_last_sign_is_old_or_its_end_is() -> None:
    assert over_at(100.0, clean=True, heard_at=99.0) == 100.0
    assert over_at(100.0, clean=False, heard_at=99.0) == 118.0
    assert over_at(100.0, clean=False, heard_at=60.0) == 105.0
    assert over_at(100.0, clean=False, heard_at=55.0) == 100.0


def test_away_and_do_not_disturb_are_as_chosen_whatever_is_in_front() -> None:
    for choice in ("away", "dnd"):
        found = attended("1")
        found.chosen("alice", choice)
        assert seen(found) == {"alice": choice}
        found.in_front("alice", "1", False)
        assert seen(found) == {"alice": choice}


# --- rooms ----------------------------------------------------------------------------------


def watched(*members: str, here: set[str]) -> Watching:
    found = Watching()
    found.watch("room")
    read(found, set(members), here, 0.0)
    return found


def read(watching: Watching, members: set[str], here: set[str], now: float) -> None:
    watching.reading(["room"], now)
    watching.read("room", members, here.__contains__)


def test_a_room_is_told_at_most_once_a_second_and_of_all_together() -> None:
    found = watched("a", "b", "c", here={"a"})
    assert (found.due(0.0), found.here("room")) == ([], ["a"])
    found.moved("c", present=True)
    assert found.due(0.0) == ["room"]
    assert found.tell("room", 0.0) == ["c"]
    found.moved("c", present=False)
    found.moved("b", present=True)
    found.moved("a", present=False)
    found.moved("stranger", present=True)
    assert found.due(0.0 + FRAME_SECONDS / 2) == []
    assert found.due(FRAME_SECONDS) == ["room"]
    assert found.people_of(["room"], []) == {"a", "b", "c"}
    assert found.tell("room", FRAME_SECONDS) == ["a", "b", "c"]
    assert found.here("room") == ["b"]
    assert found.due(9.0) == []


def test_who_comes_and_goes_counts_and_who_has_gone_is_not_told_of() -> None:
    found = watched("a", "b", here={"a", "b"})
    found.people_changed("room")
    assert found.unread(1.0) == ["room"]
    read(found, {"b", "c"}, {"a", "b", "c"}, 1.0)
    assert (found.unread(1.0), found.here("room")) == ([], ["b", "c"])
    assert found.tell("room", 1.0) == ["c"]
    found.moved("a", present=False)
    assert found.due(3.0) == []
    found.forget("room")
    found.moved("b", present=False)
    assert found.due(9.0) == []


def test_of_a_large_room_only_the_number_is_told_and_only_when_it_is_another() -> None:
    people = [str(number) for number in range(ITEMS_MAX + 1)]
    found = watched(*people, here={"1", "2"})
    assert (found.here("room"), found.due(0.0)) == ((), [])
    found.moved("1", present=True)
    assert found.due(1.0) == []
    found.moved("1", present=False)
    assert found.due(1.0) == ["room"]
    assert found.people_of(["room"], ["room"]) == set()
    assert found.tell("room", 1.0) == ()
    found.people_changed("room")
    assert found.unread(LARGE_READ_SECONDS - 1) == []
    assert found.unread(LARGE_READ_SECONDS) == ["room"]
    read(found, set(people[1:]), {"2"}, LARGE_READ_SECONDS)
    assert found.tell("room", LARGE_READ_SECONDS) == ["2"]
