"""Clearing away: what nothing uses within a day goes, and what was let go of; nothing else."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from api.clock import now
from api.uploads import actions, storage
from api.uploads.collecting import collect_unused
from api.uploads.models import Upload
from tests.clients import Person
from tests.pictures import picture
from tests.servers import World

DAY = timedelta(hours=24)


def kept(world: World) -> set[str]:
    """Return the names of all files that are there."""
    return {path.name for path in (world.folder / "attachments").rglob("*") if path.is_file()}


def test_the_upkeep_removes_what_was_let_go_of_and_nothing_else(
    world: World, alice: Person
) -> None:
    room = alice.create_room()["id"]
    ids = {}
    for name in ("stays", "deleted", "unused", "avatar", "former"):
        ids[name] = alice.upload(f"{name}.png", picture())["id"]
    alice.send(room, attachment_ids=[ids["stays"]])
    message = alice.send(room, attachment_ids=[ids["deleted"]])
    alice.expect(200, "DELETE", f"/messages/{message['id']}")
    for name in ("former", "avatar"):
        alice.expect(200, "PATCH", "/me", json={"avatar_id": ids[name]})
    done = world.manage("upkeep")
    assert done.returncode == 0, done.stderr
    there = kept(world)
    found = {
        name: {upload, f"{upload}.thumbnail"} & there == {upload, f"{upload}.thumbnail"}
        for name, upload in ids.items()
    }
    assert found == {
        **dict.fromkeys(("stays", "unused", "avatar"), True),
        **dict.fromkeys(("deleted", "former"), False),
    }
    assert not {ids["deleted"], f"{ids['deleted']}.thumbnail"} & there
    assert alice.call("GET", f"/attachments/{ids['stays']}").status_code == 200


def test_files_of_rooms_that_end_and_of_people_who_are_erased_leave_the_disk(
    world: World, alice: Person, bob: Person, carol: Person
) -> None:
    room, ended = alice.create_room(bob, carol)["id"], alice.create_room(bob)["id"]
    direct = bob.expect(201, "POST", "/rooms/direct", json={"user_ids": [alice.id]})["id"]
    places = [(alice, room), (bob, room), (bob, direct), (bob, ended)]
    places += [(bob, bob.create_room()["id"]), (alice, ended), (carol, room)]
    files = [person.upload("a.png", picture())["id"] for person, _ in places]
    said = [
        person.send(place, attachment_ids=[file])
        for (person, place), file in zip(places, files, strict=True)
    ]
    for place in (room, ended):
        file = alice.upload("avatar.png", picture())["id"]
        alice.expect(200, "PATCH", f"/rooms/{place}", json={"avatar_id": file})
        files.append(file)
    unused = bob.upload("unused.png", picture())["id"]
    ranges = {"ranges": [[said[-1]["seq"], said[-1]["seq"]]]}
    alice.expect(200, "POST", f"/rooms/{room}/messages/delete", json=ranges)
    alice.expect(204, "DELETE", f"/rooms/{ended}")
    assert world.manage("erase_user", bob.name).returncode == 0
    done = world.manage("upkeep")
    assert done.returncode == 0, done.stderr
    there = kept(world)
    stays = [files[0], files[-2]]
    assert {*stays, *(f"{file}.thumbnail" for file in stays)} <= there
    gone = [*files[1:-2], files[-1], unused]
    assert not {*gone, *(f"{file}.thumbnail" for file in gone)} & there


@pytest.fixture
def alices(tmp_path: Path, settings: Settings, transactional_db: None) -> Any:
    """Somebody's id, whose files are in a folder of this test."""
    options = {**settings.STORAGES["attachments"], "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "attachments": options}
    return Path(tmp_path)


def sent(folder: Path, name: str = "a.txt") -> Upload:
    """Keep a file."""
    path = folder / name
    path.write_bytes(b"text")
    with path.open("rb") as file:
        found = actions.keep(actions.take_in(owner_id=Upload().id, name=name, file=file))
    path.unlink()
    return Upload.objects.get(pk=found.id)


def files(folder: Path) -> set[str]:
    """Return what is in a folder, and below it."""
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_what_nothing_uses_is_kept_for_a_day_and_no_longer(alices: Path) -> None:
    upload = sent(alices)
    collect_unused(upload.created_at + DAY)
    assert files(alices) == {str(upload.pk)}
    collect_unused(upload.created_at + DAY + timedelta(milliseconds=1))
    assert files(alices) == set()
    assert not Upload.objects.exists()


def test_what_is_used_is_kept_for_ever(alices: Path) -> None:
    upload = sent(alices)
    Upload.objects.update(used_by_kind="message", used_by_id=upload.pk)
    collect_unused(now() + 1_000 * DAY)
    assert files(alices) == {str(upload.pk)}


def test_more_than_fit_one_round_are_all_removed(
    alices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.uploads.collecting.COLLECTED_AT_ONCE", 3)
    for _ in range(10):
        sent(alices)
    collect_unused(now() + 2 * DAY)
    assert (files(alices), Upload.objects.count()) == (set(), 0)


def test_a_file_that_cannot_be_removed_keeps_no_other(
    alices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = [sent(alices) for _ in range(3)]
    remove = storage.remove

    def refuse(upload: Upload) -> None:
        if upload.pk == uploads[1].pk:
            raise PermissionError
        remove(upload)

    monkeypatch.setattr(storage, "remove", refuse)
    collect_unused(now() + 2 * DAY)
    assert files(alices) == {str(uploads[1].pk)}
    monkeypatch.setattr(storage, "remove", remove)
    collect_unused(now() + 2 * DAY)
    assert (files(alices), Upload.objects.count()) == (set(), 0)


def test_an_upload_that_was_cut_off_leaves_nothing(
    alices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(storage, "put", dies)
    with pytest.raises(KeyboardInterrupt):
        sent(alices)
    assert Upload.objects.filter(stored=False).count() == 1
    (alices / "a.txt").unlink()
    collect_unused(now() + 2 * DAY)
    assert (files(alices), Upload.objects.count()) == (set(), 0)
