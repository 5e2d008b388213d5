"""A read model as it stood at a position: rebuilt from the log into temporary tables that nobody else sees."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from meal_assets.event_store import Connection, EventStore
from meal_assets.event_store.archives import refuse_archived
from meal_assets.event_store.batch import Batch
from meal_assets.event_store.database import fetch_row

from .folding import BATCH
from .forgetting import fold_batch
from .model import ReadModel
from .tables import use_schema

TEMPORARY = "pg_temp"


@contextmanager
def tables_as_of(model: ReadModel, store: EventStore, position: int) -> Iterator[Connection]:
    """A transaction in which the model's tables, named without a schema, are as they stood; then it is rolled back.

    Nothing of it is seen outside, and the live model goes on meanwhile. Raises `ArchivedEvents` when events that it was
    made of lie in a file.
    """
    with store.database.transaction() as db:
        use_schema(db, TEMPORARY)
        for table, columns in model.tables.items():
            db.execute(sql.SQL("CREATE TEMPORARY TABLE {} ({})").format(sql.Identifier(table), sql.SQL(columns)))
        Batch(db, model.listens_to, 0, position).refuse_unknown()
        for after in range(0, position, BATCH):
            batch = Batch(db, model.listens_to, after, min(after + BATCH, position))
            if batch.types():
                fold_batch(db, model, batch.after, batch.upto)
        refuse_archived(db, 0, position, [t.type_name for t in model.listens_to])
        yield db
        raise psycopg.Rollback


def as_of(model: ReadModel, store: EventStore, position: int) -> dict[str, list[tuple[Any, ...]]]:
    """Table -> all its rows as they stood when the log ended at `position`, in an order of their own."""
    with tables_as_of(model, store, position) as db:
        every = {}
        for table in model.tables:
            query = sql.SQL("SELECT * FROM {} AS t ORDER BY t").format(sql.Identifier(table))
            every[table] = db.execute(query).fetchall()
    return every


def position_at(store: EventStore, moment: datetime) -> int:
    """The last position recorded by that moment; 0 when nothing was. Raises ValueError for one without a time zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone: say which one is meant")
    with store.database.transaction() as db:
        (position,) = fetch_row(
            db,
            "SELECT coalesce((SELECT position FROM log.events WHERE recorded_at <= %s"
            " ORDER BY position DESC LIMIT 1), 0)",
            (moment,),
        )
        refuse_archived(db, position, position + 1)  # it may be one that lies in a file
    return int(position)
