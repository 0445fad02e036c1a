"""What is unread is counted, however many are told and read at once, on two processes."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.clients import Person
from tests.servers import World
from tests.test_bots import Bot

TOLD, READS = 40, 25


def unread_by_events(person: Person) -> list[str]:
    """Follow what has happened to a person: each count is that of what is unread by then."""
    unread: list[str] = []
    for event in person.events(person.id):
        data: dict[str, Any] = event["data"]
        if event["type"] == "notification.created":
            unread.append(data["id"])
        elif event["type"] == "notification.read":
            assert set(data["ids"]) <= set(unread)
            unread = [found for found in unread if found not in data["ids"]]
            assert data["unread_count"] == len(unread), event
    return unread


def test_all_that_is_told_and_read_at_once_is_counted_as_it_is(clustered: World) -> None:
    urls = [clustered.server.url, clustered.other.url]
    bots = [Bot.made(clustered).at(url) for url in urls]
    alice, bob = (Person.register(urls[0], name) for name in ("alice", "bob"))
    room = alice.create_room(bob)["id"]
    path, body = f"/users/{bob.id}/notifications", {"kind": "notice", "text": "hello"}

    def tell(number: int) -> int:
        return bots[number % 2].call("POST", path, json=body).status_code

    def say(number: int) -> int:
        sent = {"text": f"@{bob.name}"}
        found = alice.at(urls[number % 2])
        return found.call("POST", f"/rooms/{room}/messages", json=sent).status_code

    def read(number: int) -> int:
        his = bob.at(urls[number % 2])
        if number % 5 == 0:
            return his.call("PUT", f"/rooms/{room}/read", json={"seq": 99}).status_code
        if number % 5 == 1:
            some = [item["id"] for item in his.get("/notifications?limit=3")["items"]]
            some = some or [room]
            return his.call("POST", "/notifications/read", json={"ids": some}).status_code
        return his.call("POST", "/notifications/read", json={"up_to": 9 * number}).status_code

    work = [(tell, number) for number in range(TOLD)] + [(say, number) for number in range(10)]
    work += [(read, number) for number in range(READS)]
    work = [work[place * 37 % len(work)] for place in range(len(work))]
    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(lambda one: one[0](one[1]), work))
    assert set(statuses) <= {200, 201}
    unread = unread_by_events(bob)
    shown = bob.get("/notifications?limit=200")
    assert shown["unread_count"] == len(unread)
    assert {item["id"] for item in shown["items"] if item["read_at"] is None} == set(unread)
    assert len(shown["items"]) == TOLD + 10
    bob.expect(200, "POST", "/notifications/read", json={"up_to": 10_000})
    assert unread_by_events(bob) == []
    assert bob.get("/sync")["notifications"]["unread_count"] == 0
