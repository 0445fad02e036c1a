"""People find what was said in their rooms, as it is now, and nothing else."""

import io
import json
from typing import Any

import pytest
from PIL import Image

from tests.clients import Person
from tests.servers import PROJECT, World

STRINGS: list[str] = json.loads((PROJECT / "tests/data/blns.json").read_text())
QUERY_MAX = 200
ORDERS = ("newest", "rank")


def found(person: Person, q: str = "", **more: Any) -> list[str]:
    """Return the texts that are found, on one page."""
    params = {"q": q, "limit": 200, **more}
    return [item["message"]["text"] for item in person.get("/search", params=params)["items"]]


def paged(person: Person, limit: int, **params: Any) -> list[str]:
    """Return the texts that are found, page by page."""
    texts: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = person.get("/search", params={**params, **cursor, "limit": limit})
        texts += [item["message"]["text"] for item in page["items"]]
        if page["next_cursor"] is None:
            return texts
        assert len(page["items"]) == limit
        cursor = {"cursor": page["next_cursor"]}


@pytest.fixture
def room(alice: Person, bob: Person) -> str:
    """A room of Alice and Bob."""
    return str(alice.create_room(bob)["id"])


def test_a_message_is_found_whole_with_the_part_that_matches(
    alice: Person, bob: Person, room: str
) -> None:
    alice.send(room, "something else")
    sent = alice.send(room, "Where is the harbour?", client_msg_id="1", metadata={"a": 1})
    for order in ORDERS:
        assert bob.get("/search", params={"q": "harbour", "order": order}) == {
            "items": [
                {
                    "message": bob.get(f"/messages/{sent['id']}"),
                    "highlight": {
                        "text": "Where is the harbour?",
                        "ranges": [{"offset": 13, "length": 7}],
                    },
                }
            ],
            "next_cursor": None,
        }


def test_every_word_has_to_occur_in_any_order_whole(alice: Person, room: str) -> None:
    alice.send(room, "the red boat")
    alice.send(room, "a boat, red as fire")
    alice.send(room, "boats are reddish")
    assert found(alice, "red boat") == ["a boat, red as fire", "the red boat"]
    assert found(alice, "boat green") == []
    assert found(alice, '"red boat"') == ["the red boat"]
    assert found(alice, "boat*") == ["boats are reddish", "a boat, red as fire", "the red boat"]
    assert found(alice, "red* -fire") == ["boats are reddish", "the red boat"]
    assert found(alice, 'boat -"red boat"') == ["a boat, red as fire"]
    assert found(alice, "-red") == ["boats are reddish"]
    assert found(alice, "-red*") == []
    assert found(alice, "red-boat") == ["the red boat"]
    assert found(alice, "BOAT(red)") == ["a boat, red as fire"]


@pytest.mark.parametrize(
    ("text", "queries", "others"),
    [
        ("Großer ÄRGER", ["ärger", "ARGER", "a\u0308rger", "großer", "ärg*"], ["arge", "gross"]),
        ("Жук и ЁЛКА", ["жук", "ЖУК", "ёлка", "елка"], ["жу"]),
        ("ΑΘΉΝΑ", ["αθηνα", "Αθήνα"], ["αθην"]),
        ("ΣΊΣΥΦΟΣ", ["Σίσυφος", "σισυφοσ", "ΣΙΣΥΦΟΣ", "σίσυφ*"], ["σίσυφ"]),
        ("μύθος", ["ΜΎΘΟΣ", "μυθοσ", "Μύθος"], ["μυθο"]),
        ("東京タワーへ行く", ["東京", "タワー", "行く", "京タ", "ﾀﾜｰ"], ["京東", "東タ"]),
        ("한국어 검색", ["한국어", "한국*", "검색"], ["국어"]),
        ("हिन्दी में", ["हिन्दी", "में"], ["हिन्द"]),
        ("ไข้หวัดใหญ่", ["หวัด", "ไข้", "ใหญ่"], ["ดหวั"]),
        ("“quoted” — dashed…", ["quoted", "dashed"], ["ashed"]),
        ("see https://example.org/a_b?c=d#e", ["example.org", "a_b", "c=d", "example"], ["xample"]),
        ("v2.10.3-rc1 of lib_foo", ["V2.10.3", "10.3", "foo", "v2*", "lib_foo"], ["v2.1", "2.10"]),
        ("\uff11\uff12\uff13 ﬁne ½", ["123", "fine", "1/2"], ["12"]),
        ("don't", ["don't", "don\u2019t"], ["dont"]),
        ("a👍b 👩‍👩‍👧", ["a", "b", "a👍b"], ["ab"]),
        ("fuß 1e5abc 0x1F -7", ["fuß", "1e5abc", "0x1f", "7"], ["fu", "8"]),
    ],
)
def test_words_of_many_languages(
    alice: Person, room: str, text: str, queries: list[str], others: list[str]
) -> None:
    alice.send(room, text)
    assert {q: found(alice, q) for q in queries} == {q: [text] for q in queries}
    assert {q: found(alice, q) for q in others} == {q: [] for q in others}


