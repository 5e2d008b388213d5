"""Which events a consumer has set aside and still owes: what the dead letters in its log mean for its next step."""

from dataclasses import dataclass

from meal_assets.event_store import Connection, EventStore


@dataclass(frozen=True, slots=True)
class Letter:
    """`waiting`: it did not fail, but stands behind one of its stream that did."""

    position: int
    waiting: bool


def keep_letter(db: Connection, consumer: str, position: int, stream: str, *, waiting: bool) -> None:
    db.execute(
        "INSERT INTO log.set_aside VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (consumer, position) DO UPDATE SET waiting = excluded.waiting",
        (consumer, position, stream, waiting),
    )


def drop_letter(db: Connection, consumer: str, position: int) -> None:
    db.execute("DELETE FROM log.set_aside WHERE consumer = %s AND position = %s", (consumer, position))


def letter_at(store: EventStore, consumer: str, position: int) -> Letter | None:
    query = "SELECT position, waiting FROM log.set_aside WHERE consumer = %s AND position = %s"
    with store.database.transaction() as db:
        row = db.execute(query, (consumer, position)).fetchone()
    return None if row is None else Letter(*row)


def first_letter(store: EventStore, consumer: str, stream: str) -> Letter | None:
    """The one that the others of the stream are behind."""
    query = "SELECT position, waiting FROM log.set_aside WHERE consumer = %s AND stream = %s ORDER BY position LIMIT 1"
    with store.database.transaction() as db:
        row = db.execute(query, (consumer, stream)).fetchone()
    return None if row is None else Letter(*row)


def held_streams(store: EventStore, consumer: str) -> set[str]:
    """The streams that have a letter."""
    with store.database.transaction() as db:
        rows = db.execute("SELECT DISTINCT stream FROM log.set_aside WHERE consumer = %s", (consumer,))
        return {str(stream) for (stream,) in rows}
