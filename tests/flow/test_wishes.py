"""What a household wishes for, on the command line: diets, stars, what would fit now, and a week with rules."""

import json

import pytest

from meal_assets.contracts.plan_request import PlanRequested
from meal_assets.event_store import Database, EventStore
from meal_assets.settings import Settings
from meal_assets.starter import library

from .conftest import Meals

pytestmark = pytest.mark.slow


def test_wishes_reach_the_request_and_the_dishes(meals: Meals, settings: Settings) -> None:
    assert meals("import", "recipes", str(library())).returncode == 0
    meals("goals", "ada", "--kcal", "2000", "--protein", "100", "--carbs", "240", "--fat", "70", "--fiber", "30")
    done = meals("profile", "ada", "--diet", "vegetarian", "--never", "nuts")
    assert done.returncode == 0, done.stderr
    assert "--weight" in meals("profile", "ada").stderr
    assert "'carnivore' is none of vegetarian" in meals("profile", "ada", "--diet", "carnivore").stderr
    assert "★★★★☆  red-lentil-dal  (ada)" in meals("rate", "Red lentil dal with basmati rice", "4").stdout

    day = ("--day", "2026-11-23")
    meals(
        "log",
        "ada",
        "lunch",
        "--food",
        "Rice",
        "--kcal",
        "900",
        "--protein",
        "30",
        "--carbs",
        "140",
        "--fat",
        "20",
        *day,
    )
    done = meals("suggest", "ada", *day)
    assert done.returncode == 0, done.stderr
    assert "For dinner, which is 78% of that" in done.stdout

    done = meals(
        "plan", "2026-11-23", "--diet", "lactose-free", "--limit", "fiber>=25@0.5", "--share", "lunch=20-45",
        "--minutes", "mon=45", "--away", "sun", "--cooldown", "7", "--pantry", "--difficulty", "medium",
        "--meal", "lunch", "--meal", "dinner", "--meal", "breakfast",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "(not lactose-free)" in done.stdout
    assert "(a diet that ada keeps)" in done.stdout
    assert "vegetarian" not in done.stdout
    with Database.open(settings) as database:
        (asked,) = [r.event for r in EventStore(database).read(types=[PlanRequested])]
    assert isinstance(asked, PlanRequested)
    rules = json.loads(asked.rules.model_dump_json(exclude_defaults=True))
    assert rules["limits"] == [{"nutrient": "fiber_g", "least": 25.0, "weight": 0.5}]
    assert rules["weekday_minutes"] == {"mon": 45}
    assert (rules["max_minutes"], rules["cooldown_days"], rules["use_pantry"]) == (60, 7, True)
    assert [(skip["day"], skip["meal"]) for skip in rules["skips"]] == [
        ("2026-11-29", meal) for meal in ("lunch", "dinner", "breakfast")
    ]
