"""What an event means to who is here: somebody has spoken, or people have come or changed."""

import uuid

import msgspec

SPOKEN = ("message.created",)
OF_PEOPLE = ("member.", "room.")  # who may read or write is another one since
OF_PRESENCE = ("presence.updated",)


class Sign(msgspec.Struct, frozen=True):
    """One event, as far as it matters; ``actor_id`` is who did it."""

    type: str
    actor_id: uuid.UUID | None = None

    @property
    def spoken(self) -> bool:
        """Whether the actor has said something in this room."""
        return self.type in SPOKEN

    @property
    def of_people(self) -> bool:
        """Whether who may read or write in this room may be others since."""
        return self.type.startswith(OF_PEOPLE)

    @property
    def of_presence(self) -> bool:
        """Whether the person whose inbox it is wants to be seen otherwise."""
        return self.type in OF_PRESENCE


_decoder = msgspec.json.Decoder(Sign)


def sign_of(text: str) -> Sign:
    """Read an event's frame for what it means here."""
    return _decoder.decode(text)
