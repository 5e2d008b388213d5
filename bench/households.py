"""Households as partitions of an asset, which we do not make them, beside households as rows, which they are.

What a person waits for at the asset's page, and what the daemon spends to report one of them, by how many there are.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import PythonFileTarget
from dagster_graphql.test.utils import execute_dagster_graphql
from rich.console import Console
from rich.table import Table

from meal_assets.event_store import EventStore
from meal_assets.platform.storage import Storage
from meal_assets.read_models import catch_up
from meal_assets.read_models.daily_nutrition import DailyNutrition, days_eaten

from .figures import Figure
from .scratch import scratch_store

MANY = (100, 1_000, 10_000)
ASKED = 5
AIM = 20.0
DAYS = 7
CODE = """
import dagster as dg
households = dg.StaticPartitionsDefinition([f"household-{n}" for n in range(%d)])
@dg.asset(partitions_def=households)
def daily_nutrition(): ...
defs = dg.Definitions(assets=[daily_nutrition])
"""
KEY = dg.AssetKey("daily_nutrition")
PAGE = """
query ($key: AssetKeyInput!) {
  assetNodeOrError(assetKey: $key) { ... on AssetNode {
    partitionStats { numMaterialized numPartitions numFailed numMaterializing }
    partitionKeysByDimension { name partitionKeys }
    assetPartitionStatuses { ... on DefaultPartitionStatuses {
      materializedPartitions materializingPartitions failedPartitions unmaterializedPartitions } }
  } }
}
"""


def run() -> list[Figure]:
    columns = (
        "households",
        "their page, ms",
        "later, ms",
        "its answer, kB",
        "a report, ms",
        "all of them, s",
        "a week's rows, ms",
    )
    table = Table(*columns)
    with scratch_store() as store:
        os.environ["MEALS_DATABASE_URL"] = store.database.url
        storage = {"custom": {"module": Storage.__module__, "class": Storage.__name__, "config": {}}}
        for many in MANY:
            _fill_rows(store, many)
            with dg.instance_for_test(overrides={"storage": storage}) as instance, page(instance, many) as show:
                began = time.perf_counter()
                for n in range(0, many, 2):
                    _report(instance, n)
                all_reported = 2 * (time.perf_counter() - began)
                began = time.perf_counter()
                answer = show()
                first = (time.perf_counter() - began) * 1000
                later = _median(show)
                once = _median(lambda: _report(instance, 0))
            rows = _median(lambda many=many: _read(store, many))  # type: ignore[misc]
            shown = (first, later, len(str(answer)) / 1000, all_reported / many * 1000, all_reported, rows)
            table.add_row(f"{many:,}", *(f"{value:,.1f}" for value in shown))
    Console(file=sys.stderr).print(table)
    most = f"{MANY[-1]:,} households"
    return [
        Figure(
            f"{most}, one's week", rows, "ms", f"≤ 1/{AIM:g} of partitions", rows * AIM <= later,
            peer=later, peer_name="partitions' page",
        ),
        Figure(
            f"{most} touched, shown", once / 1000, "s", f"≤ 1/{AIM:g} of partitions", once / 1000 * AIM <= all_reported,
            peer=all_reported, peer_name="a report each",
        ),
    ]  # fmt: skip


@contextmanager
def page(instance: dg.DagsterInstance, many: int) -> Iterator[Callable[[], Any]]:
    """Asks what the asset's page asks, of a code server as the web server does."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "code.py"
        file.write_text(CODE % many)
        target = PythonFileTarget(
            python_file=str(file), attribute=None, working_directory=folder, location_name="bench"
        )
        with WorkspaceProcessContext(instance, target) as process:

            def show() -> Any:
                context = process.create_request_context()
                asked = {"key": {"path": KEY.path}}
                return execute_dagster_graphql(context, PAGE, variables=asked).data["assetNodeOrError"]

            first = show()
            if not first.get("partitionStats"):
                raise RuntimeError(f"the page says {first}")
            yield show


def _report(instance: dg.DagsterInstance, n: int) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization(KEY, partition=f"household-{n}"))


def _fill_rows(store: EventStore, many: int) -> None:
    """A week of one person in each household."""
    catch_up(DailyNutrition(), store)
    columns = "household, person, day, entries, kcal, protein_g, carbs_g, fat_g"
    with store.database.transaction() as db:
        db.execute("TRUNCATE read.daily_nutrition")
        nullable = db.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'daily_nutrition'"
            " AND table_schema = 'read' AND is_nullable = 'NO' AND NOT column_name = ANY(%s)",
            (columns.split(", "),),
        ).fetchall()
        rest = "".join(f", {name}" for (name,) in nullable)
        zeros = ", 0" * len(nullable)
        db.execute(
            f"INSERT INTO read.daily_nutrition ({columns}{rest})"
            f" SELECT 'household-' || h, 'ada', date '2026-11-23' + d, 4, 2000, 100, 200, 70{zeros}"
            " FROM generate_series(0, %s - 1) AS h, generate_series(0, %s - 1) AS d",
            (many, DAYS),
        )
        db.execute("ANALYZE read.daily_nutrition")


def _read(store: EventStore, many: int) -> object:
    with store.database.statement() as db:
        found = days_eaten(db, f"household-{many // 2}", date(2026, 11, 23), date(2026, 11, 29))
    if len(found) != DAYS:
        raise RuntimeError(f"{len(found)} of {DAYS} days are there")
    return found


def _median(act: Callable[[], Any]) -> float:
    """Of its milliseconds."""
    times = []
    for _ in range(ASKED):
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
    return sorted(times)[ASKED // 2]
