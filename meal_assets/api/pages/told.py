"""Events of the household, as the visitor may see them."""

from psycopg import sql

from meal_assets.event_store import Connection, Recorded
from meal_assets.event_store.store import COLUMNS, recorded

from .visitor import Visitor

MOST = 2_000
"""Newest events of a stream that a page looks at."""


def stream_of(visitor: Visitor, db: Connection, stream: str, most: int = MOST) -> list[Recorded]:
    """The newest events of a stream of the household (`plan/2026-11-23`), in order; what is archived is not in."""
    query = sql.SQL("SELECT {} FROM log.events WHERE stream = %s ORDER BY stream_version DESC LIMIT %s")
    rows = db.execute(query.format(sql.SQL(COLUMNS)), (f"{visitor.household}/{stream}", most)).fetchall()
    return visitor.store.personal.opened(db, [recorded(row) for row in reversed(rows)])
