"""Walking the chain: is every event the one that was appended, in its place, and none missing?"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed

from .archives import archives, first_false_archive, link_before
from .database import Connection, Database, fetch_row

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

    What is archived is passed over: the chain goes on with the hash that was noted then. `progress` is told how many
    positions of how many are checked.
    """
    with database.transaction() as db:
        (head,) = fetch_row(db, "SELECT position FROM log.head()")
        (before,) = fetch_row(db, "SELECT min(position) FROM log.events WHERE position < 1")  # where the chain begins
        false, at_hand = first_false_archive(db), _at_hand(db, head)
    checked, broken = 0, [position for position in (before, false) if position is not None]
    with ThreadPoolExecutor(WORKERS) as workers:
        stretches = [workers.submit(_check, database, *stretch) for stretch in at_hand]
        for stretch in as_completed(stretches):
            bad, count = stretch.result()
            checked += count
            broken += [] if bad is None else [bad]
            if progress:
                progress(checked, sum(upto - after for after, upto in at_hand))
    return min(broken, default=None)


def _at_hand(db: Connection, head: int) -> list[tuple[int, int]]:
    """Stretches of what is not archived: after one position, up to another."""
    stretches, begins = list[tuple[int, int]](), 0
    for ends, goes_on in (*((one.first - 1, one.last) for one in archives(db)), (head, head)):
        stretches += [(after, min(after + STRETCH, ends)) for after in range(begins, ends, STRETCH)]
        begins = goes_on
    return stretches


def _check(database: Database, after: int, upto: int) -> tuple[int | None, int]:
    """The first bad position of a stretch, and how many it holds; a missing end is bad where it is missing."""
    with database.transaction() as db:
        seed = link_before(db, after + 1)
        bad, count = fetch_row(db, CHECK, {"after": after, "upto": upto, "seed": seed})
    if bad is None and count < upto - after:
        bad = after + count + 1
    return bad, count
