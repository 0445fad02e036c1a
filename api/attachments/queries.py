"""Reads of attachments: who may see which."""

import uuid

from api.errors import NotFound
from api.rooms import queries as rooms
from api.uploads.models import Upload


def upload_for_reader(upload_id: uuid.UUID, user_id: uuid.UUID) -> Upload:
    """Return a file that this person may read; in one snapshot.

    Before it is used, or said, that is who sent it; then the members of the room of its
    message, those who may know of the room whose avatar it is, and for a person's avatar
    everybody, as everybody may look a person up by name.

    Raises:
        NotFound: there is no such file, or it is not this person's to see.
    """
    upload = Upload.objects.filter(pk=upload_id, stored=True, released_at=None).first()
    if upload is None or not _may_read(upload, user_id):
        raise NotFound
    return upload


def _may_read(upload: Upload, user_id: uuid.UUID) -> bool:
    match upload.used_by_kind:
        case None | "later" | "due":
            return upload.owner_id == user_id
        case "message":
            return upload.room_id is not None and rooms.is_member(upload.room_id, user_id)
        case "room":
            return upload.room_id is not None and rooms.is_visible(upload.room_id, user_id)
        case "person":
            return True
        case _:
            return False
