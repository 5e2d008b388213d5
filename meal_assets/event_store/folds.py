"""One batch of a fold in few statements: the checkpoint locked, what is next, and what was done with it."""

from collections.abc import Sequence
from dataclasses import dataclass

from meal_assets.contracts import Event

from .archives import refuse_archived
from .batch import AFTER, UPTO
from .checkpoints import MOVE, NOTE, noted
from .database import Connection, fetch_row
from .heartbeats import GOES_ON
from .known import NOTED, unknown_since

FOLDED = "meals_fold"
"""The channel on which a fold that is committed is announced, as `subscriber:position`."""
FEW = 1_000
"""Over so many positions a batch is looked up by index and by plans that are kept, whatever the server thinks of it."""
LOCK_SECONDS = 5
"""A live fold waits no longer for a lock, be it on its checkpoint or on its tables."""
STATEMENT_SECONDS = 60
"""A statement of a live fold takes no longer. A rebuild, which compares whole tables, has no such bound."""


@dataclass(frozen=True, slots=True)
class Next:
    """Where a subscriber stands, and the next events it listens to; `upto` is None when there are none.

    `unknown`: one of them has a version newer than this program, or perhaps a field that it does not know. `touched`:
    what this connection had done to the subscriber's tables before, as the server counts it. `paused`: the
    subscriber's flag keeps it there.
    """

    position: int
    version: int
    upto: int | None
    types: dict[str, int]
    unknown: bool
    touched: list[int]
    paused: bool = False

    @property
    def few(self) -> bool:
        """Whether the transaction's settings are those of a small batch."""
        return self.upto is not None and self.upto - self.position <= FEW

    @property
    def count(self) -> int:
        return sum(self.types.values())


TOUCHED = """
    (SELECT ARRAY[coalesce(sum(pg_stat_get_xact_tuples_inserted(t)), 0),
                  coalesce(sum(pg_stat_get_xact_tuples_updated(t)), 0),
                  coalesce(sum(pg_stat_get_xact_tuples_deleted(t)), 0)]::bigint[]
     FROM unnest(%(tables)s::text[]) AS name CROSS JOIN to_regclass(name) AS t)
"""
"""Rows inserted, updated and deleted. The server counts them for the connection, and forgets them between two
transactions when it likes: only the difference between two looks of one transaction means something."""

BOUNDED, UNBOUNDED = (f"{LOCK_SECONDS}s", f"{STATEMENT_SECONDS}s"), (None, None)
# The columns are made before the row is locked, so the lock is waited for within its bound already.
STANDS = f"""
    SELECT position, version, {TOUCHED}, (SELECT payload->>'value' FROM log.events WHERE type = 'system.FlagSet'
                               AND payload->>'flag' = flag ORDER BY position DESC LIMIT 1),
           set_config('search_path', path, true), set_config('lock_timeout', lock, true),
           set_config('statement_timeout', statement, true)
    FROM log.checkpoints CROSS JOIN (VALUES (%(path)s::text, coalesce(%(lock)s, current_setting('lock_timeout')),
                                             coalesce(%(statement)s, current_setting('statement_timeout')),
                                             %(flag)s::text)) AS given (path, lock, statement, flag)
    WHERE subscriber = %(subscriber)s FOR UPDATE OF checkpoints
"""  # noqa: S608 - SQL made of our own constants
# A statement of its own: joined with the checkpoint, the planner does not know that few events are left.
# It also sets the bounds of the batch, and for a small one how it is planned: the server keeps a plan for whatever
# bounds there are, and may not think that many events lie between them.
INDEXED = {"plan_cache_mode": ("force_generic_plan", "auto")} | {
    f"enable_{way}": ("off", "on") for way in ("seqscan", "hashjoin", "mergejoin")
}
NEXT = f"""
    SELECT max(last), coalesce(jsonb_object_agg(type, n), '{{}}'), coalesce(jsonb_object_agg(type, newest), '{{}}'),
           {NOTED}, (SELECT bool_or(last > %(after)s AND gone ?| %(types)s) FROM log.archives),
           set_config('{AFTER}', %(after)s::text, true), set_config('{UPTO}', max(last)::text, true), {
    ", ".join(
        f"set_config('{name}', CASE WHEN max(last) <= %(after)s + {FEW} THEN '{few}' ELSE '{many}' END, true)"
        for name, (few, many) in INDEXED.items()
    )
}
    FROM (SELECT type, count(*) AS n, max(position) AS last, max(version) AS newest FROM
          (SELECT position, type, version FROM log.events WHERE position > %(after)s AND type = ANY(%(types)s)
           ORDER BY position LIMIT %(size)s) AS next GROUP BY type) AS by_type
"""  # noqa: S608 - SQL made of our own constants


def next_batch(
    db: Connection,
    subscriber: str,
    listens_to: Sequence[type[Event]],
    size: int,
    schema: str,
    flag: str | None = None,
    tables: Sequence[str] = (),
) -> Next | None:
    """Lock the checkpoint, use the tables of `schema`, and find the next `size` events; None without a checkpoint.

    With the `flag` that switches a live subscriber nothing is next while it says off, and the transaction is bounded;
    raises psycopg's `LockNotAvailable` when another one holds the checkpoint for longer. Raises `ArchivedEvents` when
    events that are next lie in a file.
    """
    lock, statement = BOUNDED if flag else UNBOUNDED
    given = {"subscriber": subscriber, "flag": flag, "tables": [f"{schema}.{t}" for t in tables]}
    bounds = {"path": f"{schema}, pg_temp", "lock": lock, "statement": statement}
    row = db.execute(STANDS, given | bounds).fetchone()
    if row is None:
        return None
    position, version, touched, mode, *_ = row
    if mode == "off":
        return Next(position, version, None, {}, unknown=False, touched=touched, paused=True)
    names = [t.type_name for t in listens_to]
    upto, types, newest, noted, archived, *_ = fetch_row(db, NEXT, {"after": position, "types": names, "size": size})
    if archived:
        refuse_archived(db, position, None, names)
    unknown = any(newest.get(t.type_name, 0) > t.version for t in listens_to)
    if upto is not None and (since := unknown_since(db, tuple(listens_to), noted)) is not None:
        unknown |= upto > since
    return Next(position, version, upto, dict(sorted(types.items())), unknown, touched)


CHANGED = """
    (SELECT jsonb_build_object('inserted', now[1] - old[1], 'updated', now[2] - old[2], 'deleted', now[3] - old[3])
     FROM touched CROSS JOIN (SELECT %(before)s::bigint[] AS old) AS before)
"""
FINISH = f"""
WITH touched AS (SELECT {TOUCHED} AS now),
moved AS ({MOVE}),
noted AS ({NOTE.replace("%(rows)s", CHANGED)}),
mended AS ({GOES_ON})
SELECT pg_notify('{FOLDED}', concat(%(subscriber)s::text, ':', %(to)s::bigint))
"""


def finish_batch(
    db: Connection,
    done: Next,
    upto: int,
    *,
    subscriber: str,
    version: int,
    seconds: float,
    tables: Sequence[str],
    day_field: str | None,
) -> None:
    """Move the checkpoint, write the outbox row, forget why the subscriber had stopped and announce it: one statement.

    With `day_field`, a field of the events, the days found there are the batch's partitions. `tables`, with their
    schema, are those whose changed rows are counted.
    """
    row = noted(subscriber, version, done.position, upto, seconds, done.types, day_field)
    db.execute(FINISH, row | {"tables": list(tables), "before": done.touched})