def test_only_ones_own_rooms_are_looked_through_and_only_while_they_are(
    alice: Person, bob: Person, carol: Person, room: str
) -> None:
    alice.send(room, "a secret")
    other = carol.create_room()["id"]
    carol.send(other, "her secret")
    public = carol.create_room(kind="public")["id"]
    carol.send(public, "no secret")
    assert (found(bob, "secret"), found(carol, "secret")) == (
        ["a secret"],
        ["no secret", "her secret"],
    )
    alice.expect(204, "DELETE", f"/rooms/{room}/members/{bob.id}")
    for q in ("secret", "-nothing"):
        for more in ({}, {"from": alice.id}, {"order": "rank"}):
            assert found(bob, q, **more) == []
    bob.refused(404, "not_found", "GET", "/search", params={"q": "secret", "room": room})
    alice.expect(201, "PUT", f"/rooms/{room}/members/{bob.id}", json={"role": "reader"})
    assert found(bob, "secret") == ["a secret"]


def test_a_room_that_one_may_not_read_is_refused(alice: Person, bob: Person, carol: Person) -> None:
    public = alice.create_room(kind="public")["id"]
    alice.send(public, "hello")
    asked = {"q": "hello", "room": public}
    carol.refused(403, "permission_denied", "GET", "/search", params=asked)
    assert found(carol, "hello") == []
    carol.refused(404, "not_found", "GET", "/search", params=asked | {"room": alice.id})


def test_a_message_is_found_by_what_it_says_now(alice: Person, bob: Person, room: str) -> None:
    sent = alice.send(room, "the old word")
    other = alice.send(room, "another old word")
    path = f"/messages/{sent['id']}"
    edited = alice.expect(200, "PATCH", path, json={"text": "a new word"})
    assert found(bob, "old") == ["another old word"]
    (item,) = bob.get("/search", params={"q": "new"})["items"]
    assert item["message"] == edited
    alice.expect(200, "DELETE", path)
    alice.expect(200, "PATCH", f"/messages/{other['id']}", json={"text": "another old word"})
    assert found(bob, "word") == ["another old word"]
    body = {"ranges": [[1, other["seq"]]]}
    alice.expect(200, "POST", f"/rooms/{room}/messages/delete", json=body)
    for q in ("old", "new", "word", "-nothing"):
        assert found(bob, q) == []
    assert found(bob, **{"from": alice.id}) == []


def test_what_is_found_is_narrowed_down(alice: Person, bob: Person, room: str) -> None:
    second = alice.create_room(bob)["id"]
    alice.send(room, "tea at http://tea.example")
    bob.send(room, "tea, no link: http:// or https")
    bob.send(second, "more tea: HTTPS://TEA.EXAMPLE")
    bob.send(second, "coffee")
    link, none, loud = (
        "tea at http://tea.example",
        "tea, no link: http:// or https",
        "more tea: HTTPS://TEA.EXAMPLE",
    )
    assert found(alice, "tea", room=room) == [none, link]
    assert found(alice, "tea", **{"from": bob.id}) == [loud, none]
    assert found(alice, "tea", room=room, **{"from": bob.id}) == [none]
    assert found(alice, **{"from": bob.id}) == ["coffee", loud, none]
    assert found(alice, has="link") == [loud, link]
    assert found(alice, has="link", **{"from": bob.id}) == [loud]
    assert found(alice, "tea", **{"from": room}) == []
    body = {"text": "no link any more"}
    message = alice.get("/search", params={"has": "link", "room": room})["items"][0]["message"]
    alice.expect(200, "PATCH", f"/messages/{message['id']}", json=body)
    assert found(alice, has="link") == [loud]


