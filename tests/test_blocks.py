"""Blocking a person: told to one's own devices only, and closing the direct rooms of the two.

What a naive form does, and fails here: it tells the blocked one, asks for blocks in every send,
or refuses in a room of several what two of them have between themselves.
"""

import asyncio
from functools import partial

from tests.clients import Person, at_once, sender
from tests.known import Known
from tests.locks import held_until_all_wait, wait_for_locks
from tests.servers import World, one_world


def block(blocker: Person, blocked: Person, status: int = 201) -> dict[str, object]:
    found: dict[str, object] = blocker.expect(status, "PUT", f"/blocks/{blocked.id}")
    return found


def unblock(blocker: Person, blocked: Person) -> None:
    blocker.expect(204, "DELETE", f"/blocks/{blocked.id}")


def direct(person: Person, *others: Person) -> str:
    made = person.call("POST", "/rooms/direct", json={"user_ids": [other.id for other in others]})
    assert made.status_code in (200, 201), made.text
    return str(made.json()["id"])


def test_state_and_events_of_blocks_make_the_next_state(
    alice: Person, bob: Person, carol: Person
) -> None:
    block(alice, carol)
    before = alice.get("/sync")
    assert [item["user"] for item in before["blocks"]] == [sender(carol.user)]

    unblock(alice, carol)
    block(alice, bob)
    block(alice, carol)

    events = alice.events(alice.id, after=before["inbox"]["head"])
    assert [event["type"] for event in events] == ["block.removed", "block.added", "block.added"]
    known, fresh = Known(), Known()
    for state, blocks in ((known, before["blocks"]), (fresh, alice.get("/sync")["blocks"])):
        state.blocks = {item["user"]["id"]: item | {"user": item["user"]["id"]} for item in blocks}
    for _ in range(2):
        assert known.apply(events).blocks == fresh.blocks
    assert alice.get("/blocks") == {"items": alice.get("/sync")["blocks"], "next_cursor": None}


async def test_ones_own_devices_are_told_live_what_is_replayed_and_the_blocked_one_is_not(
    alice: Person, bob: Person
) -> None:
    async with alice.socket() as hers, bob.socket() as his:
        await hers.opened()
        await his.opened()
        made = block(alice, bob)
        added = await hers.until("block.added")
        unblock(alice, bob)
        removed = await hers.until("block.removed")
        assert (await his.ask("ping"))["type"] == "pong"
        assert his.events == []
    assert (added["data"], removed["data"]) == (made, made)
    assert (added["actor_id"], made["user"]) == (alice.id, sender(bob.user))
    assert alice.events(alice.id) == [added, removed]
    assert bob.events(bob.id) == []


@one_world
def test_blocking_again_and_unblocking_nobody_change_nothing(alice: Person, bob: Person) -> None:
    unblock(alice, bob)
    made = block(alice, bob)
    assert block(alice, bob, 200) == made
    unblock(alice, bob)
    unblock(alice, bob)
    assert [event["seq"] for event in alice.events(alice.id)] == [1, 2]
    alice.refused(400, "invalid_request", "PUT", f"/blocks/{alice.id}")
    nobody = "01890000-0000-7000-8000-000000000000"
    alice.refused(404, "not_found", "PUT", f"/blocks/{nobody}")
    alice.expect(204, "DELETE", f"/blocks/{nobody}")


def test_two_devices_that_block_at_once_make_one_block(alice: Person, bob: Person) -> None:
    both = at_once(*[partial(alice.call, "PUT", f"/blocks/{bob.id}")] * 4)
    assert sorted(answer.status_code for answer in both) == [200, 200, 200, 201]
    assert [event["type"] for event in alice.events(alice.id)] == ["block.added"]


@one_world
def test_the_list_of_blocks_is_paged(alice: Person, world: World) -> None:
    others = [Person.register(world.server.url, "other") for _ in range(5)]
    for other in others:
        block(alice, other)
    page = alice.get("/blocks?limit=2")
    found = page["items"]
    while page["next_cursor"]:
        assert len(page["items"]) == 2
        page = alice.get(f"/blocks?limit=2&cursor={page['next_cursor']}")
        found += page["items"]
    assert [item["user"]["id"] for item in found] == sorted(other.id for other in others)


