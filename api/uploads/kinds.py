"""What a file is: by what it begins with and by the extension of its name, which must agree.

A browser runs what is HTML, SVG or a script. Those, and all that is not in the table, are
``application/octet-stream``: bytes to be saved.
"""

from typing import NamedTuple

from api.errors import InvalidRequest
from api.uploads.names import parted, shortened

HEAD_BYTES = 512  # of a file, in which it is told what it is
OPAQUE = "application/octet-stream"

Signature = tuple[int, bytes]  # at which byte, and what stands there


class ImageKind(NamedTuple):
    """A kind of image that is made anew (``images``); ``format`` is Pillow's word."""

    format: str
    content_type: str
    extensions: tuple[str, ...]


class _FileKind(NamedTuple):
    content_type: str
    begins: tuple[Signature, ...]  # with one of these; none: with anything


_JPEG = ImageKind("JPEG", "image/jpeg", (".jpg", ".jpeg", ".jpe", ".jfif"))
_PNG = ImageKind("PNG", "image/png", (".png", ".apng"))
_GIF = ImageKind("GIF", "image/gif", (".gif",))
_WEBP = ImageKind("WEBP", "image/webp", (".webp",))
_IMAGES: tuple[tuple[tuple[Signature, ...], ImageKind], ...] = (
    (((0, b"\xff\xd8\xff"),), _JPEG),
    (((0, b"\x89PNG\r\n\x1a\n"),), _PNG),
    (((0, b"GIF87a"),), _GIF),
    (((0, b"GIF89a"),), _GIF),
    (((0, b"RIFF"), (8, b"WEBP")), _WEBP),
)
_IMAGE_EXTENSIONS = {extension for _, kind in _IMAGES for extension in kind.extensions}

_ZIP = ((0, b"PK\x03\x04"), (0, b"PK\x05\x06"))
_MP4 = ((4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (4, b"wide"), (4, b"free"))
_OGG = ((0, b"OggS"),)
_MATROSKA = ((0, b"\x1a\x45\xdf\xa3"),)
_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."
_FILES: dict[str, _FileKind] = {
    ".pdf": _FileKind("application/pdf", ((0, b"%PDF-"),)),
    ".zip": _FileKind("application/zip", _ZIP),
    ".gz": _FileKind("application/gzip", ((0, b"\x1f\x8b"),)),
    ".7z": _FileKind("application/x-7z-compressed", ((0, b"7z\xbc\xaf\x27\x1c"),)),
    ".docx": _FileKind(_OFFICE + "wordprocessingml.document", _ZIP),
    ".xlsx": _FileKind(_OFFICE + "spreadsheetml.sheet", _ZIP),
    ".pptx": _FileKind(_OFFICE + "presentationml.presentation", _ZIP),
    ".odt": _FileKind(_OPEN + "text", _ZIP),
    ".ods": _FileKind(_OPEN + "spreadsheet", _ZIP),
    ".odp": _FileKind(_OPEN + "presentation", _ZIP),
    ".epub": _FileKind("application/epub+zip", _ZIP),
    ".mp3": _FileKind(
        "audio/mpeg",
        ((0, b"ID3"), (0, b"\xff\xfb"), (0, b"\xff\xfa"), (0, b"\xff\xf3"), (0, b"\xff\xf2")),
    ),
    ".m4a": _FileKind("audio/mp4", _MP4),
    ".mp4": _FileKind("video/mp4", _MP4),
    ".m4v": _FileKind("video/mp4", _MP4),
    ".mov": _FileKind("video/quicktime", _MP4),
    ".ogg": _FileKind("audio/ogg", _OGG),
    ".oga": _FileKind("audio/ogg", _OGG),
    ".opus": _FileKind("audio/ogg", _OGG),
    ".ogv": _FileKind("video/ogg", _OGG),
    ".wav": _FileKind("audio/wav", ((8, b"WAVE"),)),
    ".flac": _FileKind("audio/flac", ((0, b"fLaC"),)),
    ".webm": _FileKind("video/webm", _MATROSKA),
    ".mkv": _FileKind("video/x-matroska", _MATROSKA),
    ".txt": _FileKind("text/plain", ()),
    ".log": _FileKind("text/plain", ()),
    ".md": _FileKind("text/plain", ()),
    ".csv": _FileKind("text/csv", ()),
    ".json": _FileKind("application/json", ()),
}


def image_kind(head: bytes, name: str) -> ImageKind | None:
    """Return what kind of image a file is, None when it is none that is made anew.

    Raises:
        InvalidRequest: its name says that it is one, but it is not, or the other way round.
    """
    extension = parted(name)[1].lower()
    kind = next((kind for begins, kind in _IMAGES if _has(head, begins)), None)
    if kind is None and extension in _IMAGE_EXTENSIONS:
        raise InvalidRequest.at("/file", "Its name says that it is an image; it is none.")
    if kind is not None and extension in _FILES:
        raise InvalidRequest.at("/file", f"It is an image, and no '{extension}'.")
    return kind


def content_type(head: bytes, name: str) -> str:
    """Return the media type of a file that is no image.

    Raises:
        InvalidRequest: it is something else than its name says.
    """
    extension = parted(name)[1].lower()
    kind = _FILES.get(extension)
    if kind is None:
        return OPAQUE
    if kind.begins and not any(_has(head, (signature,)) for signature in kind.begins):
        raise InvalidRequest.at("/file", f"Its name says '{extension}'; it is something else.")
    return OPAQUE if not kind.begins and b"\x00" in head else kind.content_type


def named_as(kind: ImageKind, name: str) -> str:
    """Return the name of an image with the extension of what it is."""
    stem, extension = parted(name)
    if extension.lower() in kind.extensions:
        return name
    keep = "" if extension.lower() in _IMAGE_EXTENSIONS else extension
    return shortened(stem + keep, kind.extensions[0])


def _has(head: bytes, signatures: tuple[Signature, ...]) -> bool:
    return all(head[at : at + len(word)] == word for at, word in signatures)
