"""Identifying free text of a person: marked in a contract, encrypted in the log, gone when the person is forgotten.

A field is `Annotated[str, Field(max_length=100), PERSONAL]`, or of `str | None` or `tuple[str, ...]`. Events are read
with its text encrypted (as a fold sees it), as it was said, or with the tombstone.
"""

import re
from types import NoneType
from typing import Any, get_args

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

TOMBSTONE = "(forgotten)"
"""What is shown of a text whose key is gone."""
KEYWORD = "x-personal"
"""How JSON Schema says it; no validator of others minds."""
PREFIX = "enc1:"
SEALED = re.compile(PREFIX + r"(?P<key>[0-9a-f]{32}):(?P<type>\w+\.\w+)\.(?P<field>\w+):(?P<text>[A-Za-z0-9_-]+)")
"""An encrypted text says which key opens it, and of which event and field it is."""

KINDS: tuple[Any, ...] = (str, str | None, tuple[str, ...])


class Personal:
    """The mark: an encrypted text or a tombstone stands for any text, whatever its bounds."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(_as_it_is, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), KEYWORD: True}


PERSONAL = Personal()


def personal_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """The marked fields of an event. Raises TypeError where nobody could find the key, or the text in it."""
    marked = tuple(name for name, info in model.model_fields.items() if PERSONAL in info.metadata)
    for name in marked:
        if model.model_fields[name].annotation not in KINDS:
            raise TypeError(f"{model.__name__}.{name} is personal, but neither a text nor a tuple of texts")
    if marked and "person" not in model.model_fields:
        raise TypeError(f"{model.__name__}.{marked[0]} is personal, but of no person: it needs a field `person`")
    if hidden := next(
        (n for n, i in model.model_fields.items() if n not in marked and _holds_mark(i.annotation)), None
    ):
        raise TypeError(f"{model.__name__}.{hidden} holds a personal text: only an event's own fields can be personal")
    return marked


def is_sealed(value: object) -> bool:
    return isinstance(value, str) and SEALED.fullmatch(value) is not None


def _as_it_is(value: Any, handler: core_schema.ValidatorFunctionWrapHandler) -> Any:
    if is_sealed(value) or value == TOMBSTONE:
        return value
    if isinstance(value, list | tuple) and len(value) == 1 and (is_sealed(value[0]) or value[0] == TOMBSTONE):
        return tuple(value)
    return handler(value)


def _holds_mark(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return any(PERSONAL in i.metadata or _holds_mark(i.annotation) for i in annotation.model_fields.values())
    return any(part is PERSONAL or _holds_mark(part) for part in get_args(annotation) if part is not NoneType)
