"""Where attachments are kept: a folder, or a bucket of S3, with the same service before it."""

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer
from typing_extensions import override

from config import env, storages
from tests.backends import free_port
from tests.clients import Person
from tests.pictures import picture
from tests.servers import World

CONTENT = bytes(range(256)) * 2_000
KEYS = {"AWS_ACCESS_KEY_ID": "testing-id", "AWS_SECRET_ACCESS_KEY": "testing-secret"}


@pytest.fixture(scope="module")
def bucket() -> Iterator[tuple[str, Any]]:
    """A server that speaks S3, with an empty bucket; its address and the bucket."""
    port = free_port()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port)
    server.start()
    url = f"http://127.0.0.1:{port}"
    keys = dict(zip(("aws_access_key_id", "aws_secret_access_key"), KEYS.values(), strict=True))
    storage: Any = boto3.resource("s3", endpoint_url=url, region_name="us-east-1", **keys)
    made = storage.create_bucket(Bucket="chat")
    try:
        yield url, made
    finally:
        storage.meta.client.close()
        server.stop()


@pytest.mark.parametrize("handler", ["pool", "django"])
def test_a_bucket_serves_as_a_folder_does(
    embedded: World, bucket: tuple[str, Any], handler: str
) -> None:
    url, made = bucket
    said = f"s3://chat/files?endpoint={url}&region=us-east-1&addressing=path"
    with embedded.beside({}, ATTACHMENTS=said, HTTP_HANDLER=handler, **KEYS) as server:
        alice = Person.register(server.url, "alice")
        room = alice.create_room()["id"]
        file, image = alice.upload("a.bin", CONTENT), alice.upload("a.png", picture())
        path = f"/attachments/{file['id']}"
        assert alice.call("GET", path).content == CONTENT
        part = alice.call("GET", path, headers={"Range": "bytes=1000-1999"})
        assert (part.status_code, part.content) == (206, CONTENT[1_000:2_000])
        assert alice.call("HEAD", path).headers["content-length"] == str(len(CONTENT))
        assert alice.call("GET", f"/attachments/{image['id']}/thumbnail").status_code == 200
        names = {item.key.rpartition("/")[2] for item in made.objects.filter(Prefix="files/")}
        assert {file["id"], image["id"], f"{image['id']}.thumbnail"} <= names
        message = alice.send(room, attachment_ids=[image["id"]])
        alice.expect(200, "DELETE", f"/messages/{message['id']}")
        made.Object(f"files/{file['id'][-2:]}/{file['id']}").delete()
        alice.refused(404, "not_found", "GET", path)
        assert "Traceback" not in server.log


def test_a_storage_that_does_not_answer_is_no_fault_of_the_client(
    embedded: World, tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    with embedded.beside({}, ATTACHMENTS=f"file://{folder}") as server:
        alice = Person.register(server.url, "alice")
        found = alice.upload("a.txt", b"text")
        shutil.rmtree(folder)
        folder.write_bytes(b"a file where the folder was")
        for method, path, options in (
            ("POST", "/uploads", {"files": {"file": ("a.txt", b"text")}}),
            ("GET", f"/attachments/{found['id']}", {}),
        ):
            answer = alice.call(method, path, **options)
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        folder.unlink()
        alice.refused(404, "not_found", "GET", f"/attachments/{found['id']}")
        assert alice.upload("a.txt", b"text")["size"] == 4


class _TakesAndGivesNothing(BaseHTTPRequestHandler):
    """A bucket that has everything, and fails when it is to give it."""

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200)

    def do_HEAD(self) -> None:
        self._answer(200)

    def do_GET(self) -> None:
        self._answer(500)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    @override
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def failing() -> Iterator[str]:
    """The address of such a bucket."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _TakesAndGivesNothing)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_bucket_that_fails_when_it_is_to_give_a_file_does_not_answer(
    embedded: World, failing: str
) -> None:
    said = f"s3://chat/files?endpoint={failing}&region=us-east-1&addressing=path"
    with embedded.beside({}, ATTACHMENTS=said, AWS_MAX_ATTEMPTS="1", **KEYS) as server:
        alice = Person.register(server.url, "alice")
        path = f"/attachments/{alice.upload('a.txt', b'text')['id']}"
        answer = alice.call("GET", path)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


@pytest.mark.parametrize(
    "said",
    [
        *("attachments", "/folder", "file://", "file:///", "file://host/folder", "s3://"),
        *("s3:///prefix", "https://bucket", "s3://bucket?nonsense=1", "s3://bucket?endpoint"),
        *("s3://id:secret@bucket", "s3://bucket#x", "s3://bucket?endpoint=a&endpoint=b"),
    ],
)
def test_what_names_no_place_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("ATTACHMENTS", said)
    with pytest.raises(env.EnvironmentRefused, match=r"^ATTACHMENTS: ") as refused:
        env.load()
    assert "secret" not in str(refused.value)


def test_a_folder_is_beside_the_database_or_where_one_says(tmp_path: Path) -> None:
    folders = [
        storages.storage_of(said, tmp_path)["OPTIONS"]["location"]
        for said in ("", "file:///srv/files")
    ]
    assert folders == [str(tmp_path / "attachments"), "/srv/files"]


def test_a_bucket_is_said_with_its_prefix_and_its_server(tmp_path: Path) -> None:
    said = "s3://chat/a/b/?endpoint=https://s3.example.org&region=eu-1"
    assert storages.storage_of(said, tmp_path) == {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "endpoint_url": "https://s3.example.org",
            "region_name": "eu-1",
            "bucket_name": "chat",
            "location": "a/b",
            "file_overwrite": True,
            "default_acl": None,
        },
    }
