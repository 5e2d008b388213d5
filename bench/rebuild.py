"""Rebuilding daily_nutrition from the log: set-based, beside one hand-written GROUP BY, and beside the peer's
ProjectionRunner over a log of the same meals, which is measured on a few of them only.

`--events 10000000` also rebuilds from so many, and compares the time an event takes with that of the default.
"""

import random
import resource
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from rich.console import Console

from meal_assets.contracts.diary import MealLogged
from meal_assets.event_store import EventStore, Origin
from meal_assets.event_store.bulk import append_bulk
from meal_assets.read_models import rebuild
from meal_assets.read_models.daily_nutrition import KNOWN, PERHAPS, DailyNutrition

from . import peer_projection
from .figures import SEED, Figure, rates
from .scratch import scratch_store

EVENTS = 1_000_000
PEOPLE, MEALS = 100, 10
PEER_EVENTS = 2_000
LONGER_AIM = 1.3
MEMORY_AIM_MIB = 500
BY_HAND = f"""
    CREATE TEMPORARY TABLE by_hand AS
    SELECT household, payload->>'person' AS person, (payload->>'day')::date AS day, count(*) AS entries,
           {", ".join(f"coalesce(sum((payload->'nutrition'->>'{n}')::numeric), 0) AS {n}" for n in KNOWN + PERHAPS)},
           {", ".join(f"count(*) FILTER (WHERE payload->'nutrition' ? '{n}') AS {n}_known" for n in PERHAPS)}
    FROM log.events WHERE type = 'diary.MealLogged' GROUP BY 1, 2, 3
"""
"""The same columns. Its table is of this connection only, and the server may use several processes for it."""


def run(events: int = EVENTS) -> list[Figure]:
    usual = min(events, EVENTS)
    with scratch_store() as store:
        append_bulk(store, meals(usual), Origin("home", "bench"))
        ours, by_hand = rates(usual, lambda: rebuild(DailyNutrition(), store), lambda: _by_hand(store), rounds=3)
        url = store.database.url
        peer_projection.log(url, [_amounts(meal) for _, meal in meals(PEER_EVENTS)])
        (peer,) = rates(PEER_EVENTS, lambda: peer_projection.project(url, PEER_EVENTS), rounds=3)
    figures = [
        Figure(
            f"rebuild of {usual:,}", ours, "events/s", "≥ 200× the peer, ≥ 0.7 of the SQL",
            ours >= 200 * peer and ours >= 0.7 * by_hand, peer=peer, peer_name="pyeventsourcing, ProjectionRunner",
            limit=by_hand, limit_name="one GROUP BY",
        )
    ]  # fmt: skip
    if events > usual:
        with scratch_store() as store:
            append_bulk(store, meals(events), Origin("home", "bench"))
            (longer,) = rates(events, lambda: rebuild(DailyNutrition(), store), rounds=1)
        aim = f"time an event ≤ {LONGER_AIM}× of {usual:,}"
        figures.append(
            Figure(
                f"rebuild of {events:,}", longer, "events/s", aim, ours <= LONGER_AIM * longer, limit=ours,
                limit_name=f"of {usual:,}",
            )
        )  # fmt: skip
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    Console(file=sys.stderr).print(f"most memory this process had, filling the log included: {peak:,.0f} MiB")
    figures.append(Figure("memory", peak, "MiB", f"≤ {MEMORY_AIM_MIB} MiB", peak <= MEMORY_AIM_MIB))
    return figures


def meals(count: int) -> Iterator[tuple[str, MealLogged]]:
    """So many meals of a hundred people, ten a day."""
    chance = random.Random(SEED)  # test data
    for n in range(count):
        person, day = n // MEALS % PEOPLE, date(2000, 1, 1) + timedelta(days=n // (MEALS * PEOPLE))
        amounts = {k: round(chance.uniform(1, 100), 3) for k in ("kcal", "protein_g", "carbs_g", "fat_g")}
        meal = MealLogged.model_validate(
            MealLogged.examples[1]
            | {"entry": f"e{n % MEALS}", "person": f"p{person}", "day": day, "nutrition": amounts}
        )
        yield meal.stream_in("home"), meal


def _by_hand(store: EventStore) -> None:
    with store.database.transaction() as db:
        db.execute(BY_HAND)
        db.execute("DROP TABLE by_hand")


def _amounts(meal: MealLogged) -> dict[str, Any]:
    amounts = meal.nutrition.model_dump(include={"kcal", "protein_g", "carbs_g", "fat_g"})
    return {"person": meal.person, "day": meal.day.isoformat(), **amounts}
