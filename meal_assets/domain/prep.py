"""When to cook what of a week: batches, start times counted back from the meals, what runs beside, what to thaw.

One pair of hands: preparing is active, and no two dishes are prepared at once; what cooks or rests by itself runs
beside.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from meal_assets.contracts.plan import PlannedMeal
from meal_assets.contracts.values import MEALS, Meal

from .recipes.words import fold, words
from .shop import Taken
from .shopping import servings_of

KEEPS_DAYS = 3
"""Cooked food keeps three to four days in the refrigerator (USDA FSIS, Leftovers and Food Safety)."""
FRESH_WORDS = (
    "salad", "salade", "smoothie", "omelet", "omelette", "scrambled", "toast",
    "sandwich", "burger", "sushi", "ceviche", "tartare", "souffle", "poached",
)  # fmt: skip
BEST_FRESH = frozenset(word + ending for word in FRESH_WORDS for ending in ("", "s", "es"))
"""Dishes with such a word in their title wilt, go soft or are not to be kept: each meal is made anew."""
THAW_KG_A_DAY = 1.8
"""In a refrigerator four to five pounds thaw in 24 hours (USDA FSIS, The Big Thaw); the smaller figure."""
GRAMS_A_KG = 1000.0

Slot = tuple[date, Meal]
StepKind = Literal["thaw", "prepare", "cook", "serve"]
ORDER: tuple[StepKind, ...] = ("thaw", "prepare", "cook", "serve")


@dataclass(frozen=True, slots=True)
class Batch:
    """One cooking of a recipe, for the first of its meals; `meals` are all that eat of it: day, meal, servings."""

    recipe: str
    title: str
    meals: tuple[tuple[date, Meal, float], ...]

    @property
    def day(self) -> date:
        return self.meals[0][0]

    @property
    def meal(self) -> Meal:
        return self.meals[0][1]

    @property
    def servings(self) -> float:
        return round(sum(servings for *_, servings in self.meals), 4)


@dataclass(frozen=True, slots=True)
class Times:
    """Minutes as a recipe tells them; None where it does not."""

    prep: int | None = None
    cook: int | None = None
    total: int | None = None

    def split(self) -> tuple[int, int] | None:
        """Active and passive minutes: what is no preparing goes by itself. Active where only the total is told."""
        if self.prep is None and self.cook is None and self.total is None:
            return None
        told = (self.prep or 0) + (self.cook or 0)
        total = max(self.total or 0, told)
        active = self.prep if self.prep is not None else total - (self.cook or 0)
        return active, total - active


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do for the meal in `slot`. `start` is None where the recipe tells no time: done by `end`."""

    kind: StepKind
    slot: Slot
    recipe: str
    title: str
    start: datetime | None
    end: datetime
    detail: str = ""
    beside: tuple[str, ...] = ()
    """What cooks by itself meanwhile."""


def batches(meals: Iterable[PlannedMeal]) -> list[Batch]:
    """What is cooked in the order of the week: for all meals of the days a dish keeps, but what is best fresh."""
    by_recipe: dict[str, list[PlannedMeal]] = defaultdict(list)
    for meal in sorted(meals, key=lambda m: (m.day, MEALS.index(m.meal))):
        by_recipe[meal.recipe].append(meal)
    found: list[list[PlannedMeal]] = []
    for uses in by_recipe.values():
        days = timedelta(0 if is_best_fresh(uses[0].title) else KEEPS_DAYS)
        begun: list[PlannedMeal] = []
        for use in uses:
            if begun and (use.leftover_of is not None or (days and use.day - begun[0].day <= days)):
                begun.append(use)
            else:
                begun = [use]
                found.append(begun)
    done = [Batch(b[0].recipe, b[0].title, tuple((m.day, m.meal, servings_of(m.portions)) for m in b)) for b in found]
    return sorted(done, key=lambda b: (b.day, MEALS.index(b.meal), b.recipe))


def is_best_fresh(title: str) -> bool:
    """Whether a dish is made for each meal anew."""
    return not BEST_FRESH.isdisjoint(words(fold(title)))


