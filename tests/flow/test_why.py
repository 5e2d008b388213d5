"""Asking why of a planned week, swapping a meal in it, and planning its rest anew, on the command line."""

from datetime import date

import pytest

from meal_assets.contracts.plan import PlanGenerated
from meal_assets.event_store import Database, EventStore
from meal_assets.settings import Settings
from meal_assets.starter import library

from .conftest import Meals

pytestmark = pytest.mark.slow

WEEK = "2026-11-23"
THAT_DAY = date(2026, 11, 25)


def plans(settings: Settings) -> list[PlanGenerated]:
    with Database.open(settings) as database:
        history = EventStore(database).read_stream(f"home/plan/{WEEK}")
    return [r.event for r in history if isinstance(r.event, PlanGenerated)]


def test_why_swap_and_replan(meals: Meals, settings: Settings) -> None:
    assert meals("import", "recipes", str(library())).returncode == 0
    meals("goals", "ada", "--kcal", "2000", "--protein", "100", "--carbs", "240", "--fat", "70")
    assert "`meals plan 2026-11-23` first" in meals("why", "fri:dinner", WEEK).stderr
    assert meals("plan", WEEK, "--exclude", "tofu").returncode == 0
    (first,) = plans(settings)
    friday = next(m for m in first.meals if (str(m.day), m.meal) == ("2026-11-27", "dinner"))

    told = meals("why", "fri:dinner", WEEK).stdout
    assert f"{friday.title} (ada" in told
    assert "Without it" in told
    assert "is not like fri:dinner" in meals("why", "fri:tea", WEEK).stderr
    refused = meals("why-not", "Turmeric tofu scramble on toast", "fri:dinner", WEEK)
    assert "excluded word: tofu" in refused.stderr
    other = next(m for m in first.meals if m.meal == "dinner" and m.recipe != friday.recipe)
    assert "With it" in meals("why-not", other.title, "fri:dinner", WEEK).stdout

    done = meals("swap", "fri:dinner", WEEK)
    assert done.returncode == 0, done.stderr
    *_, swapped = plans(settings)
    pairs = zip(swapped.meals, first.meals, strict=True)
    changed = {(m.day, m.meal) for m, was in pairs if m.recipe != was.recipe}
    assert (friday.day, friday.meal) in changed
    assert len(changed) <= 2

    meals("log", "ada", "breakfast", "--food", "Feast", "--kcal", "900", "--protein", "30", "--carbs", "100", "--fat",
          "42", "--day", "2026-11-25")  # fmt: skip
    done = meals("replan", "--since", "2026-11-25")
    assert done.returncode == 0, done.stderr
    *_, anew = plans(settings)
    assert [m for m in anew.meals if m.day < THAT_DAY] == [m for m in swapped.meals if m.day < THAT_DAY]
    wednesday = next(d for d in anew.days if d.day == THAT_DAY)
    assert abs(wednesday.planned.kcal - 2000) <= 100

    monday = next(m for m in anew.meals if (str(m.day), m.meal) == (WEEK, "dinner"))
    assert meals("swap", "mon:dinner", WEEK).returncode == 0
    *_, again = plans(settings)
    assert monday.recipe not in {m.recipe for m in again.meals if (str(m.day), m.meal) == (WEEK, "dinner")}
