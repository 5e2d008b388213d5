"""How a read model follows the log: batch, rows and checkpoint in one transaction, until nothing is left."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import psycopg
from psycopg.errors import LockNotAvailable

from meal_assets.contracts.system import READ_MODEL_FLAG
from meal_assets.errors import Unavailable
from meal_assets.event_store import Connection, EventStore
from meal_assets.event_store.batch import Batch
from meal_assets.event_store.checkpoints import lock_checkpoint, move_checkpoint, note_done
from meal_assets.event_store.folds import LOCK_SECONDS, Next, next_batch
from meal_assets.event_store.heartbeats import note_stop

from .folding import BATCH, Busy, fold_live
from .model import ReadModel
from .rebuilding import rebuild, undo_rebuild
from .tables import LIVE, create_tables


class Stopped(Exception):
    """Whoever asked for it wants no further batch."""


@dataclass(frozen=True, slots=True)
class Folded:
    """Where a model stands after catching up, and from how many batches and events; a paused one stays where it is.

    `busy`: another process is at it and is left to it; `position` is then the last one known here, or None.
    """

    position: int | None
    batches: int
    busy: bool = False
    events: int = 0


def catch_up(
    model: ReadModel, store: EventStore, *, batch: int = BATCH, stop: Callable[[], bool] = lambda: False
) -> Folded:
    """Fold until nothing is left, or until `stop` says so after a batch.

    A model whose version is another than before is rebuilt, and its old rows serve until then; one that goes back to
    the version before takes up the rows that were kept of it.

    What kept it from the head is raised, and noted for `meals status`.
    """
    done = Folded(None, 0)
    try:
        while True:
            done, left = _fold_next(model, store, batch, done, stop)
            if not left or stop():
                return done
    except Busy:
        return replace(done, busy=True)
    except Stopped:
        return done
    except Exception as error:
        _note_stop(model, store, error)
        raise


def _fold_next(
    model: ReadModel, store: EventStore, size: int, done: Folded, stop: Callable[[], bool]
) -> tuple[Folded, bool]:
    """What came of one batch more, and whether there may be another."""
    with store.database.transaction() as db:
        try:
            at = _next(db, model, size) or _begin(db, model, size)
        except LockNotAvailable as error:
            raise Busy(f"another process has {model.name}") from error
        if at.paused:
            return replace(done, position=at.position), False
        if at.version == model.version:
            fold_live(db, model, at)
    if at.version != model.version:
        with suppress(Unavailable):  # nothing is kept of this version
            return replace(done, position=undo_rebuild(model, store, patience=LOCK_SECONDS)), True
        built = rebuild(model, store, batch=size, patience=LOCK_SECONDS, progress=lambda _: _go_on(stop))
        return Folded(built.position, built.batches, events=built.events), False
    if at.upto is None:
        return replace(done, position=at.position), False
    return Folded(at.upto, done.batches + 1, events=done.events + at.count), at.count == size


def _go_on(stop: Callable[[], bool]) -> None:
    if stop():
        raise Stopped


def _begin(db: Connection, model: ReadModel, size: int) -> Next:
    """The first time: make the tables. Several processes may be at it; one does it."""
    db.execute("SELECT set_config('lock_timeout', %s, true)", (f"{LOCK_SECONDS}s",))
    db.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (model.name,))
    if lock_checkpoint(db, model.name) is None:
        create_tables(db, model, LIVE)
        move_checkpoint(db, model.name, 0, model.version)
        note_done(db, Batch(db, model.listens_to, 0, 0), subscriber=model.name, version=model.version, seconds=0)
    at = _next(db, model, size)
    assert at is not None
    return at


def _next(db: Connection, model: ReadModel, size: int) -> Next | None:
    flag = READ_MODEL_FLAG + model.name
    return next_batch(db, model.name, model.listens_to, size, LIVE, flag, list(model.tables))


def _note_stop(model: ReadModel, store: EventStore, error: Exception) -> None:
    """The caller has the error; that it cannot be noted either is said with it."""
    try:
        with store.database.statement() as db:
            note_stop(db, model.name, error)
    except psycopg.Error as second:
        error.add_note(f"why {model.name} stopped could not be noted: {second}")
