"""One example of everything on the wire: composed from the schemas, told by the story."""

from collections.abc import Mapping
from copy import deepcopy
from functools import reduce
from operator import getitem
from typing import Any

from api.scenes import SCENES
from api.story import STORY

Schema = Mapping[str, Any]

_UNTOLD = object()


class Untold(LookupError):
    """A field has no example: ``api/story.py`` says it by the field's name."""


class Examples:
    """Examples of what a document describes."""

    def __init__(self, document: Schema) -> None:
        self._document = document

    def of(self, schema: Schema, scene: str = "") -> Any:
        """Return an example of a schema, as it is in this scene.

        Raises:
            Untold: a field of it has none.
        """
        return deepcopy(_laid_over(self._made(schema, "", ""), SCENES.get(scene, {})))

    def _made(self, schema: Schema, owner: str, name: str) -> Any:
        match schema:
            case {"$ref": str(reference)}:
                steps = reference.removeprefix("#/").split("/")
                return self._made(reduce(getitem, steps, self._document), owner, name)
            case {"type": "array", "items": dict(items)}:
                return [self._field(items, owner, name)]
            case {"type": "object", "properties": dict(fields)}:
                title, needed = schema["title"], schema.get("required", ())
                made = {field: self._field(fields[field], title, field) for field in fields}
                return {field: made[field] for field in made if field in needed or made[field]}
            case {"type": "object"}:
                return {}
            case _ if not schema:  # anything
                return {}
            case {"enum": [first, *_]}:
                return first
        raise Untold(f"{owner}.{name}: api/story.py does not tell of it")

    def _field(self, schema: Schema, owner: str, name: str) -> Any:
        """Return an example of a field, or of one item of a field that is a list."""
        if "const" in schema:
            return schema["const"]
        default = schema.get("default") or _UNTOLD
        told = STORY.get(f"{owner}.{name}", STORY.get(name, default))
        schema, *_ = schema.get("anyOf", [schema])
        if told is _UNTOLD or (schema.get("type") == "array" and not isinstance(told, list | None)):
            return self._made(schema, owner, name)
        return _laid_over(self._made(schema, owner, name), told) if isinstance(told, dict) else told


def _laid_over(made: Any, told: Any) -> Any:
    """Lay what is told over what was made: objects field by field, lists item by item."""
    if isinstance(made, dict) and isinstance(told, dict):
        return made | {name: _laid_over(made.get(name), value) for name, value in told.items()}
    if isinstance(made, list) and isinstance(told, list) and len(made) == len(told):
        return [_laid_over(*pair) for pair in zip(made, told, strict=True)]
    return told
