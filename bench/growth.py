"""What Dagster's own storage grows by with each fold that is reported and each run: rows, and bytes with indexes."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

import dagster as dg
from rich.console import Console
from rich.table import Table

from meal_assets.consumers import CONSUMERS
from meal_assets.contracts.body import WeightRecorded
from meal_assets.event_store import EventStore, Origin
from meal_assets.platform.assets import consumer, read_model
from meal_assets.platform.reports import report
from meal_assets.platform.resources import Log
from meal_assets.platform.storage import Storage
from meal_assets.read_models.weight_trend import WeightTrend
from meal_assets.subscriptions import fold_all

from .figures import Figure
from .scratch import scratch_store

WARM_UP, MEASURED = 20, 200
RUNS = 40
REPORT_AIM, RUN_AIM = 8_192, 65_536
"""Bytes."""


@dataclass(frozen=True, slots=True)
class Size:
    rows: int
    bytes: int


def run() -> list[Figure]:
    with scratch_store() as store:
        os.environ["MEALS_DATABASE_URL"] = store.database.url
        with dg.instance_for_test(
            overrides={
                "storage": {
                    "custom": {"module": Storage.__module__, "class": Storage.__name__, "config": {}},
                }
            }
        ) as instance:
            _fold_one(store, instance)  # the first is told with all that was never told
            reports = _fold_one(store, instance)
            of_event = _each(store, lambda: _fold_one(store, instance), MEASURED)
            reported = of_event[0] / reports, of_event[1] / reports
            model = _each(store, lambda: _run(instance, read_model(WeightTrend)), RUNS)
            consuming = _each(store, lambda: _run(instance, consumer(CONSUMERS["reconcile"])), RUNS)
    table = Table("what", "rows", "bytes")
    rows = {
        f"an event, {reports} reports": of_event,
        "a report": reported,
        "a run of a read model": model,
        "a run of a consumer": consuming,
    }
    for name, (row_count, size) in rows.items():
        table.add_row(name, f"{row_count:.1f}", f"{size:,.0f}")
    Console(file=sys.stderr).print(table)
    return [
        Figure("growth, a report", reported[1], "bytes", f"≤ {REPORT_AIM:,}", reported[1] <= REPORT_AIM),
        Figure("growth, a run", consuming[1], "bytes", f"≤ {RUN_AIM:,}", consuming[1] <= RUN_AIM),
    ]


def _each(store: EventStore, act: Callable[[], object], times: int) -> tuple[float, float]:
    """Rows and bytes that one more adds, once what is written only once is written."""
    for _ in range(WARM_UP):
        act()
    before = size(store)
    for _ in range(times):
        act()
    after = size(store)
    return (after.rows - before.rows) / times, (after.bytes - before.bytes) / times


def size(store: EventStore) -> Size:
    """All tables of the schema `dagster`."""
    with store.database.dedicated() as db:
        db.execute("RESET ROLE")
        tables = [str(name) for (name,) in db.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'dagster'")]
        rows = sum(db.execute(f"SELECT count(*) FROM dagster.{t}").fetchone()[0] for t in tables)  # type: ignore[index,call-overload]
        query = "SELECT sum(pg_total_relation_size(('dagster.' || name)::regclass)) FROM unnest(%s::text[]) AS name"
        (total,) = db.execute(query, (tables,)).fetchone() or (0,)
    return Size(int(rows), int(total))


def _fold_one(store: EventStore, instance: dg.DagsterInstance) -> int:
    """How many materializations one event led to."""
    event = WeightRecorded.model_validate(WeightRecorded.examples[0])
    store.append(event.stream_in("home"), [event], origin=Origin("home", "bench"))
    fold_all(store)
    return report(instance, store)


def _run(instance: dg.DagsterInstance, asset: dg.AssetsDefinition) -> None:
    if not dg.materialize([asset], resources={"log": Log()}, instance=instance).success:
        raise RuntimeError("the run failed")
