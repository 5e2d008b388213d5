"""What of a week goes to a service outside: entries of its meal plan, at the household's times, and what to buy."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from hashlib import sha256
from zoneinfo import ZoneInfo

from meal_assets.contracts.kitchen import IngredientsWeighed
from meal_assets.contracts.plan import PlanGenerated, PlannedMeal
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.contracts.values import MEALS, Meal

from .shopping import Item, Serving, servings_of, shopping_list
from .units import AS_WRITTEN

TANDOOR = "tandoor"
"""The service, and who is said to have ticked what people ticked there."""
SHOPPING_FLAG = "tandoor.shopping_list"
MEAL_TIMES: Mapping[Meal, time] = {
    "breakfast": time(8),
    "lunch": time(12, 30),
    "dinner": time(18, 30),
    "snack": time(15, 30),
}
"""Where the service has none of its own."""
LONGEST_NAME = 128
"""Of a food there."""
UNSAID = ("", "piece", AS_WRITTEN)
"""Units that a number is without: "3 eggs"."""
Slot = tuple[date, Meal]


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """A planned meal for people to read: how much in all, and who gets how much of it."""

    planned: PlannedMeal
    zone: ZoneInfo

    @property
    def slot(self) -> Slot:
        return self.planned.day, self.planned.meal

    @property
    def servings(self) -> float:
        return round(servings_of(self.planned.portions), 4)

    @property
    def portions(self) -> str:
        return ", ".join(f"{person} {amount:g}" for person, amount in sorted(self.planned.portions.items()))

    @property
    def content_hash(self) -> str:
        """Of all that an entry is made from: another one tells that it is to be changed."""
        told = json.dumps([self.planned.model_dump(mode="json"), self.zone.key], sort_keys=True)
        return sha256(told.encode()).hexdigest()

    def at(self, time_of_day: time | None) -> str:
        """When it is eaten, with the offset from UTC that holds on that day: ISO 8601."""
        day, meal = self.slot
        return datetime.combine(day, time_of_day or MEAL_TIMES[meal], self.zone).isoformat()


def entries_of(plan: PlanGenerated, zone: ZoneInfo) -> dict[Slot, PlanEntry]:
    """The week's entries in its order."""
    meals = sorted(plan.meals, key=lambda m: (m.day, MEALS.index(m.meal)))
    return {(m.day, m.meal): PlanEntry(m, zone) for m in meals}


@dataclass(frozen=True, slots=True)
class ListEntry:
    """A line of the shopping list as the service takes it: a food, a unit where there is one, an amount or 0."""

    line: Item

    @property
    def key(self) -> tuple[str, str]:
        return self.line.item, self.line.unit

    @property
    def food(self) -> str:
        return self.line.item[:LONGEST_NAME].strip()

    @property
    def unit(self) -> str | None:
        return None if self.line.unit in UNSAID else self.line.unit

    @property
    def amount(self) -> float:
        once = self.line.unit == AS_WRITTEN and self.line.quantity == 1
        return 0.0 if self.line.quantity is None or once else self.line.quantity

    @property
    def told(self) -> tuple[str, str, float]:
        """What two entries that say the same have in common."""
        return told(self.food, self.unit, self.amount)


def told(food: str, unit: str | None, amount: float) -> tuple[str, str, float]:
    """An entry, whatever the case of its names."""
    return food.strip().casefold(), (unit or "").strip().casefold(), round(amount, 3)


def list_of(
    plan: PlanGenerated, recipes: Iterable[RecipeFetched], weighed: Iterable[IngredientsWeighed] = ()
) -> dict[tuple[str, str], ListEntry]:
    """What the week needs, with the recipes as they were last fetched, and as foods where they were weighed."""
    known = {w.recipe: w for w in weighed}
    servings: dict[str, float] = defaultdict(float)
    for meal in plan.meals:
        servings[meal.recipe] += servings_of(meal.portions)
    lines = shopping_list(
        Serving(r.title, servings[r.recipe], r.servings or 1.0, r.ingredients, known.get(r.recipe), r.recipe)
        for r in sorted(recipes, key=lambda r: r.recipe)
    )
    return {(line.item, line.unit): ListEntry(line) for line in lines}
