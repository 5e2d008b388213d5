"""One batch of a fold: rows, checkpoint and outbox row, in the caller's transaction."""

import time
from collections.abc import Sequence

from psycopg import sql

from meal_assets.contracts.system import PersonForgotten
from meal_assets.errors import Transient
from meal_assets.event_store import Connection, EventStore
from meal_assets.event_store.archives import refuse_archived
from meal_assets.event_store.batch import Batch
from meal_assets.event_store.checkpoints import lock_checkpoint, move_checkpoint
from meal_assets.event_store.folds import Next, finish_batch, next_batch

from .forgetting import fold_batch, remove_forgotten
from .model import ReadModel
from .tables import FORMER, LIVE, SHADOW, use_schema

BATCH = 10_000
"""Events folded in one transaction, at most."""


class Busy(Transient):
    """Another process folds or rebuilds the model, and has done so for longer than one waits for it."""


def fold_live(db: Connection, model: ReadModel, at: Next) -> None:
    """Fold what `next_batch` found into the live tables, with checkpoint and outbox row."""
    if at.upto is None:
        return
    began = time.perf_counter()
    _fold(db, model, at, at.upto)
    if PersonForgotten.type_name in at.types and (former := lock_checkpoint(db, former_of(model))):
        remove_forgotten(db, model, max(at.position, former.position), at.upto, FORMER)
    finish_batch(
        db,
        at,
        at.upto,
        subscriber=model.name,
        version=model.version,
        seconds=time.perf_counter() - began,
        tables=[f"{LIVE}.{t}" for t in model.tables],
        day_field=model.partitioned_by,
    )


def fold_shadow(db: Connection, model: ReadModel, size: int) -> Next:
    """Fold the next `size` events into the shadow tables, with their checkpoint; what there was to fold."""
    db.execute("SET LOCAL synchronous_commit = off")  # rows and checkpoint are lost together, and folded again
    at = next_batch(db, shadow_of(model), model.listens_to, size, SHADOW)
    assert at is not None, "a rebuild begins with a checkpoint of its own"
    if at.upto is not None:
        _fold(db, model, at, at.upto)
        move_checkpoint(db, shadow_of(model), at.upto, model.version)
    return at


def shadow_of(model: ReadModel) -> str:
    """The subscriber that a rebuild is."""
    return f"{model.name}@{SHADOW}"


def former_of(model: ReadModel) -> str:
    """The name under which is known where the tables stand that a rebuild replaced."""
    return f"{model.name}@{FORMER}"


def refold_days(model: ReadModel, store: EventStore, days: Sequence[str]) -> None:
    """Sum up the rows of these days anew, from their own events as far as the model has come."""
    if model.partitioned_by is None:
        raise ValueError(f"{model.name} has no daily partitions")
    with store.database.transaction() as db:
        at = lock_checkpoint(db, model.name)
        if at is None or not days:
            return
        use_schema(db, LIVE)
        for table in model.tables:
            where = sql.SQL("DELETE FROM {} WHERE {} = ANY(%s::date[])")
            db.execute(where.format(sql.Identifier(table), sql.Identifier(model.partitioned_by)), (list(days),))
        only = (model.partitioned_by, tuple(days))
        Batch(db, model.listens_to, 0, at.position, only).refuse_unknown()
        fold_batch(db, model, 0, at.position, only)
        refuse_archived(db, 0, at.position, [t.type_name for t in model.listens_to], days)


def _fold(db: Connection, model: ReadModel, at: Next, upto: int) -> None:
    if at.unknown:
        Batch(db, model.listens_to, at.position, upto).refuse_unknown()
    if PersonForgotten.type_name in at.types:
        fold_batch(db, model, at.position, upto)
    else:
        model.fold(Batch(db, model.listens_to, at.position, upto, set_bounds=at.few))
