"""Encoded frames: their bytes are made once, however many sockets they go to. Pure."""


class Wire:
    """An encoded frame: made once, sent to many, in the form that each of them takes.

    ``to`` is the number that an event or a batch reaches.
    """

    __slots__ = ("_frame", "_text", "payload", "to")

    def __init__(self, payload: bytes, text: str | None = None, to: int = 0) -> None:
        self.payload, self.to = payload, to
        self._text = text
        self._frame: bytes | None = None

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return len(self.payload)

    @property
    def text(self) -> str:
        """What ASGI takes."""
        if self._text is None:
            self._text = self.payload.decode()
        return self._text

    @property
    def frame(self) -> bytes:
        """What a transport takes: an unmasked text frame (RFC 6455, section 5.2)."""
        if self._frame is None:
            self._frame = _header(len(self.payload)) + self.payload
        return self._frame


def _header(size: int) -> bytes:
    if size < 126:
        return bytes((0x81, size))
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big")
    return b"\x81\x7f" + size.to_bytes(8, "big")
