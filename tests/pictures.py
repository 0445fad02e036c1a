"""Images for tests: drawn here, with what cameras write beside them."""

import io
import struct
import zlib
from typing import Any

from PIL import Image

RED, BLUE = (220, 20, 20), (20, 20, 220)
PLACE = "N 48.137 E 11.575"  # what must not be passed on
CAMERA = "A camera of somebody's own"


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 20), **options: Any) -> bytes:
    """Return an image whose left half is red and whose right half is blue."""
    return written(drawn(size), kind, **options)


def drawn(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    """Draw that image."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, size[0], size[1]))
    return image.convert(mode)


def written(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return an image as a file."""
    into = io.BytesIO()
    image.save(into, kind, **options)
    return into.getvalue()


def moving(kind: str, frames: int, size: tuple[int, int] = (8, 8)) -> bytes:
    """Return an image of several frames, no two alike."""
    drawn_frames = [
        Image.new("RGB", size, (255 * (number % 2), 0, number % 256)) for number in range(frames)
    ]
    return written(
        drawn_frames[0], kind, save_all=True, append_images=drawn_frames[1:], duration=70, loop=3
    )


def exif(orientation: int = 1) -> Image.Exif:
    """Return what a camera writes: how to turn the image, which camera, and where."""
    found = Image.Exif()
    found[0x0112] = orientation
    found[0x010F] = CAMERA
    found[0x010E] = PLACE
    return found


def opened(content: bytes) -> Image.Image:
    """Open an image that was downloaded."""
    return Image.open(io.BytesIO(content))


def looks(image: Image.Image, at: tuple[int, int]) -> str:
    """Say which of the two colours is at this place."""
    pixel: Any = image.convert("RGB").getpixel(at)
    return "red" if pixel[0] > pixel[2] else "blue"


def bomb(width: int, height: int) -> bytes:
    """Return a small PNG that says it is very large."""
    rows = zlib.compress(bytes(1 + width // 8) * 64)
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", rows), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