def schedule(
    cooked: Sequence[Batch],
    times: Mapping[str, Times],
    meal_times: Mapping[Meal, time],
    zone: ZoneInfo,
    taken: Iterable[Taken] = (),
) -> list[Step]:
    """All steps by time. `taken` is what comes from the pantry: what is frozen is thawed first.

    What is put on the table at the same time as another is prepared before it, never at once with it.
    """
    due = {(b.day, b.meal, b.recipe): _at(b.day, meal_times[b.meal], zone) for b in cooked}
    order = sorted(cooked, key=lambda b: (due[b.day, b.meal, b.recipe], b.recipe), reverse=True)
    busy: list[tuple[datetime, datetime]] = []
    steps: list[Step] = []
    begins: dict[tuple[date, str], tuple[datetime, Batch]] = {}
    for batch in order:
        end = due[batch.day, batch.meal, batch.recipe]
        for step in _cooking(batch, times.get(batch.recipe, Times()).split(), end, busy):
            steps.append(step)
            first = min(step.start or step.end, begins.get((batch.day, batch.recipe), (end, batch))[0])
            begins[batch.day, batch.recipe] = first, batch
        steps += _leftovers(batch, meal_times, zone)
    steps += _thawing(taken, begins)
    return [
        _with_beside(step, steps)
        for step in sorted(steps, key=lambda s: (s.start or s.end, ORDER.index(s.kind), s.title))
    ]


def _at(day: date, at: time, zone: ZoneInfo) -> datetime:
    """In UTC, in which hours can be counted also when the clocks change."""
    return datetime.combine(day, at, zone).astimezone(UTC)


def _cooking(
    batch: Batch, minutes: tuple[int, int] | None, end: datetime, busy: list[tuple[datetime, datetime]]
) -> Iterable[Step]:
    slot, told = (batch.day, batch.meal), _told(batch)
    if minutes is None:
        yield Step("prepare", slot, batch.recipe, batch.title, None, end, told)
        return
    active, passive = minutes
    cooks_from = end - timedelta(minutes=passive)
    if active:
        start, ready = _free(cooks_from, timedelta(minutes=active), busy)
        busy.append((start, ready))
        yield Step("prepare", slot, batch.recipe, batch.title, start, ready, told)
    if passive:
        yield Step("cook", slot, batch.recipe, batch.title, cooks_from, end, "" if active else told)
    if not active and not passive:
        yield Step("prepare", slot, batch.recipe, batch.title, end, end, told)


def _free(ready: datetime, takes: timedelta, busy: Sequence[tuple[datetime, datetime]]) -> tuple[datetime, datetime]:
    """The latest time to do something so that it is ready and the hands are free."""
    for start, end in sorted(busy, reverse=True):
        if start < ready and ready - takes < end:
            ready = start
    return ready - takes, ready


def _told(batch: Batch) -> str:
    told = f"{batch.servings:g} serving{'' if batch.servings == 1 else 's'}"
    later = ", ".join(f"{day:%a} {meal}" for day, meal, _ in batch.meals[1:])
    return f"{told}, also for {later}" if later else told


def _leftovers(batch: Batch, meal_times: Mapping[Meal, time], zone: ZoneInfo) -> Iterable[Step]:
    for day, meal, servings in batch.meals[1:]:
        at = _at(day, meal_times[meal], zone)
        told = f"{servings:g} of what was cooked for {batch.day:%a} {batch.meal}"
        yield Step("serve", (day, meal), batch.recipe, batch.title, at, at, told)


def _thawing(taken: Iterable[Taken], begins: Mapping[tuple[date, str], tuple[datetime, Batch]]) -> Iterable[Step]:
    frozen: dict[tuple[date, str, str], list[Taken]] = defaultdict(list)
    for one in taken:
        if one.lot.frozen and one.use.day is not None and (one.use.day, one.use.recipe) in begins:
            frozen[one.use.day, one.use.recipe, one.lot.item].append(one)
    for (day, recipe, item), some in sorted(frozen.items()):
        end, batch = begins[day, recipe]
        weights = [_grams(one) for one in some]
        kilograms = 0.0 if None in weights else sum(w or 0.0 for w in weights) / GRAMS_A_KG
        days = max(math.ceil(round(kilograms / THAW_KG_A_DAY, 6)), 1)
        yield Step("thaw", (batch.day, batch.meal), recipe, item, end - timedelta(days=days), end, f"for {batch.title}")


def _grams(taken: Taken) -> float | None:
    lot = taken.lot
    if lot.unit == "g":
        return taken.lot_quantity
    return None if lot.grams is None or not lot.quantity else taken.lot_quantity * lot.grams / lot.quantity


def _with_beside(step: Step, steps: Sequence[Step]) -> Step:
    if step.kind != "prepare" or step.start is None:
        return step
    beside = tuple(
        sorted(
            other.title
            for other in steps
            if other.kind == "cook" and other.start and other.start < step.end and step.start < other.end
        )
    )
    return replace(step, beside=beside)