def test_files_and_images_are_found_by_what_they_are(alice: Person, room: str) -> None:
    def upload(name: str, content: bytes, kind: str) -> str:
        files = {"file": (name, content, kind)}
        return str(alice.expect(201, "POST", "/uploads", files=files)["id"])

    image = io.BytesIO()
    Image.new("RGB", (2, 2)).save(image, "PNG")
    alice.send(room, "neither")
    alice.send(room, "notes", attachment_ids=[upload("n.txt", b'"image/png"', "text/plain")])
    ids = [upload("n.txt", b"n", "text/plain"), upload("i.png", image.getvalue(), "image/png")]
    both = alice.send(room, "both", attachment_ids=ids)
    alice.send(room, "", attachment_ids=[upload("i.png", image.getvalue(), "image/png")])
    assert found(alice, has="file") == ["", "both", "notes"]
    assert found(alice, has="image") == ["", "both"]
    assert found(alice, "notes", has="image") == []
    alice.expect(200, "DELETE", f"/messages/{both['id']}")
    assert found(alice, has="file", room=room) == ["", "notes"]


def test_times_include_their_beginning_and_not_their_end(alice: Person, room: str) -> None:
    sent = [alice.send(room, f"said {number}") for number in range(4)]
    times = [message["created_at"] for message in sent]
    expected = [m["text"] for m in sent if times[1] <= m["created_at"] < times[3]][::-1]
    assert found(alice, "said", after=times[1], before=times[3]) == expected
    assert found(alice, "said", after="2999-01-01T00:00:00+14:00") == []
    assert found(alice, "said", before="0001-01-01T00:00:00Z") == []
    everything = [message["text"] for message in sent][::-1]
    assert found(alice, "said", after="1970-01-01T00:00:00Z", before="9999-12-31T23:59:59Z") == (
        everything
    )


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"q": " "},
        {"q": "x" * 201},
        {"q": "a", "what": "b"},
        {"q": "a", "room": "b"},
        {"q": "a", "from": "me"},
        {"q": "a", "has": "nothing"},
        {"q": "a", "order": "oldest"},
        {"q": "a", "limit": "0"},
        {"q": "a", "before": "yesterday"},
        {"q": "a", "after": "2004-12-25"},
        {"q": "a", "after": "2004-12-25T09:14:00"},
        {"q": "a", "before": "0001-01-01T00:00:00+14:00"},
        {"q": "a", "cursor": "?"},
        {"q": "a", "cursor": ""},
        {"q": "a", "cursor": "AAAA"},
        {"q": "a", "cursor": "A" * 300},
        {"q": "a", "cursor": "_" * 43},
        {"q": "a", "cursor": "", "order": "rank"},
        {"q": "a", "cursor": "AAAA", "order": "rank"},
        {"q": "a", "cursor": "EAAAAAAAAAAAAAAAAAAAAAAAAAAA", "order": "rank"},
        {"q": "a\x00"},
    ],
)
def test_what_cannot_be_meant_is_refused(alice: Person, params: dict[str, str]) -> None:
    alice.refused(400, "invalid_request", "GET", "/search", params=params)


async def test_whatever_is_looked_for_does_no_harm_and_finds_what_says_it(
    alice: Person, room: str
) -> None:
    operators = ('"', "*", "-", "(", " OR ", " NOT ", " NEAR/", ":", "'", "\\", " & ", "|", "<->")
    async with alice.socket() as socket:
        await socket.opened()
        for text in STRINGS:
            if text.strip():
                await socket.ok("message.send", room_id=room, text=text)
    for place, text in enumerate(STRINGS):
        if not text.strip() or len(text) > QUERY_MAX:
            alice.refused(400, "invalid_request", "GET", "/search", params={"q": text})
            continue
        plain = text.replace('"', " ").replace(" -", " ").lstrip("-").replace("*", " ")
        if any(char.isalnum() for char in plain):
            assert text in paged(alice, 200, q=plain), text
        operator = operators[place % len(operators)]
        found(alice, operator + text[:180] + operator, limit=1)


def test_somebody_with_many_rooms_or_none_finds_what_is_theirs(world: World) -> None:
    zoe = Person.register(world.server.url, "zoe")
    assert found(zoe, "anything") == []
    rooms = [zoe.create_room()["id"] for _ in range(300)]
    for room in (rooms[0], rooms[150], rooms[299]):
        zoe.send(room, f"in {room}")
    assert found(zoe, "in") == [f"in {rooms[place]}" for place in (299, 150, 0)]
    assert found(zoe, " ".join(["in"] * 66)) == found(zoe, "in")
    assert found(zoe, " ".join(["-no"] * 50)) == found(zoe, "in")
