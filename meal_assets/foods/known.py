"""The foods a household knows at a position of the log: those that ship, those it brought in, and its corrections."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from meal_assets.contracts.food import FoodMatchCorrected, FoodsImported
from meal_assets.contracts.kitchen import IngredientsWeighed
from meal_assets.contracts.nutrition import MAX_LINES, RecipeNutritionComputed
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.domain.nutrition import Computed, Food, FoodIndex, compute, wanted_of
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore

from .computed import said_of
from .kept import kept_foods, newest
from .lines import readings_of
from .starter import starter_foods

MAX_WANTED = 2 * MAX_LINES
MAX_INDEXES = 2
"""Indexes held in memory; the one of all of USDA takes some 60 MB."""
_indexes: dict[tuple[str, ...], tuple[FoodIndex, str]] = {}
"""By the sets they were made of, which never change."""


@dataclass(frozen=True, slots=True)
class Known:
    """An index of foods, what stands for exactly these, and corrections: the words -> the food, None for no food."""

    index: FoodIndex
    food_set: str
    corrections: Mapping[str, Food | None]

    def compute(self, log: EventStore, recipe: RecipeFetched) -> Computed:
        """What the recipe's lines come to, with every step."""
        return compute(readings_of(log.database, recipe.ingredients), recipe.servings, self.index, self.corrections)

    def say(self, log: EventStore, recipe: RecipeFetched, as_of: int) -> RecipeNutritionComputed:
        """The same as an event."""
        return said_of(recipe, self.compute(log, recipe), self.food_set, as_of)

    def weigh(self, log: EventStore, recipe: RecipeFetched, as_of: int) -> IngredientsWeighed:
        """What the recipe's lines need to be bought."""
        readings = readings_of(log.database, recipe.ingredients)
        wanted, foods = wanted_of(readings, self.index, self.corrections)
        return IngredientsWeighed(
            recipe=recipe.recipe,
            content_hash=recipe.content_hash,
            as_of=as_of,
            food_set=self.food_set,
            wanted=wanted[:MAX_WANTED],
            foods=foods,
        )


def foods_known(log: EventStore, household: str, until: int) -> Known:
    """What the household knows of foods at a position. Raises `Permanent` when a set it brought in is not kept here."""
    sets = food_sets(log, household, until)
    index, food_set = _index(log, sets)
    corrections = {
        event.key: index.by_id[event.food] if event.food else None
        for event in (r.event for r in log.latest((FoodMatchCorrected,), household=household, until=until))
        if isinstance(event, FoodMatchCorrected) and (event.food is None or event.food in index.by_id)
    }
    return Known(index, food_set, corrections)


def food_sets(log: EventStore, household: str, until: int, source: str | None = None) -> tuple[str, ...]:
    """The sets a household brought in, of one source or of all, in the order of the log."""
    wanted = [source] if source else ["usda", "openfoodfacts"]
    streams = [log.read_stream(f"{household}/foods/{one}", until) for one in wanted]
    told = sorted((r for stream in streams for r in stream), key=lambda r: r.position)
    return tuple(dict.fromkeys(r.event.food_set for r in told if isinstance(r.event, FoodsImported)))


def food_with(log: EventStore, household: str, food: str) -> Food:
    """The food with this id. Raises `Invalid` when the household knows none."""
    found = newest(log.database, food, food_sets(log, household, log.head()))
    found = found or next((f for f in starter_foods().foods if f.food == food), None)
    if found is None:
        raise Invalid("food", f"{food!r} is no food known here: `meals nutrition foods WORDS` finds its id")
    return found


def _index(log: EventStore, sets: tuple[str, ...]) -> tuple[FoodIndex, str]:
    """The index of these sets and the starter foods, and the hash that stands for all of them."""
    if sets not in _indexes:
        foods = {food.food: food for food_set in sets for food in kept_foods(log.database, food_set)}
        for shipped in starter_foods().foods:
            foods[shipped.food] = _with_names(foods.get(shipped.food), shipped)
        stands_for = sha256("\n".join((starter_foods().sha256, *sets)).encode()).hexdigest()
        while len(_indexes) >= MAX_INDEXES:
            _indexes.pop(next(iter(_indexes)))
        _indexes[sets] = FoodIndex([foods[food] for food in sorted(foods)]), stands_for
    return _indexes[sets]


def _with_names(food: Food | None, shipped: Food) -> Food:
    """The figures that were brought in, under the names that ship."""
    if food is None:
        return shipped
    units = {p.unit for p in shipped.portions}
    portions = (*shipped.portions, *(p for p in food.portions if p.unit not in units))
    return replace(food, names=shipped.names, like=shipped.like, portions=portions)
