"""Where each subscriber stands, and the outbox of what it did, written in the subscriber's own transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from meal_assets.contracts import Event

from .batch import Batch
from .database import Connection
from .witnesses import link_at, note_link

MAX_CORRELATIONS = 20
"""An outbox row names at most this many commands, the last ones."""
LOOKED_AT = 10_000
"""Positions back from the end of a batch, in which these are looked for."""
RELAY = "relay/"
"""What the name of a subscriber that is a relay begins with."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a subscriber stands; `moved_at` where that was asked for, too."""

    position: int
    version: int
    moved_at: datetime | None = field(default=None, compare=False)


def lock_checkpoint(db: Connection, subscriber: str) -> Checkpoint | None:
    """Where the subscriber stands, and nobody else moves it until this transaction ends; None at the very start."""
    row = db.execute(
        "SELECT position, version FROM log.checkpoints WHERE subscriber = %s FOR UPDATE", (subscriber,)
    ).fetchone()
    return None if row is None else Checkpoint(*row)


MOVE = (
    "INSERT INTO log.checkpoints (subscriber, position, version) VALUES (%(subscriber)s, %(to)s, %(version)s)"
    " ON CONFLICT (subscriber) DO UPDATE"
    " SET position = excluded.position, version = excluded.version, updated_at = clock_timestamp()"
)


def move_checkpoint(db: Connection, subscriber: str, position: int, version: int) -> None:
    db.execute(MOVE, {"subscriber": subscriber, "to": position, "version": version})


def drop_checkpoint(db: Connection, subscriber: str) -> None:
    db.execute("DELETE FROM log.checkpoints WHERE subscriber = %s", (subscriber,))


def end_of_batch(db: Connection, listens_to: Sequence[type[Event]], after: int, limit: int) -> int | None:
    """The position of the `limit`-th next event of these types, or of the last there is; None when there is none."""
    row = db.execute(
        "SELECT max(position) FROM (SELECT position FROM log.events WHERE position > %s AND type = ANY(%s)"
        " ORDER BY position LIMIT %s) AS next",
        (after, [t.type_name for t in listens_to], limit),
    ).fetchone()
    return row[0] if row else None


def checkpoints(db: Connection) -> dict[str, Checkpoint]:
    """Subscriber -> where it stands."""
    rows = db.execute("SELECT subscriber, position, version, updated_at FROM log.checkpoints ORDER BY subscriber")
    return {str(name): Checkpoint(*stands) for name, *stands in rows}


HEADS = """
    SELECT t.type, e.position FROM unnest(%s::text[]) AS t (type) CROSS JOIN LATERAL
    (SELECT type, position FROM log.events e WHERE (e.type, e.position) <= (t.type, 9223372036854775807)
     ORDER BY e.type DESC, e.position DESC LIMIT 1) AS e WHERE e.type = t.type AND e.position > %s
"""
"""The last entry of the index by type, up to the type's own. Asked for the last position of a type, PostgreSQL looks
for it from the end of the log: for a type that there never was, through all of it."""


def heads(db: Connection, listens_to: Sequence[type[Event]], after: int = 0) -> dict[str, int]:
    """Type name -> its highest position above `after`; types without one are left out."""
    rows = db.execute(HEADS, ([t.type_name for t in listens_to], after))
    return {str(name): int(position) for name, position in rows}


@dataclass(frozen=True, slots=True)
class Done:
    """One outbox row, or several put together: what a subscriber took in, and what that made it say.

    `rows`: what that did to the tables of a read model, as {"inserted", "updated", "deleted"}.
    """

    ids: tuple[int, ...]
    subscriber: str
    version: int
    after: int
    to: int
    chain_head: bytes
    types: dict[str, int]
    said: dict[str, int]
    correlation_ids: tuple[UUID, ...]
    partitions: tuple[str, ...]
    seconds: float
    rows: dict[str, int]


def nothing_done(db: Connection, subscriber: str, version: int, position: int) -> Done:
    """What there is to say of a subscriber that nothing concerned."""
    chain_head = link_at(db, position) or b""
    return Done((), subscriber, version, position, position, chain_head, {}, {}, (), (), 0.0, {})


NOTE = """
    INSERT INTO log.outbox (subscriber, version, after_position, to_position, chain_head, types,
                            correlation_ids, partitions, seconds, said, rows)
    SELECT %(subscriber)s, %(version)s, %(after)s, %(to)s,
           coalesce((SELECT hash FROM log.events WHERE position = %(to)s), ''), %(types)s,
           ARRAY(SELECT correlation_id FROM log.events
                 WHERE position > greatest(%(after)s, %(to)s - %(looked_at)s) AND position <= %(to)s
                 AND type = ANY(%(names)s) GROUP BY correlation_id ORDER BY max(position) DESC LIMIT %(most)s),
           ARRAY(SELECT DISTINCT payload->>%(day_field)s AS day FROM log.events
                 WHERE payload->>%(day_field)s IS NOT NULL
                 AND position > %(after)s AND position <= %(to)s AND type = ANY(%(names)s) ORDER BY day),
           %(seconds)s, %(said)s, %(rows)s"""


