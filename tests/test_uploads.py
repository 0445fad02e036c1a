"""Sending files: what is kept of them, under which name, and what is refused."""

from typing import Any

import pytest

from tests.clients import Person, http
from tests.pictures import bomb, moving, picture
from tests.servers import World, on_both_servers, one_world

NOWHERE = "01890000-0000-7000-8000-000000000000"
PDF = b"%PDF-1.7\n" + b"x" * 100
ZIP = b"PK\x03\x04" + bytes(40)


def refused(person: Person, name: str, content: bytes, status: int = 400) -> Any:
    """Send a file that is not taken; return the problem."""
    return person.expect(status, "POST", "/uploads", files={"file": (name, content)})


def pointer(problem: Any) -> str:
    """Return where the fault is."""
    (fault,) = problem["errors"]
    return str(fault["pointer"])


def test_a_file_is_kept_under_an_id_and_read_back_byte_by_byte(alice: Person) -> None:
    content = bytes(range(256)) * 5_000
    found = alice.upload("letters.bin", content)
    assert found == {
        "id": found["id"],
        "name": "letters.bin",
        "size": len(content),
        "content_type": "application/octet-stream",
        "width": None,
        "height": None,
    }
    assert alice.call("GET", f"/attachments/{found['id']}").content == content


@on_both_servers
def test_every_way_of_serving_takes_files_and_gives_them(alice: Person) -> None:
    content = bytes(range(256)) * 8_000
    found = alice.upload("two.bin", content)
    assert alice.call("GET", f"/attachments/{found['id']}").content == content
    image = alice.upload("small.png", picture())
    assert (image["width"], image["height"]) == (40, 20)
    assert alice.call("GET", f"/attachments/{image['id']}/thumbnail").status_code == 200
    assert refused(alice, "x.png", PDF)["code"] == "invalid_request"


@one_world
@pytest.mark.parametrize(
    ("name", "content", "content_type"),
    [
        ("a.pdf", PDF, "application/pdf"),
        ("a.PDF", PDF, "application/pdf"),
        ("a.zip", ZIP, "application/zip"),
        (
            "a.docx",
            ZIP,
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        ("a.mp3", b"ID3" + bytes(40), "audio/mpeg"),
        ("a.mp4", bytes(4) + b"ftypisom" + bytes(40), "video/mp4"),
        ("a.ogg", b"OggS" + bytes(40), "audio/ogg"),
        ("a.webm", b"\x1a\x45\xdf\xa3" + bytes(40), "video/webm"),
        ("a.wav", b"RIFF\0\0\0\0WAVE" + bytes(40), "audio/wav"),
        ("a.txt", "gr\u00fc\u00df dich".encode(), "text/plain"),
        ("a.csv", b"a;b", "text/csv"),
        ("a.txt", "wide".encode("utf-16"), "application/octet-stream"),
        ("a", b"no extension", "application/octet-stream"),
        ("a.exe", b"MZ" + bytes(40), "application/octet-stream"),
        ("a.html", b"<script>alert(1)</script>", "application/octet-stream"),
        ("a.svg", b"<svg onload='alert(1)'/>", "application/octet-stream"),
        ("a.js", b"alert(1)", "application/octet-stream"),
        ("a.xhtml", b"<html/>", "application/octet-stream"),
        ("a.pdf.html", PDF, "application/octet-stream"),
    ],
)
def test_what_a_file_is_is_told_by_its_content_and_its_name(
    alice: Person, name: str, content: bytes, content_type: str
) -> None:
    found = alice.upload(name, content)
    assert (found["name"], found["content_type"]) == (name, content_type)
    answer = alice.call("GET", f"/attachments/{found['id']}")
    assert answer.headers["content-type"] == content_type
    assert answer.content == content


@one_world
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", ZIP),
        ("a.zip", PDF),
        ("a.mp4", b"<html>" + bytes(40)),
        ("a.png", b"<svg/>"),
        ("a.jpg", PDF),
        ("a.gif", b"GIF88a" + bytes(40)),
        ("a.pdf", picture("PNG")),
        ("a.txt", picture("JPEG")),
        ("a.wav", picture("WEBP")),
        ("empty.txt", b""),
        ("empty.png", b""),
    ],
)
def test_a_file_that_lies_is_refused(alice: Person, name: str, content: bytes) -> None:
    problem = refused(alice, name, content)
    assert (problem["code"], pointer(problem)) == ("invalid_request", "/file")


