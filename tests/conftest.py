"""The worlds that tests run in; each is started once per process of the test run."""

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator

os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="gapless-tests-")  # before settings are read
os.environ.setdefault("XDG_RUNTIME_DIR", os.environ["DATA_DIR"])  # where PostgreSQL is locked

import hypothesis
import pytest
import pytest_asyncio

from tests import backends, secrets_seen, servers
from tests.backends import Valkey
from tests.clients import Person, http
from tests.servers import World

hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse tests of one name: of these pytest-xdist runs one, and says nothing of the others."""
    twice = [name for name, count in Counter(item.nodeid for item in items).items() if count > 1]
    if twice:
        raise pytest.UsageError(f"several tests of one name: {', '.join(twice)}")


@pytest.fixture(scope="session", autouse=True)
def _no_secret_in_any_log() -> Iterator[None]:
    """Fail the run when a log of any server tells a secret of any test; the worlds are gone."""
    yield
    leaks = secrets_seen.leaks()
    assert leaks == []
    shutil.rmtree(secrets_seen.LOGS)


@pytest.fixture(scope="session", autouse=True)
def _close_connections() -> Iterator[None]:
    yield
    http.close()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server."""
    with backends.postgres() as url:
        yield url


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """A Valkey server."""
    found = Valkey(tmp_path_factory.mktemp("valkey"))
    try:
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="session")
def embedded() -> Iterator[World]:
    """SQLite and the in-process layer, one process."""
    with servers.embedded() as world:
        yield world


@pytest.fixture(scope="session")
def clustered(postgres_url: str) -> Iterator[World]:
    """PostgreSQL and Valkey, two processes."""
    with servers.clustered(postgres_url) as world:
        yield world


@pytest.fixture(scope="session")
def daphne() -> Iterator[World]:
    """As ``embedded``, on the server of development, and with the plain form of all else."""
    with servers.embedded(servers=0, HTTP_HANDLER="django", SENDS="single") as world:
        world.start(daphne=True)
        yield world


@pytest.fixture(scope="module", params=["SQLite", "PostgreSQL"])
def alone(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world that nobody else is in."""
    if request.param == "SQLite":
        with servers.embedded() as world:
            yield world
    else:
        url = request.getfixturevalue("postgres_url")
        with servers.clustered(url, servers=1) as world:
            yield world


@pytest.fixture(scope="session", params=["embedded", "clustered"])
def world(request: pytest.FixtureRequest) -> World:
    """Both worlds, one after the other."""
    found: World = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def alice(world: World) -> Person:
    """Alice owns."""
    return Person.register(world.server.url, "alice")


@pytest.fixture
def bob(world: World) -> Person:
    """Bob belongs; where there are two servers, he is at the other one."""
    return Person.register(world.server.url, "bob").at(world.other.url)


@pytest.fixture
def carol(world: World) -> Person:
    """Carol is outside."""
    return Person.register(world.server.url, "carol")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def long_room(embedded: World) -> str:
    """A public room with 1,001 messages of its owner, numbered from 2; to be read only."""
    owner = Person.register(embedded.server.url, "alice")
    room: str = owner.create_room(kind="public")["id"]
    await owner.talk(room, 1_001)
    return room
