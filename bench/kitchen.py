"""Random weeks of real recipes on their way to the kitchen: what of it breaks a law, and how long a week takes.

The recipes are those published on the web; the laws are told in tests/domain/kitchen_laws.py, apart from how it is
computed, and the calendar is read back. `--quick` takes 100 weeks. The peer adds up as the predecessors did: by name,
whatever the unit.
"""

import statistics
import sys
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime
from random import Random

from icalendar import Calendar

from meal_assets.contracts.kitchen import IngredientsWeighed, KnownFood
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.domain.nutrition import FoodIndex, read_apart, wanted_of
from meal_assets.domain.publication import MEAL_TIMES
from meal_assets.domain.shop import OTHER
from meal_assets.foods.parser import read_lines
from meal_assets.foods.shop import shop
from meal_assets.foods.starter import starter_foods
from meal_assets.interchange.calendar import MealEntry, calendar_of
from tests.domain.kitchen_laws import ZONE, Kitchen, Week, kitchen_of, random_week, violations
from tests.shared_data import FOLDER

from .figures import SEED, Figure
from .nutrition import read_recipes

WEEKS, QUICK = 1_000, 100
SHOWN = 5


def run(quick: bool = False) -> list[Figure]:
    file = FOLDER / "recipes-real.jsonl.gz"
    if not file.exists():
        print(f"no real data at {file}", file=sys.stderr)
        return []
    recipes = [recipe for recipe, _ in read_recipes(file.read_bytes())]
    weighed = {w.recipe: w for w in _weighed(recipes)}
    random, count = Random(SEED), QUICK if quick else WEEKS
    broken, peer, seconds = Counter[str](), 0, []
    for n in range(count):
        week = random_week(random, recipes, weighed)
        began = time.perf_counter()
        kitchen = kitchen_of(week, shop())
        seconds.append(time.perf_counter() - began)
        found = [*violations(week, kitchen, shop()), *_calendar(week, kitchen)]
        broken.update([f"week {n}: {what}" for what in found])
        peer += _adds_what_cannot_be_added(week)
    print(*list(broken)[:SHOWN], sep="\n", file=sys.stderr)
    wanted = [w for told in weighed.values() for w in told.wanted]
    known = sum(w.food is not None for w in wanted) / len(wanted) * 100
    aisles = [shop().aisle_of(w.item, _food(w.food, told)) for told in weighed.values() for w in told.wanted]
    aisled = sum(aisle != OTHER for aisle in aisles)
    return [
        Figure(
            f"kitchen, laws broken in {count:,} weeks",
            sum(broken.values()),
            "violations",
            "0",
            not broken,
            float(peer),
            "weeks that adding up by name gets wrong",
        ),
        Figure("kitchen, list and schedule of a week", statistics.median(seconds) * 1000, "ms", "", True),
        Figure("kitchen, lines of real recipes whose food is sure", known, "%", "", True),
        Figure("kitchen, lines of real recipes with an aisle", aisled / len(wanted) * 100, "%", "", True),
    ]


def _weighed(recipes: list[RecipeFetched]) -> list[IngredientsWeighed]:
    index = FoodIndex(starter_foods().foods)
    lines = list(dict.fromkeys(i.line for r in recipes for i in r.ingredients))
    readings = dict(zip(lines, read_lines(lines), strict=True))
    told = []
    for r in recipes:
        wanted, foods = wanted_of([read_apart(i) or readings[i.line] for i in r.ingredients], index, {})
        told.append(
            IngredientsWeighed(
                recipe=r.recipe,
                content_hash=r.content_hash,
                as_of=0,
                food_set=starter_foods().sha256,
                wanted=wanted,
                foods=foods,
            )
        )
    return told


def _food(food: str | None, told: IngredientsWeighed) -> KnownFood | None:
    return next((f for f in told.foods if f.food == food), None)


def _calendar(week: Week, kitchen: Kitchen) -> list[str]:
    """The file read back: an entry for each meal and step, each known by a name of its own, twice the same."""
    meals = [
        MealEntry((m.day, m.meal), m.title, "", datetime.combine(m.day, MEAL_TIMES[m.meal], ZONE)) for m in week.meals
    ]
    planned = datetime(2026, 10, 18, tzinfo=UTC)
    content, again = (calendar_of("home", meals, kitchen.steps, planned, 7) for _ in range(2))
    events = Calendar.from_ical(content).walk("VEVENT")
    wanted = len(meals) + sum(s.kind != "serve" for s in kitchen.steps)
    found = []
    if content != again:
        found.append("the calendar is another one the second time")
    if len({str(e["uid"]) for e in events}) != wanted or len(events) != wanted:
        found.append(f"{len(events)} entries of {wanted} stand in the calendar")
    return found


def _adds_what_cannot_be_added(week: Week) -> bool:
    units: dict[str, set[str]] = defaultdict(set)
    for meal in week.meals:
        for w in week.wanted(meal.recipe):
            if w.quantity is not None:
                units[w.item.casefold()].add(w.unit)
    return any(len(u) > 1 for u in units.values())
