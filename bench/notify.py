"""How long until everybody who listens knows of an append, and what it costs the append, by how many listen.

The limit is one listener. All are connections of this process, so what is measured is the server's part and a poll.
"""

import select
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from meal_assets.contracts.body import WeightRecorded
from meal_assets.event_store import Connection, Database, EventStore, Origin
from meal_assets.event_store.database import migrate
from tests.deploy.servers import postgres

from .figures import Figure

LISTENERS = (1, 10, 50, 100, 200)
APPENDS = 200
RATE_APPENDS = 500
MOST_MS = 50.0
LOST_AFTER_SECONDS = 10.0
EVENT = WeightRecorded.model_validate(WeightRecorded.examples[0])


def run() -> list[Figure]:
    table = Table("listeners", "last one knows, p50 ms", "p95 ms", "appends/s, 1 writer")
    told: dict[int, tuple[float, float, float]] = {}
    with service() as store:
        for many in LISTENERS:
            with listening(store.database, many) as listeners:
                after = sorted(_until_all_know(store, listeners) for _ in range(APPENDS))
                rate = _appends_a_second(store)
            told[many] = statistics.median(after), after[int(0.95 * APPENDS)], rate
            table.add_row(str(many), *(f"{value:,.2f}" for value in told[many][:2]), f"{told[many][2]:,.0f}")
    Console(file=sys.stderr).print(table)
    most = LISTENERS[-1]
    return [
        Figure(
            f"notify, {most} listeners, p95",
            told[most][1],
            "ms",
            f"≤ {MOST_MS:g} ms",
            told[most][1] <= MOST_MS,
            limit=told[1][1],
            limit_name="1 listener",
        ),
        Figure(
            f"append, {most} listeners",
            told[most][2],
            "events/s",
            "≥ 0.3 of 1 listener",
            told[most][2] >= 0.3 * told[1][2],
            limit=told[1][2],
            limit_name="1 listener",
        ),
    ]


@contextmanager
def service() -> Iterator[EventStore]:
    """A migrated log on a PostgreSQL as deploy/compose.yaml starts it."""
    with tempfile.TemporaryDirectory(prefix="meals-bench-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        with postgres(Path(folder)) as server:
            migrate(server.url_with_password("meals_owner"))
            with Database(server.url_with_password("meals_service")) as database:
                yield EventStore(database)


@contextmanager
def listening(database: Database, many: int) -> Iterator[list[Connection]]:
    with ExitStack() as stack:
        listeners = [stack.enter_context(database.dedicated()) for _ in range(many)]
        for listener in listeners:
            listener.execute("LISTEN meals_log")
        yield listeners


def _until_all_know(store: EventStore, listeners: list[Connection]) -> float:
    """Milliseconds from the commit to the moment the last one has the notification."""
    waiting = select.poll()
    for listener in listeners:
        waiting.register(listener.fileno(), select.POLLIN)
    store.append("home/body/ada", [EVENT], origin=Origin("home", "bench"))
    began, left = time.perf_counter(), len(listeners)
    while left:
        ready = waiting.poll(LOST_AFTER_SECONDS * 1000)
        if not ready:
            raise RuntimeError(f"{left} of {len(listeners)} listeners never heard of an append")
        for descriptor, _ in ready:
            waiting.unregister(descriptor)
        left -= len(ready)
    took = (time.perf_counter() - began) * 1000
    _take_notes(listeners)
    return took


def _take_notes(listeners: list[Connection]) -> None:
    for listener in listeners:
        for _ in listener.notifies(timeout=0):
            pass


def _appends_a_second(store: EventStore) -> float:
    began = time.perf_counter()
    for _ in range(RATE_APPENDS):
        store.append("home/body/ada", [EVENT], origin=Origin("home", "bench"))
    return RATE_APPENDS / (time.perf_counter() - began)
