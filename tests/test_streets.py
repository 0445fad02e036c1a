"""The two streets, walked from end to end by real clients on real server processes.

(a) a message is posted: REST, one transaction, the log, the channel layer, every socket.
(b) a client connects: the token, ``hello``, what was missed, then live, without a seam.

Both are walked on SQLite with the in-process layer (one process) and on PostgreSQL with
Valkey (two processes: alice is at the one, bob at the other).
"""

from tests.clients import Person


async def test_a_posted_message_reaches_every_socket_of_the_room(
    alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    async with alice.socket() as hers, bob.socket(f"/ws/rooms/{room}/") as his:
        await hers.opened()
        await hers.subscribe(room)
        await his.opened()
        await his.until("subscribed")

        posted = alice.send(room, "the first word", client_msg_id="one")

        for socket in (hers, his):
            event = await socket.until("message.created")
            shown = {name: posted[name] for name in event["data"]}
            assert event == {
                "type": "message.created",
                "stream": room,
                "seq": posted["seq"],
                "at": posted["created_at"],
                "actor_id": alice.id,
                "data": shown,
            }
        again = alice.call(
            "POST",
            f"/rooms/{room}/messages",
            json={"text": "the first word", "client_msg_id": "one"},
        )
        assert (again.status_code, again.json()) == (200, posted)
        assert bob.get(f"/rooms/{room}/messages")["items"] == [posted]


async def test_a_client_that_was_away_is_whole_again_without_a_seam(
    alice: Person, bob: Person
) -> None:
    room = alice.create_room(bob)["id"]
    async with bob.socket(f"/ws/rooms/{room}/") as his:
        await his.opened()
        await his.until("subscribed")
        heard = alice.send(room, "heard")
        await his.reach(room, heard["seq"])
        position = his.positions[room]

    missed = [alice.send(room, f"missed {number}") for number in range(50)]

    async with bob.socket(f"/ws/rooms/{room}/", query=f"?since={position}") as back:
        hello = await back.opened()
        assert hello.hello["user"]["id"] == bob.id
        live = alice.send(room, "live")
        await back.reach(room, live["seq"])
        told = [event["data"]["text"] for event in back.of(room)]
        assert told == [message["text"] for message in [*missed, live]]
