"""``manage.py demo``: a server with a real conversation, two accounts, and what to type."""

import shlex
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from accounts import passwords
from accounts.actions import register
from accounts.models import User
from api.errors import ChatError
from api.imports.stream import import_lines, lines_of
from api.log.heads import head_of
from api.rooms.members import join_room
from api.rooms.models import Room
from config import env
from realtime.server import serve

HOST = "127.0.0.1"  # never the network: everybody knows the password
PASSWORD = "correct horse battery"  # noqa: S105  printed, and refused in production
EVENTS_SHOWN = 10  # of the past, before the live ones

INTRODUCTION = """\
Gapless serves on http://@ADDRESS@ and /docs is its interactive contract.
ada and grace are in the room "@NAME@". Their password: @PASSWORD@


IN A SHELL: ada signs in, reads, and says something.

API=http://@ADDRESS@/api/v1
TOKEN=$(curl -sS $API/auth/login -H 'Content-Type: application/json' \\
  -d '{"username": "ada", "password": "@PASSWORD@"}' | sed 's/.*"access":"\\([^"]*\\)".*/\\1/')
curl -sS -H "Authorization: Bearer $TOKEN" "$API/rooms/@ROOM@/messages?limit=3"
curl -sS -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\
  $API/rooms/@ROOM@/messages -d '{"text": "Hello from a shell."}'


IN ANOTHER SHELL: grace follows the room. Restart the server, or cut the line: she misses nothing.

@PYTHON@ - <<'END'
import json
import time
from urllib.request import Request, urlopen

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

room, since = "@ROOM@", @SINCE@
account = json.dumps({"username": "grace", "password": "@PASSWORD@"}).encode()
login = Request("http://@ADDRESS@/api/v1/auth/login", account, {"Content-Type": "application/json"})
while True:
    try:
        token = json.load(urlopen(login))["access"]
        url = f"ws://@ADDRESS@/ws/rooms/{room}/?since={since}"
        with connect(url, additional_headers={"Authorization": f"Bearer {token}"}) as socket:
            for text in socket:
                frame = json.loads(text)
                if frame.get("stream") == room:
                    for event in frame.get("events", [frame]):
                        if event["type"] == "message.created":
                            message = event["data"]
                            name = message["sender"]["display_name"]
                            print(event["seq"], name, message["text"], sep=" | ", flush=True)
                    since = frame.get("to", frame.get("seq", since))
    except (OSError, WebSocketException) as error:
        print("Once more in a second:", error, flush=True)
        time.sleep(1)
END


IN A BROWSER, in the console of http://@ADDRESS@/docs: the same; then say("Hello from a page.")

(async () => {
  const room = "@ROOM@";
  let since = @SINCE@;
  const answer = await fetch("http://@ADDRESS@/api/v1/auth/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ username: "grace", password: "@PASSWORD@" }),
  });
  const { access } = await answer.json();
  const url = `ws://@ADDRESS@/ws/rooms/${room}/?since=${since}`;
  const socket = new WebSocket(url, ["gapless.v1", `bearer.${access}`]);
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    if (frame.stream !== room) return;
    for (const { type, seq, data: message } of frame.events ?? [frame])
      if (type === "message.created") console.log(seq, message.sender.display_name, message.text);
    since = frame.to ?? frame.seq ?? since; // all that a client keeps, to go on from later
  };
  globalThis.say = (text) =>
    socket.send(JSON.stringify({ type: "message.send", text, client_msg_id: crypto.randomUUID() }));
})();

"""


class Command(BaseCommand):
    """Make something to try out, serve it, and say how."""

    help = "Serve with a real conversation and two ready accounts, and print what to type."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--data", type=Path, default=env.PROJECT / "demo" / "ubuntu-irc.jsonl")
        parser.add_argument("--port", type=int, default=settings.PORT)

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("Not in production: its accounts have a password that all know.")
        call_command("migrate", verbosity=0)
        try:
            ada, grace = _account("ada"), _account("grace")
            room = self._conversation(options["data"], ada)
            for user in (ada, grace):
                join_room(user_id=user.id, room_id=room.id)
        except ChatError as error:
            raise CommandError(error.detail) from None

        def introduce() -> None:
            self.stdout.write(_introduction(room, options["port"]))
            self.stdout.flush()

        serve(host=HOST, port=options["port"], announce=introduce)

    def _conversation(self, path: Path, owner: User) -> Room:
        """Import what is not there yet, and return the first room that is still open."""

        def refuse(number: int, reason: str) -> None:
            self.stderr.write(f"line {number}: {reason}")

        try:
            with path.open("rb") as file:
                names = import_lines(lines_of(file), refuse, owner).rooms
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}.") from None
        living = Room.objects.filter(deleted_at=None, archived_at=None, import_key__in=names)
        rooms = {room.import_key: room for room in living}
        first = next((rooms[name] for name in names if name in rooms), None)
        if first is None:
            raise CommandError(f"{path}: it makes no room, or all of them have been closed here.")
        return first


def _account(username: str) -> User:
    user = User.objects.filter(username=username).first()
    if user is None:
        return register(
            username=username,
            password=PASSWORD,
            display_name=username.title(),
            device="demo",
            address="",
        ).session.user
    if not passwords.matches(PASSWORD, user):
        raise CommandError(
            f"This database has another {username} already; with DATA_DIR or DATABASE_URL the "
            "demonstration gets its own, as `make demo` does."
        )
    return user


def _introduction(room: Room, port: int) -> str:
    values = {
        "ADDRESS": f"{HOST}:{port}",
        "PASSWORD": PASSWORD,
        "PYTHON": shlex.quote(sys.executable),
        "ROOM": str(room.id),
        "SINCE": str(max(head_of(room.id) - EVENTS_SHOWN, 0)),
        "NAME": str(room.name),
    }
    text = INTRODUCTION
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text
