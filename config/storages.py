"""Where attachments are kept, as Django's storages say it: a folder, or a bucket."""

from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

LOCAL = "django.core.files.storage.FileSystemStorage"
BUCKET = "storages.backends.s3.S3Storage"  # of django-storages: requirements-s3.txt
_SAID = {"endpoint": "endpoint_url", "region": "region_name", "addressing": "addressing_style"}


def storage_of(url: str, data_dir: Path) -> dict[str, Any]:
    """Return the storage of ``file:///folder`` or ``s3://bucket/prefix?endpoint=…&region=…``.

    Nothing said is a folder beside the database. Keys of a bucket are where boto3 looks for them.

    Raises:
        ValueError: it is neither.
    """
    if not url:
        return _folder(data_dir / "attachments")
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and len(parts.path) > 1:
        return _folder(Path(parts.path))
    if parts.scheme == "s3" and parts.netloc:
        return {"BACKEND": BUCKET, "OPTIONS": _bucket(parts)}
    raise ValueError("neither file:///folder nor s3://bucket.")


def _folder(folder: Path) -> dict[str, Any]:
    options = {"location": str(folder), "file_permissions_mode": 0o600}
    return {"BACKEND": LOCAL, "OPTIONS": options | {"directory_permissions_mode": 0o700}}


def _bucket(parts: SplitResult) -> dict[str, Any]:
    said = parse_qs(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    unknown = said.keys() - _SAID.keys()
    twice = any(len(values) > 1 or not values[0] for values in said.values())
    if unknown or twice or parts.username is not None or parts.fragment:
        raise ValueError(f"of a bucket one says {', '.join(_SAID)}, each once, and no keys.")
    options: dict[str, Any] = {_SAID[name]: values[0] for name, values in said.items()}
    return options | {
        "bucket_name": parts.netloc,
        "location": parts.path.strip("/"),
        "file_overwrite": True,  # names are ids: nothing is there twice, and nothing to ask
        "default_acl": None,
    }
