"""Who is seen on which process: both forms, in this process and in Redis, under one suite.

Naive forms that would fail: one entry for each person, which the process that goes last takes
away; entries that nobody renews and nobody ends; a list of changes from which one may be missing.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
import redis

from realtime import roster as module
from realtime.roster import LocalRoster, Roster
from realtime.shared_roster import CHANGES_KEPT, SharedRoster
from tests.backends import Valkey, free_port

SECONDS = 30.0
ALIVE_SECONDS, PATIENCE_SECONDS = 1.5, 1.5
Make = Callable[[], Awaitable[Roster]]


@pytest_asyncio.fixture(params=["own", "redis"])
async def make(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Make]:
    """Makes one more process, of either form; what does not renew is soon gone."""
    monkeypatch.setattr(module, "ALIVE_SECONDS", ALIVE_SECONDS)
    monkeypatch.setattr(module, "PATIENCE_SECONDS", PATIENCE_SECONDS)
    board: module.Board = {}
    prefix = f"test-{uuid.uuid4().hex}"
    url = request.getfixturevalue("valkey").url if request.param == "redis" else None
    made: list[Roster] = []

    async def one_more() -> Roster:
        found: Roster = LocalRoster(board)
        if url is not None:
            found = SharedRoster(url, prefix, alive_seconds=ALIVE_SECONDS)
        await found.exchange()
        made.append(found)
        return found

    yield one_more
    for found in made:
        await found.close()


async def test_each_hears_what_the_others_tell_and_who_it_is_about(make: Make) -> None:
    here, there = await make(), await make()
    there.tell({"alice": "online", "bob": "away"})
    assert await there.exchange() == set()
    assert await here.exchange() == {"alice", "bob"}
    assert await here.exchange() == set()
    assert (here.elsewhere("alice"), there.elsewhere("alice")) == (["online"], [])
    there.tell({"alice": "dnd", "bob": None})
    there.tell({"carol": "online"})
    await there.exchange()
    assert await here.exchange() == {"alice", "bob", "carol"}
    assert [here.elsewhere(name) for name in ("alice", "bob", "carol")] == [["dnd"], [], ["online"]]


async def test_who_comes_later_hears_all_of_it(make: Make) -> None:
    first = await make()
    first.tell({"alice": "online"})
    await first.exchange()
    first.tell({"bob": "online", "alice": "away"})
    await first.exchange()
    later = await make()
    await later.exchange()
    assert (later.elsewhere("alice"), later.elsewhere("bob")) == (["away"], ["online"])


async def test_a_person_on_two_processes_is_gone_when_both_say_so(make: Make) -> None:
    here, one, two = await make(), await make(), await make()
    for other in (one, two):
        other.tell({"alice": "online"})
        await other.exchange()
    await here.exchange()
    one.tell({"alice": None})
    await one.exchange()
    assert await here.exchange() == {"alice"}
    assert here.elsewhere("alice") == ["online"]


async def test_what_a_process_told_that_is_gone_goes_too_and_what_lives_stays(make: Make) -> None:
    here, killed, living = await make(), await make(), await make()
    killed.tell({"alice": "online"})
    living.tell({"bob": "online"})
    for each in (killed, living, here):
        await each.exchange()
    end = time.monotonic() + SECONDS
    while here.elsewhere("alice"):
        assert time.monotonic() < end
        await living.exchange()
        await here.exchange()
        assert here.elsewhere("bob") == ["online"]
        await asyncio.sleep(ALIVE_SECONDS / 8)
    killed.tell({"carol": "online"})
    await killed.exchange()
    assert {"alice", "carol"} <= await here.exchange()
    assert (here.elsewhere("alice"), here.elsewhere("carol")) == (["online"], ["online"])


async def test_many_changes_are_heard_however_many_were_missed(make: Make) -> None:
    here, there = await make(), await make()
    for count in (3, CHANGES_KEPT + 5):
        for number in range(count):
            there.tell({f"{count}-{number}": "online", f"{count}-{number - 1}": None})
            await there.exchange()
        assert f"{count}-{count - 1}" in await here.exchange()
        assert here.elsewhere(f"{count}-{count - 1}") == ["online"]
        assert here.elsewhere(f"{count}-{count - 2}") == []


# --- Redis ----------------------------------------------------------------------------------


@pytest.fixture
def prefix() -> str:
    return f"test-{uuid.uuid4().hex}"


async def test_what_redis_has_forgotten_is_told_again_and_nobody_flickers(
    valkey: Valkey, prefix: str
) -> None:
    here, there = (SharedRoster(valkey.url, prefix) for _ in range(2))
    there.tell({"alice": "online"})
    await there.exchange()
    await here.exchange()
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
    assert await here.exchange() == set()
    assert here.elsewhere("alice") == ["online"]
    there.tell({"bob": "online"})
    await there.exchange()
    await here.exchange()
    later = SharedRoster(valkey.url, prefix)
    await later.exchange()
    for each in (here, later):
        assert (each.elsewhere("alice"), each.elsewhere("bob")) == (["online"], ["online"])
    for each in (here, there, later):
        await each.close()


async def test_a_list_of_changes_in_which_one_is_missing_is_not_believed(
    valkey: Valkey, prefix: str
) -> None:
    here, there = (SharedRoster(valkey.url, prefix) for _ in range(2))
    await there.exchange()
    await here.exchange()
    there.tell({"alice": "online"})
    await there.exchange()
    with redis.Redis.from_url(valkey.url) as client:
        assert client.delete(*client.keys(f"{prefix}:presence:news:*")) == 1
    there.tell({"bob": "online"})
    await there.exchange()
    assert await here.exchange() == {"alice", "bob"}
    for each in (here, there):
        await each.close()


async def test_without_redis_what_was_heard_holds_for_a_lease_and_is_made_good_after(
    valkey: Valkey, prefix: str
) -> None:
    clock = Clock()
    here, there = (SharedRoster(valkey.url, prefix, clock=clock) for _ in range(2))
    there.tell({"alice": "online"})
    await there.exchange()
    await here.exchange()
    valkey.stop()
    clock.now += 44.0
    assert (await here.exchange(), here.elsewhere("alice")) == (set(), ["online"])
    there.tell({"bob": "online"})
    assert await there.exchange() == set()
    clock.now += 1.5
    assert (await here.exchange(), here.elsewhere("alice")) == ({"alice"}, [])
    valkey.start()
    clock.now += 3.0
    await there.exchange()
    assert await here.exchange() == {"alice", "bob"}
    for each in (here, there):
        await each.close()


async def test_who_alone_was_without_redis_for_a_lease_hears_all_of_it_again(
    valkey: Valkey, prefix: str
) -> None:
    clock = Clock()
    here, there = (SharedRoster(valkey.url, prefix, clock=clock) for _ in range(2))
    there.tell({"alice": "online", "bob": "away"})
    await there.exchange()
    await here.exchange()
    write = here._write

    async def unreachable(_: Any) -> Any:
        raise redis.ConnectionError

    here._write = unreachable  # type: ignore[method-assign,assignment]  # the other one reaches it all along
    clock.now += 46.0
    assert await here.exchange() == {"alice", "bob"}
    here._write = write  # type: ignore[method-assign]
    clock.now += 3.0
    await there.exchange()
    assert await here.exchange() == {"alice", "bob"}
    assert (here.elsewhere("alice"), here.elsewhere("bob")) == (["online"], ["away"])
    for each in (here, there):
        await each.close()


@pytest.mark.parametrize("written", [True, False])
async def test_a_change_of_which_it_is_not_known_whether_it_was_written_is_heard(
    valkey: Valkey, prefix: str, written: bool
) -> None:
    clock = Clock()
    here, there = (SharedRoster(valkey.url, prefix, clock=clock) for _ in range(2))
    await there.exchange()
    await here.exchange()
    write = there._write

    async def unanswered(pending: Any) -> Any:
        if written:
            await write(pending)
        raise redis.TimeoutError

    there._write = unanswered  # type: ignore[method-assign]  # no answer is lost to order
    there.tell({"alice": "online", "bob": "online"})
    await there.exchange()
    there._write = write  # type: ignore[method-assign]
    assert await here.exchange() == ({"alice", "bob"} if written else set())
    there.tell({"alice": None})
    clock.now += 3.0
    await there.exchange()
    assert await here.exchange() == ({"alice"} if written else {"bob"})
    assert (here.elsewhere("alice"), here.elsewhere("bob")) == ([], ["online"])
    for each in (here, there):
        await each.close()


async def test_a_redis_that_is_not_there_holds_nothing_up() -> None:
    nowhere = SharedRoster(f"redis://127.0.0.1:{free_port()}/0", "test")
    nowhere.tell({"alice": "online"})
    assert (await nowhere.exchange(), nowhere.elsewhere("alice")) == (set(), [])
    await nowhere.close()


class Clock:
    """A clock that is moved by hand."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now
