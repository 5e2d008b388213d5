"""CSV rows and what may be wrong with them."""

import csv
import io
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from pydantic import ValidationError

from meal_assets.errors import Invalid, Permanent
from meal_assets.event_store.files import text_of

Row = Mapping[str, str]
Progress = Callable[[int, int], None]
"""Told how many of how many are through."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out, and why."""

    line: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """How many rows were read, how many events that made, and which rows were left out."""

    read: int
    events: int
    bad: list[BadRow]


def rows(content: bytes, needed: tuple[str, ...]) -> Iterator[tuple[int, Row]]:
    """(line, columns by name) of a CSV file with a header, packed or not.

    Raises `Permanent` when it is no such file, or lacks a column.
    """
    text = text_of(content)
    if "\0" in text:
        raise Permanent("the file holds NUL characters, so it is not UTF-8 text: save it as UTF-8")
    reader = csv.DictReader(io.StringIO(text, newline=""), restval="")
    try:
        if missing := [c for c in needed if c not in (reader.fieldnames or ())]:
            raise Permanent(
                f"the file has no column {', '.join(missing)}: its first line must name them;"
                f" it names {', '.join(reader.fieldnames or ['nothing'])}"
            )
        for row in reader:
            yield reader.line_num, {k: v.strip() for k, v in row.items() if isinstance(k, str) and isinstance(v, str)}
    except csv.Error as error:
        raise Permanent(f"line {reader.line_num + 1} is not CSV: {error}") from error


def number(row: Row, field: str) -> float:
    """A number that must be there."""
    value = perhaps(row, field)
    if value is None:
        raise Invalid(field, "is missing")
    return value


def perhaps(row: Row, field: str) -> float | None:
    """A number, or None where the cell is empty or the column is not there."""
    text = row.get(field, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise Invalid(field, f"{text!r} is not a number") from None
    if not math.isfinite(value):
        raise Invalid(field, f"{text!r} is not a finite number")
    return value


def day(row: Row, field: str) -> date:
    """A calendar day, YYYY-MM-DD."""
    try:
        return date.fromisoformat(row.get(field, ""))
    except ValueError:
        raise Invalid(field, f"{row.get(field, '')!r} is not a day like 2026-11-23") from None


def bad_row(line: int, error: Invalid | ValidationError) -> BadRow:
    """The first thing that is wrong with the row."""
    if isinstance(error, Invalid):
        return BadRow(line, error.field, error.reason)
    first = error.errors()[0]
    return BadRow(line, ".".join(map(str, first["loc"])), f"{first['msg']} (it is {str(first['input'])[:80]!r})")
