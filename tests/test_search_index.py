"""The database keeps the index: of what was there before, and whatever becomes of the table."""

import sqlite3
from pathlib import Path

from tests import servers
from tests.clients import Person
from tests.servers import World


def found(person: Person, q: str) -> list[str]:
    """Return the texts that are found."""
    return [item["message"]["text"] for item in person.get(f"/search?q={q}")["items"]]


def test_what_was_said_before_there_was_an_index_is_found(alone: World) -> None:
    alice = Person.register(alone.server.url, "alice")
    room = alice.create_room()["id"]
    for text in ("before one", "before two", "before three"):
        alice.send(room, text)
    gone = alice.send(room, "before four")
    alice.expect(200, "DELETE", f"/messages/{gone['id']}")
    for target in ("BEFORE", "LAST"):
        name = {"BEFORE": _before_search(), "LAST": ""}[target]
        done = alone.manage("migrate", "api", *([name] if name else []))
        assert done.returncode == 0, done.stderr
    assert found(alice, "before") == ["before three", "before two", "before one"]
    alice.send(room, "before five")
    assert found(alice, "before")[0] == "before five"


def test_a_table_that_a_migration_makes_anew_is_indexed_again(tmp_path: Path) -> None:
    with servers.embedded() as world:
        alice = Person.register(world.server.url, "alice")
        room = alice.create_room()["id"]
        texts = [f"said {number}" for number in range(5)]
        for text in texts:
            alice.send(room, text)
        world.server.stop()
        _make_anew(world.folder / "gapless.sqlite3")
        assert world.manage("migrate").returncode == 0
        alice = alice.at(world.start().url)
        alice.send(room, "said last")
        assert found(alice, "said") == ["said last", *texts[::-1]]


def _before_search() -> str:
    folder = servers.PROJECT / "api" / "migrations"
    names = sorted(path.stem for path in folder.glob("0*.py"))
    (search,) = [name for name in names if name.endswith("_search")]
    return names[names.index(search) - 1]


def _make_anew(path: Path) -> None:
    """Do to the table of messages what Django's migrations do to tables in SQLite."""
    with sqlite3.connect(path) as database:
        (sql,) = database.execute(
            "SELECT sql FROM sqlite_master WHERE name = 'api_message'"
        ).fetchone()
        database.execute(sql.replace('"api_message"', '"new__api_message"', 1))
        database.execute("INSERT INTO new__api_message SELECT * FROM api_message ORDER BY random()")
        database.execute("DROP TABLE api_message")
        database.execute("ALTER TABLE new__api_message RENAME TO api_message")
    database.close()
