"""Many events of many streams at once: copied beside the log, then placed and chained in one statement."""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice

from meal_assets.contracts import Event

from .database import Connection
from .group_commit import append_row
from .personal import Personal, Sealed
from .records import Appended, Origin, uuid7
from .store import EventStore, payload_of, translated

CHUNK = 20_000
"""Events of one transaction; other writers wait while it is committed."""
OBJECTS = 100_000
"""New objects after which Python looks for cycles among them: events are none, and looking took a third of the time."""

STAGED = """
    CREATE TEMPORARY TABLE IF NOT EXISTS staged (
        n bigint, stream text, type text, version smallint, event_id uuid, payload jsonb, occurred_at timestamptz
    ) ON COMMIT DELETE ROWS
"""
APPEND_STAGED = "SELECT * FROM log.append_staged(%s, %s, %s, %s, %s)"
COPY = "COPY staged (n, stream, type, version, event_id, payload, occurred_at) FROM STDIN"


def append_bulk(
    store: EventStore,
    events: Iterable[tuple[str, Event]],
    origin: Origin,
    *,
    once: str | None = None,
    chunk: int = CHUNK,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Append (stream, event) pairs in their order, a chunk a transaction; how many there are.

    With `once`, each chunk has a key of its own made of it: called again with the same events after an interruption,
    it says only what is missing. `progress` is told how many are through.
    """
    through = 0
    with _few_looks_for_cycles(), store.database.dedicated() as connection, ThreadPoolExecutor(1) as writer:
        connection.execute(STAGED)
        written: Future[Appended] | None = None
        for number, pairs in enumerate(_chunks(events, chunk)):
            sealed = store.personal.seal(*_columns(pairs), origin.household)
            if written:
                written.result()  # the next chunk was made meanwhile
            key = None if once is None else f"{once}:{number}"
            written = writer.submit(append_staged, store.personal, connection, pairs, origin, once=key, ahead=sealed)
            through += len(pairs)
            if progress:
                progress(through)
        if written:
            written.result()
    return through


def append_staged(
    personal: Personal,
    connection: Connection,
    pairs: list[tuple[str, Event]],
    origin: Origin,
    *,
    once: str | None,
    ahead: Sealed | None = None,
) -> Appended:
    """One chunk, in one transaction; `ahead` is what it was sealed to before."""
    now = datetime.now(UTC).isoformat()
    streams, events = _columns(pairs)

    def append(sealed: Sequence[Event], keys: Sequence[str]) -> Appended:
        with connection.transaction(), translated(stream="the bulk", once=once, expected=None):
            with connection.cursor().copy(COPY) as copy:
                for n, (stream, event) in enumerate(zip(streams, sealed, strict=True), start=1):
                    copy.write_row((n, stream, event.type_name, event.version, uuid7().hex, payload_of(event), now))
            told = (once, origin.household, origin.actor, origin.correlation_id, origin.causation_id)
            return Appended(*append_row(connection, APPEND_STAGED, told, keys))

    return personal.sealed_for(append, streams, events, origin.household, ahead=ahead)


def _columns(pairs: list[tuple[str, Event]]) -> tuple[list[str], list[Event]]:
    return [stream for stream, _ in pairs], [event for _, event in pairs]


def _chunks(events: Iterable[tuple[str, Event]], size: int) -> Iterator[list[tuple[str, Event]]]:
    rest = iter(events)
    while pairs := list(islice(rest, size)):
        yield pairs


@contextmanager
def _few_looks_for_cycles() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], OBJECTS) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