async def test_who_is_blocked_cannot_write_in_the_room_of_the_two(
    alice: Person, bob: Person
) -> None:
    room = direct(bob, alice)
    said = bob.send(room, "hello")
    block(alice, bob)

    path, text = f"/rooms/{room}/messages", {"text": "again"}
    refused = bob.refused(403, "permission_denied", "POST", path, json=text)
    assert refused["detail"] == "This is not allowed for you."
    bob.refused(403, "permission_denied", "PATCH", f"/messages/{said['id']}", json=text)
    async with bob.socket() as his:
        await his.opened()
        assert (await his.ask("message.send", room_id=room, **text))["code"] == "permission_denied"
    assert bob.get(path)["items"] == [said]
    assert direct(bob, alice) == room
    alice.send(room, "she may")

    unblock(alice, bob)
    bob.send(room, "he may again")


@one_world
def test_who_is_blocked_opens_no_direct_room(alice: Person, bob: Person, carol: Person) -> None:
    block(alice, bob)
    for others in ([alice], [carol, alice]):
        body = {"user_ids": [other.id for other in others]}
        refused = bob.refused(403, "permission_denied", "POST", "/rooms/direct", json=body)
        assert refused["detail"] == "This is not allowed for you."
    assert bob.get("/rooms")["items"] == []
    room = direct(alice, bob)
    path = f"/rooms/{room}/messages"
    bob.refused(403, "permission_denied", "POST", path, json={"text": "no"})


@one_world
def test_in_rooms_of_more_a_block_is_left_to_the_clients(
    alice: Person, bob: Person, carol: Person
) -> None:
    rooms = [direct(bob, alice, carol), alice.create_room(bob)["id"]]
    block(alice, bob)
    for room in rooms:
        bob.send(room)


async def test_who_is_blocked_while_they_wait_for_it_gets_no_direct_room(clustered: World) -> None:
    alice, bob = (Person.register(clustered.server.url, name) for name in ("alice", "bob"))
    bob.expect(200, "PATCH", "/me", json={"display_name": "Robert"})
    acts = [
        partial(bob.call, "PUT", f"/blocks/{alice.id}"),
        partial(alice.call, "POST", "/rooms/direct", json={"user_ids": [bob.id]}),
    ]
    with held_until_all_wait(clustered, bob.id) as watcher:
        waiting = []
        for act in acts:
            waiting.append(asyncio.create_task(asyncio.to_thread(act)))
            await asyncio.to_thread(wait_for_locks, watcher, len(waiting))
    assert [answer.status_code for answer in await asyncio.gather(*waiting)] == [201, 403]
    assert bob.get("/rooms")["items"] == alice.get("/rooms")["items"] == []


@one_world
def test_a_bot_that_is_blocked_tells_nothing(world: World, alice: Person) -> None:
    made = world.manage("create_bot", f"bot-{alice.name}"[:32])
    assert made.returncode == 0, made.stderr
    bot = Person(alice.url, {"access": made.stdout.split()[-1]})
    who = bot.get("/me")["id"]
    path, body = f"/users/{alice.id}/notifications", {"kind": "news", "text": "hello"}
    bot.expect(201, "POST", path, json=body)
    alice.expect(201, "PUT", f"/blocks/{who}")
    bot.refused(403, "permission_denied", "POST", path, json=body)
    assert len(alice.get("/notifications")["items"]) == 1


def test_nobody_is_put_into_a_room_by_whom_they_have_blocked(
    alice: Person, bob: Person, carol: Person
) -> None:
    room = alice.create_room(carol)["id"]
    block(bob, alice)
    head = bob.get("/sync")["inbox"]["head"]
    body = {"name": "new", "kind": "private", "member_ids": [carol.id, bob.id]}
    path = f"/rooms/{room}/members/{bob.id}"
    alice.refused(403, "permission_denied", "POST", "/rooms", json=body)
    alice.refused(403, "permission_denied", "PUT", path, json={})
    assert bob.get("/rooms")["items"] == bob.events(bob.id, head) == []
    assert [item["id"] for item in alice.get("/rooms")["items"]] == [room]
    code = alice.expect(201, "POST", f"/rooms/{room}/invites", json={})["code"]
    bob.expect(200, "POST", f"/invites/{code}/accept")  # who comes of their own accord
    bob.expect(204, "POST", f"/rooms/{room}/leave")
    unblock(bob, alice)
    alice.expect(201, "PUT", path, json={})
