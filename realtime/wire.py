"""Encoded frames: their bytes are made once, however many sockets they go to. Pure."""


class Wire:
    """An encoded frame: made once, sent to many, in the form that each of them takes.

    ``frame`` is what a transport takes: an unmasked text frame (RFC 6455, section 5.2).
    ``size`` is how many bytes the text has; ``to`` the number that an event or a batch
    reaches.
    """

    __slots__ = ("_payload", "_text", "frame", "size", "to")

    def __init__(self, payload: bytes, text: str | None = None, to: int = 0) -> None:
        self._payload, self._text = payload, text
        self.size, self.to = len(payload), to
        self.frame = _header(self.size) + payload

    @property
    def text(self) -> str:
        """What ASGI takes."""
        if self._text is None:
            self._text = self._payload.decode()
        return self._text


def _header(size: int) -> bytes:
    if size < 126:
        return bytes((0x81, size))
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big")
    return b"\x81\x7f" + size.to_bytes(8, "big")
