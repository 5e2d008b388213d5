"""The fields of an event by path, also those inside of values: what a program knows of a payload."""

from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from .base import Event


@cache
def fields_of(event: type[Event]) -> tuple[str, ...]:
    """As "nutrition.kcal"; a value that holds its own kind is followed once."""
    return tuple(_fields(event, "", frozenset({event})))


def _fields(model: type[BaseModel], path: str, within: frozenset[type[BaseModel]]) -> Iterator[str]:
    for name, info in model.model_fields.items():
        yield f"{path}{name}"
        for value in _values_in(info.annotation):
            if value not in within:
                yield from _fields(value, f"{path}{name}.", within | {value})


def _values_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _values_in(part)
