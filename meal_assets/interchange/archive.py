"""Full partitions of the log into Parquet files and back, each proven by its chain before anything is dropped."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from pydantic import BaseModel, ValidationError

from meal_assets.consumers import CONSUMERS
from meal_assets.errors import Invalid, Permanent, Transient, Unavailable
from meal_assets.event_store import Connection, EventStore
from meal_assets.event_store.archives import archives, bring_back, full_partitions, link_before, put_away
from meal_assets.event_store.checkpoints import RELAY, checkpoints
from meal_assets.event_store.database import fetch_row
from meal_assets.read_models import READ_MODELS

from .arriving import ROW, is_chain, stage
from .export import export, replace_durably
from .lines import lines_of

Progress = Callable[[str, int, int], None]
"""Told what is done, up to which position, and the last one."""


class Manifest(BaseModel, frozen=True, extra="forbid"):
    """What a file holds, beside it: positions, how many, the hash of the event before and of the last, hexadecimal."""

    first: int
    last: int
    events: int
    before: str
    hash: str


def manifest_of(path: Path) -> Path:
    """Where the manifest of a file is."""
    return path.with_suffix(".json")


def archive(
    store: EventStore, folder: Path, until: int, *, progress: Progress = lambda _doing, _at, _of: None
) -> list[Path]:
    """Write each full partition up to a position to a file, prove it, and drop the partition; the files.

    A partition is dropped and noted in one transaction, after its file was read back; interrupted, the same call goes
    on. Raises `Unavailable` when somebody still has to read it, when the connection is not the owner's, `Transient`
    when the log is not let go of for long enough.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with store.database.statement() as db:
        partitions = full_partitions(db, until)
        if partitions:
            _refuse_unread(db, partitions[-1][1])
    files = [(folder.absolute() / f"events-{first}-{last}.parquet", first, last) for first, last in partitions]
    return [_archive(store, file, first, last, progress) for file, first, last in files]


def restore(store: EventStore, path: Path, *, progress: Progress = lambda _doing, _at, _of: None) -> Manifest:
    """Put an archived part back into the log, after the file, its manifest and both neighbours were compared."""
    manifest = _manifest(path)
    with _owner(store) as db:
        noted = {one.first: one for one in archives(db)}.get(manifest.first)
        if noted is None or (noted.last, noted.before.hex(), noted.hash.hex()) != (
            manifest.last,
            manifest.before,
            manifest.hash,
        ):
            raise Invalid(str(path), "is no part of this log that is archived: `meals events verify` lists those")
        _prove(db, path, manifest, progress)
        with _exchanging(), db.transaction():
            bring_back(db, manifest.first, manifest.last)
    return manifest


def bring_all_back(store: EventStore, *, progress: Progress = lambda _doing, _at, _of: None) -> list[Path]:
    """Restore every archived part, for who has to read all of the log: the files, for `put_all_away` afterwards.

    Killed in between, it is as if they had been restored one by one.
    """
    with store.database.statement() as db:
        files = [Path(one.file) for one in archives(db)]
    for file in files:
        restore(store, file, progress=progress)
    return files


def put_all_away(
    store: EventStore, files: Sequence[Path], *, progress: Progress = lambda _doing, _at, _of: None
) -> None:
    """Archive in these files again what came from them. Raises as `archive` does."""
    for file in files:
        manifest = _manifest(file)
        with store.database.statement() as db:
            _refuse_unread(db, manifest.last)
        _archive(store, file, manifest.first, manifest.last, progress)


def prove(store: EventStore, path: Path, *, progress: Progress = lambda _doing, _at, _of: None) -> None:
    """Raises `Invalid` or `Permanent` when the file is not the part of the log that was archived in it."""
    with store.database.dedicated() as db:
        for one in archives(db):
            if Path(one.file) == path:
                events = one.last - one.first + 1
                told = Manifest(
                    first=one.first, last=one.last, events=events, before=one.before.hex(), hash=one.hash.hex()
                )
                _prove(db, path, told, progress)
                return
    raise Invalid(str(path), "is no part of this log that is archived")


def _manifest(path: Path) -> Manifest:
    try:
        return Manifest.model_validate_json(manifest_of(path).read_bytes())
    except (OSError, ValidationError) as error:
        raise Invalid(str(manifest_of(path)), f"is not the manifest of {path.name}: {error}") from error


