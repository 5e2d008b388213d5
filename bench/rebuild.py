"""Rebuilding daily_nutrition from the log: set-based, beside the same fold one event a transaction, as peers do it."""

import random
from datetime import date, timedelta

from meal_assets.contracts.diary import MealLogged
from meal_assets.event_store import EventStore, Origin
from meal_assets.read_models import catch_up, rebuild
from meal_assets.read_models.daily_nutrition import DailyNutrition

from .figures import SEED, Figure, rates
from .scratch import scratch_store

EVENTS = 20_000
ONE_BY_ONE = 500


def run() -> list[Figure]:
    with scratch_store() as store:
        fill(store)
        (ours,) = rates(EVENTS, lambda: rebuild(DailyNutrition(), store), rounds=3)
        (peer,) = rates(ONE_BY_ONE, lambda: _one_by_one(store), rounds=3)
    aim = "≥ 20× one event a transaction"
    return [Figure("rebuild", ours, "events/s", aim, ours >= 20 * peer, peer=peer, peer_name="one a transaction")]


def fill(store: EventStore) -> None:
    """`EVENTS` meals of 20 people, ten a day."""
    chance = random.Random(SEED)  # test data
    for person in range(20):
        for back in range(EVENTS // 20 // 10):
            day = date(2026, 1, 1) + timedelta(days=back)
            meals = [
                MealLogged.model_validate(
                    MealLogged.examples[1]
                    | {"entry": f"e{n}", "person": f"p{person}", "day": day}
                    | {
                        "nutrition": {
                            k: round(chance.uniform(1, 100), 3) for k in ("kcal", "protein_g", "carbs_g", "fat_g")
                        }
                    }
                )
                for n in range(10)
            ]
            store.append(meals[0].stream_in("home"), meals, origin=Origin("home", "bench"))


def _one_by_one(store: EventStore) -> None:
    with store.database.transaction() as db:
        db.execute("TRUNCATE read.daily_nutrition")
        db.execute(
            "UPDATE log.checkpoints SET position = (SELECT max(position) - %s FROM log.events)"
            " WHERE subscriber = 'daily_nutrition'",
            (ONE_BY_ONE,),
        )
    catch_up(DailyNutrition(), store, batch=1)
