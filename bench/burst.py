"""A burst of 100,000 events while a person goes on weighing in: how long until all are current, and what it took."""

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx

from meal_assets.event_store import EventStore, Origin
from meal_assets.event_store.bulk import append_bulk
from meal_assets.read_models import READ_MODELS
from meal_assets.subscriptions import standings

from .bulk import diary_events
from .figures import Figure
from .latency import quantile, weigh
from .platforms import Ours, ours, wait_for

EVENTS = int(os.environ.get("BENCH_BURST", "100000"))
LOOK_SECONDS = 0.05
PATIENCE = 300.0
MOST_RUNS = 20
"""More runs than this because of a burst are a storm."""


def run() -> list[Figure]:
    with ours() as platform:
        weigh(platform.store, 0)
        wait_for(lambda: current(platform.store), PATIENCE)
        runs, batches = runs_of(platform), batches_of(platform.store)
        with ThreadPoolExecutor(1) as thread:
            began = time.perf_counter()
            burst = thread.submit(append, platform.store)
            reads = read_until_current(platform.store, burst.done)
            appended = burst.result() - began
            seconds = time.perf_counter() - began
        wait_for(lambda: batches_of(platform.store, unreported=True) == 0, PATIENCE, look=0.2)
        shown = time.perf_counter() - began
        runs, batches = runs_of(platform) - runs, batches_of(platform.store) - batches
    print(
        f"{EVENTS:,} events: appended after {appended:.2f} s, all current after {seconds:.2f} s,"
        f" all shown after {shown:.2f} s,"
        f" {batches} folds of {len(READ_MODELS)} models, {runs} runs;"
        f" {len(reads)} reads meanwhile, p50 {quantile(reads, 0.5):.1f} ms, max {max(reads):.0f} ms",
        file=sys.stderr,
    )
    return [
        Figure("burst, all models current", seconds, "s", "≤ 10 s", seconds <= 10),
        Figure("burst, runs launched", runs, "runs", f"≤ {MOST_RUNS}", runs <= MOST_RUNS),
        Figure("burst, read meanwhile, p95", quantile(reads, 0.95), "ms", "≤ 100 ms", quantile(reads, 0.95) <= 100),
    ]


def append(store: EventStore) -> float:
    """When it was done."""
    append_bulk(store, diary_events(EVENTS), Origin("home", "bench"))
    return time.perf_counter()


def current(store: EventStore) -> bool:
    """Whether every read model is at the head; consumers take as long as what they do takes."""
    return not any(s.due for s in standings(store) if s.subscriber.name in READ_MODELS)


def read_until_current(store: EventStore, appended: Callable[[], bool]) -> list[float]:
    """Milliseconds that each look at a read model took, until all have taken in everything."""
    reads: list[float] = []
    end = time.monotonic() + PATIENCE
    while True:
        over = appended()
        began = time.perf_counter()
        with store.database.transaction() as db:
            db.execute(
                "SELECT * FROM read.daily_nutrition WHERE household = 'home' AND person = 'p1' LIMIT 7"
            ).fetchall()
        reads.append((time.perf_counter() - began) * 1_000)
        if over and current(store):
            return reads
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(LOOK_SECONDS)


def batches_of(store: EventStore, *, unreported: bool = False) -> int:
    """Folds that were noted; or only those that are still to be reported."""
    with store.database.transaction() as db:
        query = "SELECT count(*) FROM log.outbox" + (" WHERE reported_at IS NULL" if unreported else "")
        row = db.execute(query).fetchone()
    return int(row[0]) if row else 0


def runs_of(platform: Ours) -> int:
    query = "{ runsOrError { ... on Runs { count } } }"
    answer = httpx.post(f"{platform.url}/graphql", json={"query": query}, timeout=30).json()
    return int(answer["data"]["runsOrError"]["count"])
