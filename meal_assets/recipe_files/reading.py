"""The recipes of a file, of whatever kind it is: each is read, or said to be none."""

import io
import json
import re
from collections.abc import Iterator
from typing import Any

from meal_assets.errors import Invalid
from meal_assets.event_store.files import text_of

from .archive import archived, is_archive
from .entry import Entry, tried
from .exports import read_row
from .page import is_page, read_page
from .plain import read_plain

_LINE = re.compile(r"^\s*[\[{\"\d]*[\[{]|\A\s*[\"\d]+\s*\Z", re.MULTILINE)
"""Somebody meant JSON: a line begins like a value of it."""


def entries(content: bytes) -> Iterator[Entry]:
    """Each recipe of an archive, of JSON lines or one JSON value, of a saved page, or of a text; packed by gzip or not.

    Raises `Permanent` when the file as a whole cannot be read.
    """
    if is_archive(content):
        yield from archived(content)
        return
    if is_page(content):
        yield Entry(1, tried(lambda: read_page(content)))
        return
    text = text_of(content)
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        if text.strip() and not _LINE.search(text):
            yield Entry(1, tried(lambda: read_row(read_plain(text))))
        else:
            yield from _lines(text)
        return
    for number, row in enumerate(whole if isinstance(whole, list) else [whole], start=1):
        yield _of_row(number, row)


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
    return Entry(number, tried(lambda: read_row(row)))