@one_world
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_an_image_that_is_cut_off_or_broken_is_refused(alice: Person, kind: str) -> None:
    whole = picture(kind, (400, 300))
    for cut in (12, 40, len(whole) // 2, len(whole) - 40):
        problem = refused(alice, f"a.{kind.lower()}", whole[:cut])
        assert pointer(problem) == "/file", cut


@one_world
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", bomb(60_000, 60_000)),
        ("a.png", bomb(7_000, 7_000)),
        ("a.gif", moving("GIF", 501)),
        ("a.webp", moving("WEBP", 501)),
        ("a.gif", moving("GIF", 26, (1_000, 1_000))),
        ("a.png", moving("PNG", 26, (1_000, 1_000))),
    ],
)
def test_an_image_that_would_be_too_large_unpacked_is_refused(
    alice: Person, name: str, content: bytes
) -> None:
    problem = refused(alice, name, content)
    assert problem["detail"] == "The image has too many pixels."
    assert pointer(problem) == "/file"


@one_world
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\notes.txt", "notes.txt"),
        ("a\u202etxt.exe", "atxt.exe"),
        ("here  and   there.txt", "here and there.txt"),
        (" . leading dots.txt", "leading dots.txt"),
        ("\u0061\u0308.txt", "\u00e4.txt"),
        ("\U0001f468\u200d\U0001f469.txt", "\U0001f468\u200d\U0001f469.txt"),
        ("x" * 300 + ".txt", "x" * 196 + ".txt"),
        ("x" * 300, "x" * 200),
        ("...", "file"),
        ("\u200b", "file"),
        ("a." + "\U0001f600" * 190, "a." + "\U0001f600" * 190),
        ("R&amp;D.txt", "R&amp;D.txt"),
    ],
)
def test_a_name_is_cleaned(alice: Person, given: str, kept: str) -> None:
    assert alice.upload(given, b"text")["name"] == kept


@one_world
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a.png", "a.jpg"),
        ("a.JPEG", "a.JPEG"),
        ("blob", "blob.jpg"),
        ("a.html", "a.html.jpg"),
        ("x" * 200, "x" * 196 + ".jpg"),
    ],
)
def test_an_image_is_named_as_what_it_is(alice: Person, given: str, kept: str) -> None:
    found = alice.upload(given, picture("JPEG"))
    assert (found["name"], found["content_type"]) == (kept, "image/jpeg")


def test_an_unused_file_is_for_who_sent_it_alone(alice: Person, bob: Person, carol: Person) -> None:
    room = alice.create_room(bob)
    assert room["id"]
    found = alice.upload("a.png", picture())
    for path in (f"/attachments/{found['id']}", f"/attachments/{found['id']}/thumbnail"):
        assert alice.call("GET", path).status_code == 200
        assert alice.login().call("GET", path).status_code == 200
        for other in (bob, carol):
            other.refused(404, "not_found", "GET", path)
        assert http.get(f"{alice.url}/api/v1{path}").status_code == 401
    alice.refused(404, "not_found", "GET", f"/attachments/{NOWHERE}")
    text = alice.upload("a.txt", b"text")
    alice.refused(404, "not_found", "GET", f"/attachments/{text['id']}/thumbnail")


@one_world
def test_files_are_kept_in_the_data_folder_for_the_service_alone(
    alice: Person, world: World
) -> None:
    found = alice.upload("a.txt", b"a text of alice's")
    (path,) = (world.folder / "attachments").rglob(found["id"])
    assert path.read_bytes() == b"a text of alice's"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
