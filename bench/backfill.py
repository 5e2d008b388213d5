"""A year of daily partitions of daily_nutrition, asked for as the UI does: one run, beside a run a day."""

import random
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import httpx

from meal_assets.contracts import Event
from meal_assets.contracts.diary import MealLogged
from meal_assets.event_store import Origin
from meal_assets.event_store.bulk import append_bulk
from meal_assets.read_models import catch_up
from meal_assets.read_models.daily_nutrition import DailyNutrition

from .figures import SEED, Figure
from .platforms import Ours, ours, wait_for

EVENTS, DAYS, PERSONS = 100_000, 365, 100
FIRST = date(2025, 11, 1)
PROBES = 5
"""Backfills of one day, for what a run a day would take."""
PATIENCE = 300.0
LAUNCH = """
mutation ($days: [String!]!) {
  launchPartitionBackfill(backfillParams: {
    assetSelection: [{path: ["read_model", "daily_nutrition"]}], partitionNames: $days
  }) { __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } }
}
"""
STATUS = """
query ($id: String!) {
  partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill {
    status runs(limit: 10) { startTime endTime status } } }
}
"""


def run() -> list[Figure]:
    with ours() as platform:
        append_bulk(platform.store, meals(), Origin("home", "bench"))
        catch_up(DailyNutrition(), platform.store)
        days = [str(FIRST + timedelta(n)) for n in range(DAYS)]
        whole, inside, runs = backfill(platform, days)
        single = statistics.median(backfill(platform, [day])[1] for day in days[:PROBES])
    print(f"asked for to done {whole:.1f} s, of which {inside:.2f} s in {runs} run(s)", file=sys.stderr)
    holds = inside <= 10 and runs == 1
    peer = single * DAYS
    return [
        Figure("backfill of 365 days", inside, "s", "≤ 10 s in one run", holds, peer=peer, peer_name="a run a day"),
        Figure("the same, with Dagster's waits", whole, "s", "told", True),
    ]


def meals() -> Iterator[tuple[str, Event]]:
    """Each person's days one after the other."""
    chance = random.Random(SEED)  # test data
    for n in range(EVENTS):
        day = FIRST + timedelta(days=n // PERSONS % DAYS)
        nutrition = {k: round(chance.uniform(1, 100), 3) for k in ("kcal", "protein_g", "carbs_g", "fat_g")}
        meal = MealLogged.model_validate(
            MealLogged.examples[1] | {"entry": f"e{n}", "person": f"p{n % PERSONS}", "day": day, "nutrition": nutrition}
        )
        yield meal.stream_in("home"), meal


def backfill(platform: Ours, days: list[str]) -> tuple[float, float, int]:
    """Seconds from asking to the end, seconds in runs, and how many runs."""
    began = time.perf_counter()
    asked = ask(platform, LAUNCH, {"days": days})["launchPartitionBackfill"]
    if asked["__typename"] != "LaunchBackfillSuccess":
        raise RuntimeError(f"not launched: {asked}")

    def ended() -> list[dict[str, float]] | None:
        told = ask(platform, STATUS, {"id": asked["backfillId"]})["partitionBackfillOrError"]
        if "FAIL" in told["status"]:
            raise RuntimeError(f"backfill failed: {told}")
        return told["runs"] if told["status"] in ("COMPLETED", "COMPLETED_SUCCESS") else None

    wait_for(ended, PATIENCE, look=0.05)
    runs = ended() or []
    return time.perf_counter() - began, sum(r["endTime"] - r["startTime"] for r in runs), len(runs)


def ask(platform: Ours, query: str, variables: dict[str, object]) -> dict[str, Any]:
    answer = httpx.post(f"{platform.url}/graphql", json={"query": query, "variables": variables}, timeout=60).json()
    if "errors" in answer:
        raise RuntimeError(answer["errors"])
    return answer["data"]
