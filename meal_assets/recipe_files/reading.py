"""The recipes of a file, of whatever kind it is: each is read, or said to be none."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from meal_assets.domain.recipes import Read, read_recipe
from meal_assets.errors import Invalid
from meal_assets.event_store.files import text_of

from .page import is_page, read_page


@dataclass(frozen=True, slots=True)
class Entry:
    """A recipe of a file, or why it is none; its line or how-manieth it is, and its name where it has one."""

    number: int
    read: Read | Invalid
    name: str | None = None


def entries(content: bytes) -> Iterator[Entry]:
    """Each recipe of JSON lines, of one JSON value, or of a saved page; packed by gzip or not.

    Raises `Permanent` when the file as a whole cannot be read.
    """
    if is_page(content):
        yield Entry(1, tried(lambda: read_page(content)))
        return
    text = text_of(content)
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        yield from _lines(text)
        return
    for number, row in enumerate(whole if isinstance(whole, list) else [whole], start=1):
        yield _of_row(number, row)


def tried(read: Callable[[], Read]) -> Read | Invalid:
    """What came of reading it."""
    try:
        return read()
    except Invalid as error:
        return error


def _lines(text: str) -> Iterator[Entry]:
    for number, line in enumerate(io.StringIO(text), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield Entry(number, Invalid("line", f"is not JSON: {error}"))
        else:
            yield _of_row(number, row)


def _of_row(number: int, row: Any) -> Entry:
    return Entry(number, tried(lambda: read_recipe(row)))
