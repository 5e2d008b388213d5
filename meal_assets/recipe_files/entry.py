"""One recipe of a file, or why it is none."""

from collections.abc import Callable
from dataclasses import dataclass

from meal_assets.domain.recipes import Read
from meal_assets.errors import Invalid


@dataclass(frozen=True, slots=True)
class Entry:
    """Its line or how-manieth it is, what came of reading it, and its name where it has one."""

    number: int
    read: Read | Invalid
    name: str | None = None


def tried(read: Callable[[], Read]) -> Read | Invalid:
    """What came of reading it."""
    try:
        return read()
    except Invalid as error:
        return error
