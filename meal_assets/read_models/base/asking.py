"""Asking read models: rows of one moment, and the position they stand at."""

from collections.abc import Iterator
from contextlib import contextmanager

from meal_assets.event_store import Connection, EventStore
from meal_assets.event_store.database import fetch_row

from .model import ReadModel

ALL_IN = """
    SELECT least(head.position, min(next.position) - 1) FROM log.head() AS head
    CROSS JOIN unnest(%s::text[], %s::text[]) AS listens (name, type)
    LEFT JOIN log.checkpoints ON subscriber = name
    LEFT JOIN LATERAL (SELECT e.position FROM log.events e WHERE e.type = listens.type
                       AND e.position > coalesce(checkpoints.position, 0) ORDER BY e.position LIMIT 1) AS next ON true
    GROUP BY head.position
"""


@contextmanager
def asking(store: EventStore, *models: type[ReadModel]) -> Iterator[tuple[Connection, int]]:
    """A transaction in which all rows are of one moment, and the position up to which all is in the models' rows.

    An answer carries it, so that whoever asked can tell what is not in yet; `wait_until` waits for more.
    """
    listens = [(model.name, event.type_name) for model in models for event in model.listens_to]
    with store.database.transaction() as db:
        db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        (position,) = fetch_row(db, ALL_IN, [list(column) for column in zip(*listens, strict=True)])
        yield db, int(position)
