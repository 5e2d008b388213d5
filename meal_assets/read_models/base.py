"""How a read model follows the log: batch, rows and checkpoint in one transaction, and rebuilt beside itself."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from psycopg import sql

from meal_assets.contracts import Event
from meal_assets.discovery import snake
from meal_assets.event_store import Connection, EventStore, Recorded
from meal_assets.event_store.batch import Batch
from meal_assets.event_store.checkpoints import (
    drop_checkpoint,
    end_of_batch,
    lock_checkpoint,
    move_checkpoint,
    note_done,
)

BATCH = 10_000
"""Events folded in one transaction, at most."""
LIVE, SHADOW = "read", "shadow"


class ReadModel:
    """Subclass with a docstring, `listens_to`, `tables` and `fold` (a batch at once) or `apply` (event by event).

    SQL names its tables without a schema: the same fold serves the live model and a rebuild in the shadow.
    Whatever is used, one by one, in batches of any size and rebuilt from zero must give the same rows.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    """Raise it when the fold or a table changes: the model is then rebuilt by itself."""
    listens_to: ClassVar[tuple[type[Event], ...]]
    tables: ClassVar[Mapping[str, str]]
    """Table name (the model's name, or beginning with it) -> its columns, as in CREATE TABLE."""
    shows: ClassVar[str]
    """A SELECT whose first rows serve as a preview."""
    partitioned_by: ClassVar[str | None] = None
    """The event field (a date) that is the day of a row, where the model has daily partitions."""

    def __init_subclass__(cls) -> None:
        cls.name = snake(cls.__name__)

    def fold(self, batch: Batch) -> None:
        """Bring the tables from `batch.after` to `batch.upto`."""
        for recorded in batch.events:
            self.apply(batch.db, recorded)

    def apply(self, db: Connection, recorded: Recorded) -> None:
        """One event."""
        raise NotImplementedError(f"{type(self).__name__} has neither fold nor apply")


@dataclass(frozen=True, slots=True)
class Folded:
    """Where a model stands after catching up, and from how many batches."""

    position: int
    batches: int


def catch_up(model: ReadModel, store: EventStore, *, batch: int = BATCH) -> Folded:
    """Fold until nothing is left. A model whose version is new is rebuilt; its old rows serve until then."""
    batches = 0
    while True:
        with store.database.transaction() as db:
            at = lock_checkpoint(db, model.name)
            if at is None:
                db.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (model.name,))
                at = lock_checkpoint(db, model.name)
            if at is None:
                _create_tables(db, model, LIVE)
                move_checkpoint(db, model.name, 0, model.version)
                note_done(
                    db, Batch(db, model.listens_to, 0, 0), subscriber=model.name, version=model.version, seconds=0
                )
                position: int | None = 0
            elif at.version != model.version:
                position = None
            else:
                position = at.position
            if position is not None:
                upto = _fold_batch(db, model, position, batch, schema=LIVE, subscriber=model.name)
        if position is None:
            return rebuild(model, store, batch=batch)
        if upto is None:
            return Folded(position, batches)
        batches += 1


def rebuild(
    model: ReadModel, store: EventStore, *, batch: int = BATCH, progress: Callable[[int], None] | None = None
) -> Folded:
    """Fold the whole log into shadow tables, then put them in the place of the live ones in one transaction.

    Readers see the old rows until then. `progress` is told the position reached. Interrupted, it goes on where it was.
    """
    subscriber = f"{model.name}@{SHADOW}"
    with store.database.dedicated() as connection:
        connection.execute("SELECT pg_advisory_lock(hashtext(%s))", (subscriber,))
        with store.database.transaction() as db:
            at = lock_checkpoint(db, subscriber)
            if at is None or at.version != model.version:
                _create_tables(db, model, SHADOW)
                move_checkpoint(db, subscriber, 0, model.version)
                position = 0
            else:
                position = at.position
        batches = 0
        while True:
            with store.database.transaction() as db:
                upto = _fold_batch(db, model, position, batch, schema=SHADOW, subscriber=subscriber)
            if upto is None:
                break
            position, batches = upto, batches + 1
            if progress:
                progress(position)
        with store.database.transaction() as db:
            db.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (model.name,))
            lock_checkpoint(db, model.name)
            while (upto := _fold_batch(db, model, position, batch, schema=SHADOW, subscriber=subscriber)) is not None:
                position, batches = upto, batches + 1
            _swap(db, model)
            drop_checkpoint(db, subscriber)
            move_checkpoint(db, model.name, position, model.version)
            if position:
                note_done(
                    db,
                    Batch(db, model.listens_to, 0, position),
                    subscriber=model.name,
                    version=model.version,
                    seconds=0,
                )
    return Folded(position, batches)


def refold_days(model: ReadModel, store: EventStore, days: Sequence[str]) -> None:
    """Sum up the rows of these days anew, from their own events as far as the model has come."""
    if model.partitioned_by is None:
        raise ValueError(f"{model.name} has no daily partitions")
    with store.database.transaction() as db:
        at = lock_checkpoint(db, model.name)
        if at is None or not days:
            return
        _use_schema(db, LIVE)
        for table in model.tables:
            where = sql.SQL("DELETE FROM {} WHERE {} = ANY(%s::date[])")
            db.execute(where.format(sql.Identifier(table), sql.Identifier(model.partitioned_by)), (list(days),))
        model.fold(Batch(db, model.listens_to, 0, at.position, only=(model.partitioned_by, tuple(days))))


def _fold_batch(
    db: Connection, model: ReadModel, position: int, size: int, *, schema: str, subscriber: str
) -> int | None:
    """Fold the next batch after `position`; the position reached, None when there was nothing."""
    upto = end_of_batch(db, model.listens_to, position, size)
    if upto is None:
        return None
    began = time.perf_counter()
    _use_schema(db, schema)
    batch = Batch(db, model.listens_to, position, upto)
    types = batch.types()
    model.fold(batch)
    move_checkpoint(db, subscriber, upto, model.version)
    if schema == LIVE:
        note_done(
            db,
            batch,
            subscriber=model.name,
            version=model.version,
            seconds=time.perf_counter() - began,
            types=types,
            partitions=_partitions(batch, model),
        )
    return upto


def _partitions(batch: Batch, model: ReadModel) -> list[str]:
    if model.partitioned_by is None:
        return []
    query = (
        "SELECT DISTINCT payload->>%s AS day FROM log.events"
        " WHERE position > %s AND position <= %s AND type = ANY(%s) ORDER BY day"
    )
    names = [t.type_name for t in model.listens_to]
    return [str(d) for (d,) in batch.db.execute(query, (model.partitioned_by, batch.after, batch.upto, names))]


def _use_schema(db: Connection, schema: str) -> None:
    db.execute("SELECT set_config('search_path', %s, true)", (f"{schema}, pg_temp",))


def _create_tables(db: Connection, model: ReadModel, schema: str) -> None:
    for table, columns in model.tables.items():
        if not table.startswith(model.name):
            raise ValueError(f"table {table} of {model.name} must begin with the model's name")
        target = sql.Identifier(schema, table)
        db.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(target))
        db.execute(sql.SQL("CREATE TABLE {} ({})").format(target, sql.SQL(columns)))


def _swap(db: Connection, model: ReadModel) -> None:
    for table in model.tables:
        db.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(LIVE, table)))
        db.execute(sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(sql.Identifier(SHADOW, table), sql.Identifier(LIVE)))
