"""What must hold of every week on its way to the kitchen, told apart from how it is computed; and random weeks.

The benchmark `kitchen` holds real recipes against the same laws.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

from meal_assets.contracts.kitchen import IngredientsWeighed, Wanted
from meal_assets.contracts.plan import PlannedMeal
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.contracts.values import MEALS
from meal_assets.domain.nutrition import food_key
from meal_assets.domain.pantry import Lot, pantry_key
from meal_assets.domain.prep import KEEPS_DAYS, Batch, Step, Times, batches, is_best_fresh, schedule
from meal_assets.domain.publication import MEAL_TIMES
from meal_assets.domain.shop import Shop, ToBuy, to_buy
from meal_assets.domain.shopping import Item, Serving, as_written, shopping_list
from meal_assets.domain.units import AS_WRITTEN
from meal_assets.errors import Invalid

MONDAY = date(2026, 10, 19)
"""The clocks change on its Sunday."""
ZONE = ZoneInfo("Europe/Berlin")
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Week:
    """A planned week, the recipes as they are and as they were weighed, and what is at home."""

    meals: tuple[PlannedMeal, ...]
    recipes: dict[str, RecipeFetched]
    weighed: dict[str, IngredientsWeighed]
    lots: tuple[Lot, ...]

    def wanted(self, recipe: str) -> list[Wanted]:
        if recipe in self.weighed:
            return list(self.weighed[recipe].wanted)
        return [as_written(i) for i in self.recipes[recipe].ingredients]


@dataclass(frozen=True, slots=True)
class Kitchen:
    """All that is made of a week."""

    cooked: list[Batch]
    items: list[Item]
    bought: list[ToBuy]
    steps: list[Step]


def kitchen_of(week: Week, shop: Shop) -> Kitchen:
    cooked = batches(week.meals)
    recipes = week.recipes
    items = shopping_list(
        Serving(
            b.title,
            b.servings,
            recipes[b.recipe].servings or 1.0,
            recipes[b.recipe].ingredients,
            week.weighed.get(b.recipe),
            b.recipe,
            b.day,
        )
        for b in cooked
    )
    bought = to_buy(items, week.lots, shop)
    taken = [t for line in bought for t in line.taken]
    return Kitchen(cooked, items, bought, schedule(cooked, times_of(recipes), MEAL_TIMES, ZONE, taken))


def times_of(recipes: dict[str, RecipeFetched]) -> dict[str, Times]:
    return {r: Times(x.prep_minutes, x.cook_minutes, x.total_minutes) for r, x in recipes.items()}


def violations(week: Week, kitchen: Kitchen, shop: Shop) -> list[str]:
    """Every law that is broken, in words."""
    return [
        *_list_is_the_sum(week, kitchen.items),
        *_pantry_and_packs(week, kitchen, shop),
        *_batches_feed_the_week(week, kitchen.cooked),
        *_steps_can_be_done(week, kitchen),
    ]


def random_week(random: Random, recipes: Sequence[RecipeFetched], weighed: dict[str, IngredientsWeighed]) -> Week:
    """One that could be planned; the pantry has some of what it needs, in some unit, and some that it does not."""
    some = random.sample(list(recipes), min(len(recipes), random.randint(1, 14)))
    persons = ["ada", "ben", "eve", "joe"][: random.randint(1, 4)]
    slots = [(MONDAY + timedelta(days=n), meal) for n in range(7) for meal in MEALS if random.random() < 0.8]
    meals = []
    for day, meal in slots:
        recipe = random.choice(some)
        portions = {p: random.randint(1, 10) / 4 for p in persons if random.random() < 0.9} or {"ada": 1.0}
        title = recipe.title
        meals.append(PlannedMeal(day=day, meal=meal, recipe=recipe.recipe, title=title, portions=portions))
    known = {r.recipe: weighed[r.recipe] for r in some if r.recipe in weighed and random.random() < 0.9}
    week = Week(tuple(meals), {r.recipe: r for r in some}, known, ())
    wanted = [w for r in week.recipes for w in week.wanted(r)]
    lots = [lot for w in random.choices(wanted, k=random.randint(0, 25)) if (lot := _random_lot(random, w))]
    return Week(week.meals, week.recipes, known, tuple(lots))


def _random_lot(random: Random, wanted: Wanted) -> Lot | None:
    try:
        key = pantry_key(wanted.item)
    except Invalid:
        return None
    quantity = (wanted.quantity or 1.0) * random.choice([0.25, 0.5, 1.0, 3.0])
    grams = None
    if wanted.grams is not None and wanted.quantity:
        grams = quantity / wanted.quantity * wanted.grams
    unit = wanted.unit
    if grams is not None and random.random() < 0.5:
        quantity, unit = grams, "g"
    expires = MONDAY + timedelta(days=random.randint(-2, 9)) if random.random() < 0.5 else None
    return Lot(key, wanted.item, quantity, unit, wanted.food, grams, expires, random.random() < 0.3)


def _key(wanted: Wanted, foods: set[str]) -> Key:
    if wanted.food in foods:
        return "food", str(wanted.food)
    return ("line", wanted.item) if wanted.unit == AS_WRITTEN else ("name", food_key(wanted.item) or wanted.item)


def _key_of(item: Item) -> Key:
    if item.food is not None:
        return "food", item.food.food
    name = item.names[0]
    return ("line", name) if item.unit == AS_WRITTEN else ("name", food_key(name) or name)


def _list_is_the_sum(week: Week, items: list[Item]) -> Iterator[str]:
    needed: dict[Key, list[tuple[str, float | None, float | None, str]]] = defaultdict(list)
    for meal in week.meals:
        recipe = week.recipes[meal.recipe]
        foods = {f.food for f in week.weighed[meal.recipe].foods} if meal.recipe in week.weighed else set()
        factor = sum(meal.portions.values()) / (recipe.servings or 1.0)
        for w in week.wanted(meal.recipe):
            amounts = [None if a is None else a * factor for a in (w.quantity, w.grams)]
            needed[_key(w, foods)].append((w.unit, amounts[0], amounts[1], meal.title))
    listed: dict[Key, dict[str, Item]] = defaultdict(dict)
    for item in items:
        unit = item.unit if item.quantity is not None else ""
        if unit in listed[_key_of(item)]:
            yield f"{item.item} stands twice in {unit!r}"
        listed[_key_of(item)][unit] = item
    if needed.keys() != listed.keys():
        yield f"not the same foods: {needed.keys() ^ listed.keys()}"
        return
    if len({(i.item, i.unit) for i in items}) < len(items):
        yield "two lines are called the same"
    for key, needs in needed.items():
        rows = dict(listed[key])
        if any(quantity is None for _, quantity, *_ in needs) != ("" in rows):
            yield f"{key} without an amount is lost or invented"
        rows.pop("", None)
        weighed = 0.0
        for unit in {unit for unit, quantity, *_ in needs if quantity is not None}:
            parts = [(quantity, grams) for u, quantity, grams, _ in needs if u == unit and quantity is not None]
            if unit in rows and unit != "g":
                yield from _near(f"{key} in {unit}", rows.pop(unit).quantity, sum(q for q, _ in parts), len(parts))
            elif any(grams is None for _, grams in parts):
                yield f"{key}: {unit} of unknown weight became grams"
            else:
                weighed += sum(grams or 0.0 for _, grams in parts)
        if "g" in rows:
            yield from _near(f"{key} in g", rows.pop("g").quantity, weighed, len(needs))
        elif weighed > 0.01:
            yield f"{weighed} g of {key} are lost"
        if rows:
            yield f"{key} has units nobody asked for: {list(rows)}"
        titles = {title for *_, title in needs}
        told = {title for item in listed[key].values() for title in item.meals}
        if titles != told:
            yield f"{key} is for {titles}, not {told}"


def _near(what: str, got: float | None, wanted: float, parts: int) -> Iterator[str]:
    """The same, but for rounding each part to the third digit."""
    if got is None or not math.isclose(got, wanted, rel_tol=1e-6, abs_tol=0.001 * (parts + 1)):
        yield f"{what}: {got} is not {wanted}"


def _pantry_and_packs(week: Week, kitchen: Kitchen, shop: Shop) -> Iterator[str]:
    if sorted((b.item.item, b.item.unit) for b in kitchen.bought) != [(i.item, i.unit) for i in kitchen.items]:
        yield "not every line is bought once"
    order = [*shop.aisles, "other"]
    places = [order.index(b.aisle) for b in kitchen.bought]
    if places != sorted(places):
        yield "the aisles are not in the order of the walk"
    used: dict[tuple[object, ...], float] = defaultdict(float)
    for line in kitchen.bought:
        item = line.item
        if item.quantity is None:
            if line.taken or line.quantity is not None:
                yield f"{item.item} has no amount, and one was made up"
            continue
        assert line.missing is not None
        assert line.quantity is not None
        both = line.at_home + line.missing
        yield from _near(f"{item.item} at home and missing", both, item.quantity, len(item.uses) + 3)
        sizes = shop.packs_of(item.food, item.unit)
        if line.missing and sizes:
            if line.quantity < line.missing - 0.002:
                yield f"{item.item}: {line.quantity} bought of {line.missing}"
            if line.quantity - line.missing >= min(sizes) + 0.01:
                yield f"{item.item}: {line.quantity} bought of {line.missing}, a pack of {min(sizes)} too many"
        elif line.quantity != line.missing:
            yield f"{item.item}: {line.quantity} is not {line.missing}, and no pack is known"
        for t in line.taken:
            used[t.lot.key, t.lot.item, t.lot.food, t.lot.unit, t.lot.expires, t.lot.frozen] += t.lot_quantity
            if t.lot.expires and t.use.day and t.lot.expires < t.use.day:
                yield f"{item.item} is cooked when it is off"
            if t.lot.food and item.food and t.lot.food != item.food.food:
                yield f"{t.lot.item} is taken for {item.item}"
            if t.lot.unit == item.unit:
                yield from _near(f"{item.item} taken", t.lot_quantity, t.quantity, 1)
            elif t.lot.grams is None or item.grams is None:
                yield f"{t.lot.item} of unknown weight is taken for {item.item}"
            else:
                grams = t.lot_quantity / t.lot.quantity * t.lot.grams
                yield from _near(f"{item.item} weighed", grams, t.quantity / item.quantity * item.grams, 100)
    there: dict[tuple[object, ...], float] = defaultdict(float)
    for lot in week.lots:
        there[lot.key, lot.item, lot.food, lot.unit, lot.expires, lot.frozen] += lot.quantity
    for key, quantity in used.items():
        if quantity > there[key] * (1 + 1e-9) + 1e-6:
            yield f"{quantity} of {key} is taken, and {there[key]} is there"


def _batches_feed_the_week(week: Week, cooked: list[Batch]) -> Iterator[str]:
    planned = {(m.recipe, m.day, m.meal): sum(m.portions.values()) for m in week.meals}
    fed = [(b.recipe, day, meal, servings) for b in cooked for day, meal, servings in b.meals]
    if len(fed) != len(planned) or any(abs(planned.get((r, d, m), -1) - s) > 1e-6 for r, d, m, s in fed):
        yield "a meal is not fed once with what is planned"
    for batch in cooked:
        kept = (batch.meals[-1][0] - batch.day).days
        if kept > (0 if is_best_fresh(batch.title) else KEEPS_DAYS):
            yield f"{batch.title} is kept for {kept} days"


def _steps_can_be_done(week: Week, kitchen: Kitchen) -> Iterator[str]:
    def at(day: date, meal: str) -> datetime:
        when: time = MEAL_TIMES[meal]  # type: ignore[index]
        return datetime.combine(day, when, ZONE).astimezone(UTC)

    active = sorted((s.start, s.end) for s in kitchen.steps if s.kind == "prepare" and s.start and s.start < s.end)
    if any(later[0] < earlier[1] for earlier, later in pairwise(active)):
        yield "two dishes are prepared at once"
    if [s.start or s.end for s in kitchen.steps] != sorted(s.start or s.end for s in kitchen.steps):
        yield "the steps are not in the order of time"
    times = times_of(week.recipes)
    for batch in kitchen.cooked:
        steps = {
            s.kind: s
            for s in kitchen.steps
            if s.kind in ("prepare", "cook") and (s.recipe, s.slot) == (batch.recipe, (batch.day, batch.meal))
        }
        split, due = times[batch.recipe].split(), at(batch.day, batch.meal)
        if not steps or any(s.end > due for s in steps.values()):
            yield f"{batch.title} is not ready by its meal"
            continue
        told = tuple(
            int((s.end - s.start).total_seconds() / 60) if (s := steps.get(kind)) and s.start else 0
            for kind in ("prepare", "cook")
        )
        if told != (split or (0, 0)):
            yield f"{batch.title} takes {told} minutes, not {split}"
        if "cook" in steps and "prepare" in steps and steps["prepare"].end > (steps["cook"].start or due):
            yield f"{batch.title} cooks before it is prepared"
        first = min(s.start or s.end for s in steps.values())
        frozen = {
            t.lot.item
            for line in kitchen.bought
            for t in line.taken
            if t.lot.frozen and (t.use.recipe, t.use.day) == (batch.recipe, batch.day)
        }
        thawed = {
            s.title
            for s in kitchen.steps
            if s.kind == "thaw" and s.recipe == batch.recipe and s.start and s.end - s.start >= timedelta(days=1)
        }
        same_day = sum((b.recipe, b.day) == (batch.recipe, batch.day) for b in kitchen.cooked)
        late = any(
            s.end > first and s.slot == (batch.day, batch.meal) and same_day == 1
            for s in kitchen.steps
            if s.kind == "thaw" and s.recipe == batch.recipe
        )
        if not frozen <= thawed or late:
            yield f"{frozen - thawed} for {batch.title} is still frozen"
    served = sum(s.kind == "serve" for s in kitchen.steps)
    if served != len(week.meals) - len(kitchen.cooked):
        yield f"{served} meals of leftovers are told"
