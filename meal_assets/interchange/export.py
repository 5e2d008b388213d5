"""The log into a file, a chunk at a time, so that a killed export goes on after the last whole line."""

import gzip
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from pydantic import ValidationError

from meal_assets.contracts import Event
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore
from meal_assets.event_store.cloud_event import Logged, attributes_of, line_of

from .cloud_events import CloudEvent, read_logged, readable

CHUNK = 2_000
"""Events of one write; each is on the disk before the next is read."""
BLOCK = 1 << 20
"""Bytes of a packed file that are looked through at a time."""
SUFFIXES = (".jsonl", ".jsonl.gz", ".parquet")

Progress = Callable[[int, int], None]
"""Told the position that is through, and the last one."""


class Kept(NamedTuple):
    """What identifies an event that an interrupted export has written."""

    position: int | None
    event_id: str
    hash: str | None


class Sink(Protocol):
    """Where rows go. `write` returns when they are on the disk; `finish` gives the file its name."""

    chunk: int

    def kept(self) -> tuple[Kept, Kept] | None:
        """The first and the last event that are there already."""

    def write(self, rows: list[Logged]) -> None: ...

    def finish(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Exported:
    """How many events were written now, and after which position that went on."""

    events: int
    went_on_after: int | None


def export(
    store: EventStore,
    path: Path,
    *,
    after: int = 0,
    until: int | None = None,
    types: Sequence[type[Event]] = (),
    progress: Progress = lambda _at, _of: None,
) -> Exported:
    """Write the events after a position, of these types or of all, up to another one or the head as it is now.

    Texts of persons are written as they were.

    An interrupted export of the same is gone on with. Raises `Invalid` when the file is there already, or when what
    was interrupted is another export.
    """
    if path.exists():
        raise Invalid(str(path), "is there already: remove it, or name another file")
    sink, written = _sink(path, chained=not types), 0
    until = store.head() if until is None else until
    kept = sink.kept()
    at = after if kept is None else _went_on_after(store, kept, after, types, f"{path}.partial")
    while rows := read_logged(store, at, types, until=until, limit=sink.chunk):
        sink.write(readable(store, rows))
        at, written = rows[-1].position, written + len(rows)
        progress(at, until)
    sink.finish()
    return Exported(written, kept[1].position if kept else None)


def _sink(path: Path, *, chained: bool) -> Sink:
    if path.name.endswith(".parquet"):
        from .parquet import Parts

        return Parts(path, chained=chained)
    if path.name.endswith((".jsonl", ".jsonl.gz")):
        return Lines(path, chained=chained)
    raise Invalid(str(path), f"does not end in {', '.join(SUFFIXES)}")


def _went_on_after(
    store: EventStore, kept: tuple[Kept, Kept], after: int, types: Sequence[type[Event]], partial: str
) -> int:
    """The position of the last event kept, if first and last are what this export would have written there."""
    first, last = kept
    if first.position is not None and last.position is not None:
        starts = read_logged(store, after, types, until=first.position, limit=1)
        ends = read_logged(store, last.position - 1, types, until=last.position, limit=1)
        if [_kept(row, chained=not types) for row in starts + ends] == [first, last]:
            return last.position
    raise Invalid(partial, "is what is left of another export: finish that one with its own options, or remove it")


def _kept(row: Logged, *, chained: bool) -> Kept:
    return Kept(row.position, str(row.event_id), row.hash.hex() if chained else None)


class Lines:
    """JSON lines; packed, each chunk is a gzip member of its own, so that a torn one can be cut off."""

    chunk = CHUNK

    def __init__(self, path: Path, *, chained: bool) -> None:
        self._path, self._chained = path, chained
        self._packed = path.suffix == ".gz"
        self._partial = path.with_name(f"{path.name}.partial")

    def kept(self) -> tuple[Kept, Kept] | None:
        self._partial.touch()
        first, last, end = b"", b"", 0
        with self._partial.open("r+b") as file:
            for whole, upto in _members(file) if self._packed else _lines(file):
                lines = whole.splitlines() or [b""]
                first, last, end = first or lines[0], lines[-1] or last, upto
            file.truncate(end)
        return (_kept_line(first), _kept_line(last)) if first else None

    def write(self, rows: list[Logged]) -> None:
        text = "".join(f"{line_of(attributes_of(r, chained=self._chained), r.data)}\n" for r in rows).encode()
        with self._partial.open("ab") as file:
            file.write(gzip.compress(text, compresslevel=6, mtime=0) if self._packed else text)
            file.flush()
            os.fsync(file.fileno())

    def finish(self) -> None:
        if self._partial.stat().st_size == 0:
            self.write([])  # no event is an empty gzip member, not an empty file
        replace_durably(self._partial, self._path)


def _kept_line(text: bytes) -> Kept:
    try:
        told = CloudEvent.model_validate_json(text, strict=True)
    except ValidationError:
        return Kept(None, "", None)
    return Kept(told.position, str(told.id), told.hash)


def _lines(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Each whole line, and where it ends."""
    end = 0
    for line in file:
        if not line.endswith(b"\n"):
            return
        end += len(line)
        yield line, end


def _members(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """What each whole gzip member holds, and where it ends."""
    end, rest, member, text = 0, b"", zlib.decompressobj(wbits=31), bytearray()
    while block := rest or file.read(BLOCK):
        try:
            text += member.decompress(block)
        except zlib.error:
            return
        rest = member.unused_data
        if member.eof:
            end = file.tell() - len(rest)
            yield bytes(text), end
            member, text = zlib.decompressobj(wbits=31), bytearray()


def replace_durably(source: Path, target: Path) -> None:
    """Rename, so that the new name survives a power cut."""
    source.replace(target)
    if os.name == "posix":
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
