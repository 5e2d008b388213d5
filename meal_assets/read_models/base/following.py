"""How a read model follows the log: batch, rows and checkpoint in one transaction, until nothing is left."""

from dataclasses import dataclass

import psycopg

from meal_assets.event_store import Connection, EventStore
from meal_assets.event_store.batch import Batch
from meal_assets.event_store.checkpoints import lock_checkpoint, move_checkpoint, note_done
from meal_assets.event_store.folds import Next, next_batch
from meal_assets.event_store.heartbeats import note_stop

from .folding import BATCH, fold_live
from .model import ReadModel
from .rebuilding import rebuild
from .tables import LIVE, create_tables


@dataclass(frozen=True, slots=True)
class Folded:
    """Where a model stands after catching up, and from how many batches."""

    position: int
    batches: int


def catch_up(model: ReadModel, store: EventStore, *, batch: int = BATCH) -> Folded:
    """Fold until nothing is left. A model whose version is new is rebuilt; its old rows serve until then.

    What kept it from the head is raised, and noted for `meals status`.
    """
    try:
        return _catch_up(model, store, batch)
    except Exception as error:
        _note_stop(model, store, error)
        raise


def _catch_up(model: ReadModel, store: EventStore, size: int) -> Folded:
    batches = 0
    while True:
        with store.database.transaction() as db:
            at = next_batch(db, model.name, model.listens_to, size, LIVE) or _begin(db, model, size)
            if at.version == model.version:
                fold_live(db, model, at)
        if at.version != model.version:
            done = rebuild(model, store, batch=size)
            return Folded(done.position, done.batches)
        if at.upto is None:
            return Folded(at.position, batches)
        batches += 1
        if at.count < size:
            return Folded(at.upto, batches)


def _begin(db: Connection, model: ReadModel, size: int) -> Next:
    """The first time: make the tables. Several processes may be at it; one does it."""
    db.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (model.name,))
    if lock_checkpoint(db, model.name) is None:
        create_tables(db, model, LIVE)
        move_checkpoint(db, model.name, 0, model.version)
        note_done(db, Batch(db, model.listens_to, 0, 0), subscriber=model.name, version=model.version, seconds=0)
    at = next_batch(db, model.name, model.listens_to, size, LIVE)
    assert at is not None
    return at


def _note_stop(model: ReadModel, store: EventStore, error: Exception) -> None:
    """The caller has the error; that it cannot be noted either is said with it."""
    try:
        with store.database.statement() as db:
            note_stop(db, model.name, error)
    except psycopg.Error as second:
        error.add_note(f"why {model.name} stopped could not be noted: {second}")