def _archive(store: EventStore, path: Path, first: int, last: int, progress: Progress) -> Path:
    if not path.exists():
        export(
            store, path, after=first - 1, until=last, progress=lambda at, of: progress(f"Writing {path.name}", at, of)
        )
    with _owner(store) as db:
        before, link = link_before(db, first), link_before(db, last + 1)
        manifest = Manifest(first=first, last=last, events=last - first + 1, before=before.hex(), hash=link.hex())
        _write_durably(manifest_of(path), manifest.model_dump_json(indent=2))
        _prove(db, path, manifest, progress)
        with _exchanging(), db.transaction():
            put_away(db, first, last, before=before, link=link, file=str(path))
    return path


ENDS = "SELECT count(*), min(position), max(position) FROM arriving"
LINKS = f"""
    SELECT (SELECT log.link(%s, {ROW}) = hash FROM arriving WHERE position = %s),
           (SELECT hash = %s FROM arriving WHERE position = %s),
           coalesce((SELECT before = %s FROM log.archives WHERE first = %s),
                    (SELECT log.link(%s, e) = hash FROM log.events e WHERE position = %s))
"""  # noqa: S608 - SQL made of our own constants


def _prove(db: Connection, path: Path, manifest: Manifest, progress: Progress) -> None:
    """Leaves the file's events in the table `arriving`, each proven to follow from the one before."""
    stage(db, lines_of(path), lambda n: progress(f"Proving {path.name}", n, manifest.events))
    first, last, before, link = manifest.first, manifest.last, bytes.fromhex(manifest.before), manifest.hash
    if not is_chain(db) or fetch_row(db, ENDS) != (manifest.events, first, last):
        raise Permanent(f"{path} does not hold positions {first:,} to {last:,}. {REMOVE}")
    told = bytes.fromhex(link)
    linked = fetch_row(db, LINKS, (before, first, told, last, told, last + 1, told, last + 1))
    if linked != (True, True, True) or link_before(db, first) != before:
        raise Permanent(f"{path} does not follow from position {first - 1:,}, or {last + 1:,} not from it. {REMOVE}")


REMOVE = "Nothing was changed in the log: find a good copy; where the events are still in the log, remove the file."


def _refuse_unread(db: Connection, last: int) -> None:
    stands = {name: at.position for name, at in checkpoints(db).items()}
    readers = {name: s.listens_to for name, s in (READ_MODELS | CONSUMERS).items()}
    wanted = [(name, stands.get(name, 0), [t.type_name for t in types]) for name, types in readers.items()]
    for name, position, types in wanted:
        row = db.execute(
            "SELECT min(position) FROM log.events WHERE position > %s AND position <= %s AND type = ANY(%s)",
            (position, last, types),
        ).fetchone()
        if row and row[0] is not None:
            raise Unavailable(f"{name} has not taken in position {row[0]:,} yet: let it catch up (`meals up`) before")
    for name, position in stands.items():
        if name.startswith(RELAY) and position < last:
            raise Unavailable(
                f"{name} stands at {position:,}: let it go on to {last:,} before; or, if nobody needs it any more,"
                f" `meals events relay --forget --name '{name.removeprefix(RELAY)}'`"
            )
    letter = db.execute("SELECT consumer, position FROM log.set_aside WHERE position <= %s LIMIT 1", (last,)).fetchone()
    if letter:
        raise Unavailable(f"{letter[0]} has a dead letter at position {letter[1]:,}: decide about it before")


@contextmanager
def _owner(store: EventStore) -> Iterator[Connection]:
    """A connection as the user of the URL, who owns the log where the application's role may only append to it."""
    with store.database.dedicated() as db:
        db.execute("RESET ROLE")
        (owns,) = fetch_row(
            db, "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'log.events'::regclass"
        )
        if not owns:
            raise Unavailable("only the owner of the log archives and restores: use the URL that migrates the database")
        yield db


@contextmanager
def _exchanging() -> Iterator[None]:
    try:
        yield
    except psycopg.errors.LockNotAvailable as error:
        raise Transient(
            "somebody reads the log in one long transaction, a rebuild perhaps: nothing was changed, call this again"
            " when that is done"
        ) from error


def _write_durably(path: Path, text: str) -> None:
    writing = path.with_name(f"{path.name}.writing")
    with writing.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    replace_durably(writing, path)
