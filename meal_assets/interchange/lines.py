"""A file of events, line by line, whatever it is packed in."""

import gzip
import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path

from meal_assets.errors import Invalid, Permanent

MAX_LINE = 64 * 1024 * 1024
"""Bytes of one event; a longer line is no event but a file that somebody mistook for one."""


def lines_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """(number from 1, line) of JSON lines, packed or not, or of a Parquet file; empty lines are passed over.

    Raises `Permanent` when the file is torn, `Invalid` when its name says nothing about what is in it.
    """
    if path.name.endswith(".parquet"):
        from .parquet import parquet_lines

        yield from enumerate(parquet_lines(path), start=1)
        return
    if not path.name.endswith((".jsonl", ".jsonl.gz")):
        raise Invalid(str(path), "does not end in .jsonl, .jsonl.gz or .parquet")
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield from _numbered(file)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise Permanent(f"{path} is not whole gzip: {error}. Export it again.") from error


def _numbered(file: BufferedIOBase) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := file.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise Permanent(f"line {number} has more than {MAX_LINE:,} bytes: this is no file of events")
        if line.strip():
            yield number, line
