"""Walking the chain: is every event the one that was appended, in its place, and none missing?"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed

from .database import Database, fetch_row

STRETCH = 50_000
"""Positions checked by one query. Each begins with its predecessor's hash, so they do not wait for each other."""
WORKERS = 2

CHECK = """
    SELECT min(position) FILTER (WHERE hash <> expected OR position <> before + 1), count(*) FROM (
        SELECT position, hash, lag(position, 1, %(after)s::bigint) OVER w AS before,
               log.link(lag(hash, 1, %(seed)s::bytea) OVER w, e) AS expected
        FROM log.events AS e WHERE position > %(after)s AND position <= %(upto)s WINDOW w AS (ORDER BY position)
    ) AS linked
"""


def first_broken_link(database: Database, progress: Callable[[int, int], None] | None = None) -> int | None:
    """The first position that does not follow from its predecessor; None when the chain is whole up to the head.

    `progress` is told how many positions of how many are checked.
    """
    with database.transaction() as db:
        (head,) = fetch_row(db, "SELECT position FROM log.head()")
    checked, broken = 0, list[int]()
    with ThreadPoolExecutor(WORKERS) as workers:
        stretches = [workers.submit(_check, database, after, head) for after in range(0, head, STRETCH)]
        for stretch in as_completed(stretches):
            bad, count = stretch.result()
            checked += count
            broken += [] if bad is None else [bad]
            if progress:
                progress(checked, head)
    return min(broken, default=None)


def _check(database: Database, after: int, head: int) -> tuple[int | None, int]:
    """The first bad position of a stretch, and how many it holds; a missing end is bad where it is missing."""
    upto = min(after + STRETCH, head)
    with database.transaction() as db:
        seed = db.execute("SELECT hash FROM log.events WHERE position = %s", (after,)).fetchone()
        bad, count = fetch_row(db, CHECK, {"after": after, "upto": upto, "seed": seed[0] if seed else b""})
    if bad is None and count < upto - after:
        bad = after + count + 1
    return bad, count
