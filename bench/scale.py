"""Is a long log as fast at its head as a short one: appends, and the fold of 100 new events, at both sizes in one run.

`--quick` compares 10 thousand with 200 thousand events in small partitions instead of with 10 million.
"""

import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import islice

import psycopg
from rich.console import Console

from meal_assets.contracts.body import WeightRecorded
from meal_assets.event_store import EventStore, Origin
from meal_assets.event_store.bulk import append_bulk
from meal_assets.event_store.checkpoints import move_checkpoint
from meal_assets.read_models import READ_MODELS, catch_up
from meal_assets.subscriptions import fold_all
from tests.read_models.histories import History

from .bulk import diary_events
from .figures import SEED, Figure
from .fold import EVERYDAY
from .scratch import scratch_store

SHORT, LONG, QUICK = 10_000, 10_000_000, 200_000
QUICK_PARTITION = 20_000
APPENDS, NEW, ROUNDS = 100, 100, 15
ORIGIN = Origin("home", "bench")
FOLD_AIM_MS, AIM = 15.0, 1.3
HISTORY = 2_000
"""Events of every kind at the end of each log; before them are meals."""


def run(quick: bool = False) -> list[Figure]:
    size = QUICK if quick else LONG
    with ExitStack() as stack:
        short, long = (stack.enter_context(scratch_store()) for _ in range(2))
        if quick:
            _in_small_partitions(long, QUICK_PARTITION)
        histories = [_fill(short, SHORT), _fill(long, size)]
        appends: tuple[list[float], list[float]] = [], []
        folds: tuple[list[float], list[float]] = [], []
        for _ in range(ROUNDS):
            for n, history in enumerate(histories):
                appends[n].append(_milliseconds(lambda h=history: _append(h.store)) / APPENDS)  # type: ignore[misc]
                fold_all(history.store)
                history.append_of(*history.random.choices(EVERYDAY, k=NEW))
                folds[n].append(_milliseconds(lambda h=history: fold_all(h.store)))  # type: ignore[misc]
    before, now = (statistics.median(one) for one in appends)
    short_fold, long_fold = (statistics.median(one) for one in folds)
    at = f"at {size:,} events"
    return [
        Figure(
            f"append {at}", now, "ms", f"≤ {AIM}× of {SHORT:,}", now <= AIM * before, limit=before,
            limit_name=f"at {SHORT:,}",
        ),
        Figure(
            f"fold, {NEW} events into all {at}", long_fold, "ms", f"≤ {FOLD_AIM_MS:g} ms, ≤ {AIM}× of {SHORT:,}",
            long_fold <= FOLD_AIM_MS and long_fold <= AIM * short_fold, limit=short_fold, limit_name=f"at {SHORT:,}",
        ),
    ]  # fmt: skip


def fill_with_meals(store: EventStore, count: int) -> None:
    """So many meals, the bulk way; says how long that took."""
    began = time.perf_counter()
    append_bulk(store, islice(diary_events(count), count), ORIGIN)
    seconds = time.perf_counter() - began
    Console(file=sys.stderr).print(f"{count:,} events loaded in {seconds:,.0f} s ({count / seconds:,.0f}/s)")


def _fill(store: EventStore, count: int) -> History:
    """A log whose subscribers stand near its head, as they do in life; the meals before are not folded."""
    for model in READ_MODELS.values():
        catch_up(model(), store)
    fill_with_meals(store, count - HISTORY)
    with store.database.transaction() as db:
        for model in READ_MODELS.values():
            move_checkpoint(db, model.name, count - HISTORY, model.version)
    history = History(store, SEED)
    while store.head() < count:
        history.append(100)
    fold_all(store)
    with psycopg.connect(store.database.url, autocommit=True) as owner:
        owner.execute("ANALYZE")  # autovacuum would, in a while
    return history


def _in_small_partitions(store: EventStore, size: int) -> None:
    with psycopg.connect(store.database.url, autocommit=True) as owner:
        owner.execute(
            f"CREATE OR REPLACE FUNCTION log.partition_size() RETURNS bigint LANGUAGE sql AS 'SELECT {size}::bigint'"
        )
        owner.execute(f"UPDATE log.partitions SET last = {size}, next_at = {size // 2}")
        owner.execute("ALTER TABLE log.events DETACH PARTITION log.events_1")
        owner.execute(
            f"ALTER TABLE log.events ATTACH PARTITION log.events_1 FOR VALUES FROM (MINVALUE) TO ({size + 1})"
        )


def _append(store: EventStore) -> None:
    event = WeightRecorded.model_validate(WeightRecorded.examples[0])
    for _ in range(APPENDS):
        store.append("home/body/bench", [event], origin=ORIGIN)


def _milliseconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000
