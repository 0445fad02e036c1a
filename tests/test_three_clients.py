"""Three clients do what they like; the server, a plain model and their own copies agree.

A client knows what it fetched once, and the events since: nothing else. The model is a list.
"""

from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.clients import Person
from tests.replica import State, comparable, fetched, kept_up
from tests.servers import World

PEOPLE = st.sampled_from(["alice", "bob", "carol"])
OTHERS = st.sampled_from(["bob", "carol"])
EMOJI = st.sampled_from(["👍", "❤️", ":party:"])
ANY = st.integers(0, 10**6)  # which of those there are


class Said:
    """A message, as the model has it."""

    def __init__(self, seq: int, sender: str, text: str, root: "Said | None") -> None:
        self.id, self.seq, self.sender, self.root = "", seq, sender, root
        self.text: str | None = text
        self.pinned = False
        self.reactions: dict[str, set[str]] = {}


class ThreeClients(RuleBasedStateMachine):
    """Alice owns the room; bob and carol come and go."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        servers = (self.world.server, self.world.other)
        self.people = {
            name: Person.register(servers[place % 2].url, name)
            for place, name in enumerate(["alice", "bob", "carol"])
        }
        alice, bob, carol = self.people.values()
        self.room: str = alice.create_room(bob, carol, kind="public")["id"]
        self.seq = 3  # who has joined so far
        self.joined = {"alice": 1, "bob": 2, "carol": 3}
        self.read = dict(self.joined)
        self.said: list[Said] = []
        self.copies: dict[str, State] = {}
        self.positions: dict[str, tuple[int, int]] = {}
        for name in self.people:
            self.look(name)

    # --- what they do ---------------------------------------------------------------------

    @rule(
        who=PEOPLE, place=ANY, text=st.sampled_from(["hi", "a @room b", "ü"]), reply=st.booleans()
    )
    def send(self, who: str, place: int, text: str, reply: bool) -> None:
        if person := self.member(who):
            roots = [said for said in self.said if said.root is None and said.text is not None]
            root = roots[place % len(roots)] if reply and roots else None
            more = {"thread_id": root.id} if root else {}
            self.seq += 1
            said = Said(self.seq, who, text, root)
            said.id = person.send(self.room, text, **more)["id"]
            self.said.append(said)

    @rule(who=PEOPLE, place=ANY, text=st.sampled_from(["hi", "other", "@room"]))
    def edit(self, who: str, place: int, text: str) -> None:
        own = [said for said in self.said if said.sender == who and said.text is not None]
        if (person := self.member(who)) and own:
            said = own[place % len(own)]
            self.seq += said.text != text
            said.text = text
            person.expect(200, "PATCH", f"/messages/{said.id}", json={"text": text})

    @rule(place=ANY)
    def delete(self, place: int) -> None:
        if self.said:
            said = self.said[place % len(self.said)]
            self.seq += said.text is not None
            said.text, said.pinned, said.reactions = None, False, {}
            self.people["alice"].expect(200, "DELETE", f"/messages/{said.id}")

    @rule(who=PEOPLE, place=ANY, emoji=EMOJI, give=st.booleans())
    def react(self, who: str, place: int, emoji: str, give: bool) -> None:
        living = [said for said in self.said if said.text is not None]
        if (person := self.member(who)) and living:
            said = living[place % len(living)]
            givers = said.reactions.setdefault(emoji, set())
            self.seq += (who in givers) != give
            (givers.add if give else givers.discard)(who)
            method = "PUT" if give else "DELETE"
            path = f"/messages/{said.id}/reactions/{emoji}"
            assert person.call(method, path).status_code in (200, 204)

    @rule(place=ANY, pin=st.booleans())
    def pin(self, place: int, pin: bool) -> None:
        living = [said for said in self.said if said.text is not None]
        if living:
            said = living[place % len(living)]
            self.seq += said.pinned != pin
            said.pinned = pin
            method = "PUT" if pin else "DELETE"
            assert self.people["alice"].call(method, f"/messages/{said.id}/pin").is_success

    @rule(who=PEOPLE, place=ANY)
    def mark_read(self, who: str, place: int) -> None:
        if person := self.member(who):
            seq = place % (self.seq + 1)
            self.read[who] = max(self.read[who], seq)
            person.expect(200, "PUT", f"/rooms/{self.room}/read", json={"seq": seq})

    @rule(who=OTHERS)
    def come_or_go(self, who: str) -> None:
        person = self.people[who]
        self.seq += 1
        if who in self.joined:
            del self.joined[who], self.read[who]
            person.expect(204, "POST", f"/rooms/{self.room}/leave")
        else:
            self.joined[who] = self.read[who] = self.seq
            person.expect(200, "POST", f"/rooms/{self.room}/join")

    def member(self, who: str) -> Person | None:
        """Return who may act; who is outside is refused."""
        person = self.people[who]
        if who in self.joined:
            return person
        path, body = f"/rooms/{self.room}/messages", {"text": "from outside"}
        person.refused(403, "permission_denied", "GET", path)
        person.refused(403, "permission_denied", "POST", path, json=body)
        return None

    # --- what must be so ------------------------------------------------------------------

    @invariant()
    def the_server_says_what_the_model_says(self) -> None:
        for name in self.joined:
            person = self.people[name]
            room = person.get(f"/rooms/{self.room}")
            unread = [
                said
                for said in self.said
                if said.seq > self.read[name] and said.sender != name and said.text is not None
            ]
            assert (room["last_seq"], room["member_count"]) == (self.seq, len(self.joined))
            assert room["unread_count"] == sum(said.root is None for said in unread)
            assert room["mention_count"] == sum("@room" in str(said.text) for said in unread)

    @rule(who=PEOPLE)
    @precondition(lambda self: self.said)
    def compare_history(self, who: str) -> None:
        if person := self.member(who):
            found = person.get(f"/rooms/{self.room}/messages?limit=200")["items"]
            assert [(m["id"], m["seq"], m["text"], m["pinned"], m["thread_id"]) for m in found] == [
                (said.id, said.seq, said.text, said.pinned, said.root and said.root.id)
                for said in self.said
            ]
            for message, said in zip(found, self.said, strict=True):
                given = {
                    item["emoji"]: (item["count"], item["mine"]) for item in message["reactions"]
                }
                assert given == {
                    emoji: (len(givers), who in givers)
                    for emoji, givers in said.reactions.items()
                    if givers
                }

    @rule(who=PEOPLE)
    def catch_up(self, who: str) -> None:
        """What was fetched once, and the events since, are what is fetched now."""
        person, (inbox, head) = self.people[who], self.positions[who]
        known = self.copies[who]
        if who not in self.joined or self.room not in known["rooms"]:
            self.look(who)  # a room that one has just come into is fetched
            return
        events = person.events(person.id, inbox)
        if any(event["type"].startswith("room.") for event in events):
            self.look(who)  # they have been away in between
            return
        events += person.events(self.room, head)
        self.look(who)
        assert _told(kept_up(known, events)) == _told(self.copies[who])

    def look(self, who: str) -> None:
        person = self.people[who]
        self.copies[who] = fetched(person, self.room)
        self.positions[who] = (person.get("/sync")["inbox"]["head"], self.seq)


def _told(state: State) -> State:
    """Return what events tell: not where one begins to read in a thread."""
    return comparable(state) | {"threads": None}


def test_three_clients_and_a_plain_model(world: World) -> None:
    ThreeClients.world = world
    machine: Any = ThreeClients.TestCase
    machine.settings = settings(
        max_examples=8,
        stateful_step_count=40,
        phases=[Phase.generate],  # to find a shorter way to it takes minutes
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    machine().runTest()