def note_done(
    db: Connection,
    batch: Batch,
    *,
    subscriber: str,
    version: int,
    seconds: float,
    said: dict[str, int] | None = None,
    rows: dict[str, int] | None = None,
) -> None:
    """Write the outbox row of a batch."""
    types = batch.types()
    db.execute(NOTE, noted(subscriber, version, batch.after, batch.upto, seconds, types, said=said, rows=rows))


def noted(
    subscriber: str,
    version: int,
    after: int,
    to: int,
    seconds: float,
    types: dict[str, int],
    day_field: str | None = None,
    said: dict[str, int] | None = None,
    rows: dict[str, int] | None = None,
) -> dict[str, Any]:
    """The parameters of `NOTE`, and with that of `MOVE`."""
    return {
        "subscriber": subscriber,
        "version": version,
        "after": after,
        "to": to,
        "seconds": seconds,
        "types": Jsonb(types),
        "names": list(types),
        "most": MAX_CORRELATIONS,
        "looked_at": LOOKED_AT,
        "day_field": day_field,
        "said": Jsonb(said or {}),
        "rows": Jsonb(rows or {}),
    }


def take_unreported(db: Connection, subscriber: str | None = None) -> list[Done]:
    """What was done and not yet shown, one `Done` a subscriber; locked until this transaction ends."""
    rows: list[tuple[Any, ...]] = db.execute(
        "SELECT id, subscriber, version, after_position, to_position, chain_head, types, said,"
        " correlation_ids, partitions, seconds, rows FROM log.outbox"
        " WHERE reported_at IS NULL AND subscriber = coalesce(%s, subscriber) ORDER BY id FOR UPDATE SKIP LOCKED",
        (subscriber,),
    ).fetchall()
    done: dict[str, Done] = {}
    for id_, subscriber, version, after, to, chain_head, types, said, ids, partitions, seconds, touched in rows:
        one = Done(
            (id_,), subscriber, version, after, to, chain_head, types, said,
            tuple(ids), tuple(partitions), seconds, touched,
        )  # fmt: skip
        done[subscriber] = _together(done[subscriber], one) if subscriber in done else one
    return list(done.values())


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What of some events a subscriber took in at once: the positions, in which batch, and when Dagster was told."""

    subscriber: str
    positions: tuple[int, ...]
    after: int
    to: int
    folded_at: datetime
    reported_at: datetime | None


TAKEN_IN = """
    SELECT o.subscriber, array_agg(e.position ORDER BY e.position), o.after_position, o.to_position, o.folded_at,
           o.reported_at
    FROM unnest(%s::bigint[]) AS wanted JOIN log.events e ON e.position = wanted
    JOIN log.outbox o ON o.to_position >= e.position AND o.after_position < e.position AND o.types ? e.type
    GROUP BY o.id ORDER BY o.folded_at, o.id LIMIT %s
"""


def taken_in(db: Connection, positions: Sequence[int], limit: int) -> list[TakenIn]:
    """Which batches of whom took in the events at these positions, the oldest first; as long as the outbox is kept.

    A rebuild takes in everything, and is in no batch.
    """
    rows = db.execute(TAKEN_IN, (list(positions), limit)).fetchall()
    return [TakenIn(who, tuple(at), *rest) for who, at, *rest in rows]


def mark_reported(db: Connection, done: Done) -> None:
    """It was shown; what it says of the chain is kept longer than it is."""
    if done.chain_head:
        note_link(db, done.to, done.chain_head)
    db.execute("UPDATE log.outbox SET reported_at = clock_timestamp() WHERE id = ANY(%s)", (list(done.ids),))


def _together(a: Done, b: Done) -> Done:
    return Done(
        a.ids + b.ids,
        b.subscriber,
        b.version,
        min(a.after, b.after),
        max(a.to, b.to),
        b.chain_head if b.to >= a.to else a.chain_head,
        _sum(a.types, b.types),
        _sum(a.said, b.said),
        tuple(dict.fromkeys(b.correlation_ids + a.correlation_ids))[:MAX_CORRELATIONS],
        tuple(sorted({*a.partitions, *b.partitions})),
        a.seconds + b.seconds,
        _sum(a.rows, b.rows),
    )


def _sum(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    return {k: a.get(k, 0) + b.get(k, 0) for k in sorted({*a, *b})}
