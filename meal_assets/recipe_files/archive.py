"""The recipes in a zip archive, read in memory and never unpacked to a disk; bounded in entries, bytes and depth."""

import contextlib
import gzip
import io
import json
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO

from meal_assets.domain.recipes import Read
from meal_assets.domain.recipes.markup import clean
from meal_assets.errors import Invalid, Permanent
from meal_assets.event_store.files import GZIP_MAGIC, MAX_UNPACKED

from .entry import Entry, tried
from .exports import read_row
from .page import read_page
from .plain import read_plain

ZIP_MAGIC = b"PK\x03\x04"
EMPTY_ZIP_MAGIC = b"PK\x05\x06"
ZIP_ENTRY = b"PK\x01\x02"
MAX_ENTRIES = 20_000
MAX_ENTRY = 32 * 1024 * 1024
"""Bytes of one entry, unpacked. Paprika writes pictures into its recipes."""
MAX_NAME = 255
UTF8_NAME, ENCRYPTED = 0x800, 0x1
"""Flags of an entry."""
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, NotImplementedError)
"""What the standard library raises for an archive that is not as it should be."""
PAGES, TEXTS, JSONS, PAPRIKA = (".html", ".htm"), (".md", ".markdown", ".txt"), (".json",), (".paprikarecipe",)


def is_archive(content: bytes) -> bool:
    """Whether the bytes begin like a zip."""
    return content.startswith((ZIP_MAGIC, EMPTY_ZIP_MAGIC))


def archived(content: bytes) -> Iterator[Entry]:
    """Each recipe in the archive; pictures and what else lies in it are passed over.

    Raises `Permanent` when it is no whole archive.
    """
    budget = _Budget()
    seen: dict[str, tuple[str, str]] = {}
    for number, (name, read) in enumerate(_in(content, "", budget), start=1):
        yield Entry(number, _once(read, name, seen), name)


class _Budget:
    """How much more may be unpacked."""

    def __init__(self) -> None:
        self.left = MAX_UNPACKED

    def take(self, packed: IO[bytes] | gzip.GzipFile) -> bytes:
        """All of it. Raises `Invalid` when it is too much, having unpacked no more than is allowed."""
        most = min(MAX_ENTRY, self.left)
        content = packed.read(most + 1)
        self.left -= len(content)
        if len(content) > most:
            raise Invalid("size", f"unpacks to more than {most:,} bytes")
        return content


def _in(content: bytes, inside: str, budget: _Budget) -> Iterator[tuple[str, Read | Invalid]]:
    if (count := content.count(ZIP_ENTRY)) > MAX_ENTRIES:  # before a list of them is made
        raise Permanent(f"the archive has {count:,} entries, at most {MAX_ENTRIES:,} are read: split it")
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        entries = archive.infolist()
    except BROKEN as error:
        raise Permanent(f"the file is not a whole zip archive: {error}. Export it again.") from error
    for entry in entries:
        name = clean(f"{inside}{_name(entry)}")[:MAX_NAME] or "(no name)"
        path = PurePosixPath(entry.filename)
        if entry.is_dir() or path.parts[:1] == ("__MACOSX",) or path.name.startswith("._"):
            continue
        kind = path.suffix.lower()
        if kind not in (*PAGES, *TEXTS, *JSONS, *PAPRIKA, ".zip"):
            continue
        try:
            _refuse_tricks(entry, path)
            with archive.open(entry) as packed:
                unpacked = budget.take(packed)
        except Invalid as error:
            yield name, error
            if budget.left <= 0:
                return
            continue
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            RuntimeError,
            ValueError,
            NotImplementedError,
        ) as error:
            yield name, Invalid("entry", f"is broken: {error or type(error).__name__}")
            continue
        if kind != ".zip":
            yield name, _tried(unpacked, kind, budget)
        elif inside:
            yield name, Invalid("entry", "is an archive in an archive in an archive: unpack the outer one")
        else:
            yield from _nested(unpacked, name, budget)


def _name(entry: zipfile.ZipInfo) -> str:
    """As it was meant: macOS writes UTF-8 without saying so."""
    if not entry.flag_bits & UTF8_NAME:
        with contextlib.suppress(UnicodeError):
            return entry.filename.encode("cp437").decode()
    return entry.filename


def _tried(content: bytes, kind: str, budget: _Budget) -> Read | Invalid:
    return tried(lambda: _read(content, kind, budget))


def _nested(content: bytes, name: str, budget: _Budget) -> Iterator[tuple[str, Read | Invalid]]:
    """Of an archive that Tandoor puts each recipe into."""
    try:
        yield from _in(content, f"{name}/", budget)
    except Permanent as error:
        yield name, Invalid("entry", str(error))


def _refuse_tricks(entry: zipfile.ZipInfo, path: PurePosixPath) -> None:
    """Nothing is written, so such a path leads nowhere; but who makes one has no recipes in mind."""
    if path.is_absolute() or ".." in path.parts or "\\" in entry.orig_filename or ":" in path.parts[0]:
        raise Invalid("name", "leads out of the archive")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise Invalid("entry", "is a link, not a file")
    if entry.flag_bits & ENCRYPTED:
        raise Invalid("entry", "is encrypted: export without a password")


def _read(content: bytes, kind: str, budget: _Budget) -> Read:
    if kind in PAGES:
        return read_page(content)
    if content.startswith(GZIP_MAGIC):
        try:
            with gzip.open(io.BytesIO(content)) as packed:
                content = budget.take(packed)
        except (OSError, EOFError, zlib.error) as error:
            raise Invalid("entry", f"is not whole gzip: {error}") from None
    try:
        if kind in TEXTS:
            return read_row(read_plain(content.decode("utf-8-sig")))
        return read_row(json.loads(content))
    except UnicodeDecodeError as error:
        raise Invalid("encoding", f"is not UTF-8 text: {error.reason} at byte {error.start:,}") from None
    except (ValueError, RecursionError) as error:
        raise Invalid("entry", f"is not JSON: {error}") from None


def _once(read: Read | Invalid, name: str, seen: dict[str, tuple[str, str]]) -> Read | Invalid:
    """The same, or that another entry is the same recipe with other content: one would replace the other."""
    if isinstance(read, Invalid):
        return read
    first, content = seen.setdefault(read.event.recipe, (name, read.event.content_hash))
    if content != read.event.content_hash:
        return Invalid("title", f"and address are those of {first}: give one of the two another title")
    return read
