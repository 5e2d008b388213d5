"""Bringing in reference foods, and saying which of them a recipe means."""

from collections.abc import Sequence
from typing import Literal

from meal_assets.contracts import Event
from meal_assets.contracts.food import MAX_NAME, FoodMatchCorrected, FoodsImported
from meal_assets.domain.nutrition import FoodSet, food_key
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Origin
from meal_assets.foods.kept import keep_foods
from meal_assets.foods.known import food_with
from meal_assets.foods.usda import ReadFoods

from .base import Accepted, command


def import_foods(
    store: EventStore, source: Literal["usda", "openfoodfacts"], name: str, read: ReadFoods, origin: Origin
) -> Accepted:
    """Keep the foods and say that they are known from now on; the same foods again say nothing new."""
    foods = FoodSet.of(read.foods)
    with store.database.transaction() as db:
        keep_foods(db, foods)
    event = FoodsImported(
        source=source,
        name=name[:MAX_NAME],
        food_set=foods.sha256,
        foods=len(foods.foods),
        rejected=read.rejected,
    )

    def decide(history: list[Event]) -> Sequence[Event]:
        known = {e.food_set for e in history if isinstance(e, FoodsImported)}
        return [] if event.food_set in known else [event]

    return command(store, event.stream_in(origin.household), decide, origin)


def correct_match(store: EventStore, text: str, food: str | None, origin: Origin) -> Accepted:
    """Let what recipes call so be this food, None for no food at all; what stands already says nothing new.

    Raises `Invalid` when the text has no word, or the food is not known.
    """
    key = food_key(text)
    if not key:
        raise Invalid("text", f"{text!r} has no word in it: write what the recipe calls the food")
    found = food_with(store, origin.household, food) if food else None
    event = FoodMatchCorrected(
        text=text[:MAX_NAME],
        key=key[:MAX_NAME],
        food=food,
        description=found.description if found else None,
    )

    def decide(history: list[Event]) -> Sequence[Event]:
        last = history[-1] if history else None
        stands = isinstance(last, FoodMatchCorrected) and last.food == food
        return [] if stands else [event]

    return command(store, event.stream_in(origin.household), decide, origin)
