"""Images are made anew: nothing but pixels passes, and there is a small one beside each.

What a camera or a program has written beside the pixels (place, device, comments, previews)
is gone. How an image is to be turned and which colours it means is applied to the pixels.
"""

import contextlib
import io
import tempfile
import warnings
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

from PIL import Image, ImageCms, ImageOps, ImageSequence

from api.errors import InvalidRequest
from api.uploads.kinds import ImageKind

PIXELS_MAX = 40_000_000  # of an image: 120 MB while it is being made
MOVING_PIXELS_MAX = 25_000_000  # of all frames together: they are in memory at the same time
FRAMES_MAX = 500
THUMBNAIL_PIXELS = 320  # along the longer side
THUMBNAIL_TYPE = "image/webp"
QUALITY = 88  # of 100: what cannot be told from the original

Image.MAX_IMAGE_PIXELS = PIXELS_MAX // 2  # Pillow refuses twice that, also where a frame grows
warnings.simplefilter("ignore", Image.DecompressionBombWarning)


class MadeAnew(NamedTuple):
    """An image as it is kept; ``width`` and ``height`` in pixels."""

    file: IO[bytes]
    thumbnail: bytes
    width: int
    height: int


def made_anew(file: IO[bytes], kind: ImageKind) -> MadeAnew:
    """Read an image and write it again.

    Raises:
        InvalidRequest: it is broken, cut off, or larger than may be once it is unpacked.
    """
    try:
        with Image.open(file, formats=(kind.format,)) as image:
            return _written(image, kind)
    except (InvalidRequest, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise _too_large() from None
    except Exception as error:  # what a broken file makes of Pillow has no common name
        raise InvalidRequest.at("/file", "The image is broken.") from error


def _written(image: Any, kind: ImageKind) -> MadeAnew:
    if image.width * image.height > PIXELS_MAX:
        raise _too_large()
    made = tempfile.TemporaryFile()  # noqa: SIM115  whoever keeps the image closes it
    if kind.format != "JPEG" and getattr(image, "n_frames", 1) > 1:
        first = _write_moving(image, kind, made)
    else:
        first = _pixels(_upright(image), alpha=kind.format != "JPEG")
        first.save(made, kind.format, quality=QUALITY)
    return MadeAnew(made, _thumbnail(first), first.width, first.height)


def _write_moving(image: Any, kind: ImageKind, made: IO[bytes]) -> Any:
    """Write every frame; return the first."""
    frames, durations = [], []
    for frame in _frames(image):
        frame.load()  # before that WebP does not say how long it is shown
        durations.append(int(frame.info.get("duration", 0)))
        frames.append(_pixels(_upright(frame.copy()), alpha=True))
    frames[0].save(
        made,
        kind.format,
        save_all=True,
        append_images=frames[1:],
        duration=durations,
        loop=image.info.get("loop", 0),
        quality=QUALITY,
        **({"disposal": 2} if kind.format == "GIF" else {}),
    )
    return frames[0]


def _frames(image: Any) -> Iterator[Any]:
    if image.n_frames > FRAMES_MAX:
        raise _too_large()
    pixels = 0
    for frame in ImageSequence.Iterator(image):
        pixels += frame.width * frame.height
        if pixels > MOVING_PIXELS_MAX:
            raise _too_large()
        yield frame


def _upright(image: Any) -> Any:
    """Turn an image as it was held, and return it."""
    image.load()  # what is broken here is the image
    with contextlib.suppress(Exception):  # broken words beside the pixels mean nothing
        ImageOps.exif_transpose(image, in_place=True)
    return image


def _pixels(image: Any, *, alpha: bool) -> Any:
    """Return the image as it is to be seen, and nothing that was said beside it."""
    if image.mode.startswith("I;16"):  # Pillow takes all but the darkest 256 of its greys for white
        image = image.point(lambda grey: grey * (1 / 256))
        image.info = {}
    profile = image.info.get("icc_profile")
    see_through = alpha and image.has_transparency_data
    shown = _in_srgb(image, profile) if profile else image
    mode = "RGBA" if see_through else "L" if shown.mode in ("1", "L") else "RGB"
    clean = shown.convert(mode)
    clean.info = {}
    return clean


def _in_srgb(image: Any, profile: bytes) -> Any:
    """Return the colours that are meant, as they are without a profile."""
    if image.mode not in ("RGB", "RGBA", "CMYK", "L"):
        return image
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        meant = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, meant, srgb, outputMode=mode)
    except (ImageCms.PyCMSError, OSError):  # a broken profile means nothing
        return image


def _thumbnail(image: Any) -> bytes:
    scale = min(1.0, THUMBNAIL_PIXELS / max(image.size))
    size = tuple(max(1, round(side * scale)) for side in image.size)
    written = io.BytesIO()
    image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0).save(written, "WEBP", quality=80)
    return written.getvalue()


def _too_large() -> InvalidRequest:
    return InvalidRequest.at("/file", "The image has too many pixels.")
