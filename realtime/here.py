"""What of a process there is one of: its hub, who is here, who is typing."""

from realtime.connection import Connection
from realtime.hub import Hub
from realtime.presence import Presence
from realtime.typing import Typing


class Here:
    """All that a process knows of its sockets."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.typing = Typing(self.hub)
        self.presence = Presence(self.hub)
        self.hub.followers = (self.typing, self.presence)

    def start(self) -> None:
        """Begin all work."""
        self.hub.start()
        self.hub.tasks.spawn(self.presence.run())

    def opened(self, connection: Connection) -> None:
        """Count a socket whose user is known now."""
        self.hub.sockets.opened(connection)
        self.presence.opened(connection)

    def ended(self, connection: Connection) -> None:
        """Count a socket no more. Harmless when repeated."""
        self.hub.forget(connection)
        self.hub.sockets.ended(connection)
        self.typing.gone(connection)
        self.presence.ended(connection, clean=connection.ended_cleanly)


_here: Here | None = None


def current() -> Here:
    """Return what is of this process; the first to ask on the loop starts it."""
    global _here  # noqa: PLW0603  one process, one hub
    if _here is None:
        _here = Here()
        _here.start()
    return _here


def running() -> Here | None:
    """Return it if it has been started; from any thread."""
    return _here


async def shut_down() -> None:
    """Stop the work of this process, if there is any."""
    global _here
    if _here is not None:
        here, _here = _here, None
        await here.hub.stop()
