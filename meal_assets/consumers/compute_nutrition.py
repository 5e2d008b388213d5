"""Work out what a serving holds from the ingredients, where nothing believable is published."""

from collections.abc import Iterator

from meal_assets.contracts.food import FoodMatchCorrected, FoodsImported
from meal_assets.contracts.nutrition import RecipeNutritionComputed
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.event_store import EventStore, Recorded
from meal_assets.foods.computed import is_news
from meal_assets.foods.known import foods_known

from .base import Consumer, Said
from .library import recipes_at


class ComputeNutrition(Consumer):
    """Computes a recipe when it is fetched, and all again when foods are brought in or a match is corrected."""

    listens_to = (RecipeFetched, FoodsImported, FoodMatchCorrected)
    says = (RecipeNutritionComputed,)

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said]:
        event = recorded.event
        recipes = [event] if isinstance(event, RecipeFetched) else recipes_at(recorded, log)
        wanted = [r for r in recipes if r.per_serving is None]
        if not wanted:
            return
        known = foods_known(log, recorded.household, recorded.position)
        for recipe in wanted:
            said = known.say(log, recipe, recorded.position)
            if is_news(said, self._said_before(recipe.recipe, recorded, log)):
                yield Said(said, key=recipe.recipe)

    def _said_before(self, recipe: str, recorded: Recorded, log: EventStore) -> RecipeNutritionComputed | None:
        """What was said last because of an earlier event: what a first attempt at this one said does not count."""
        stream = log.read_stream(f"{recorded.household}/nutrition/{recipe}")
        said = [r.event for r in stream if isinstance(r.event, RecipeNutritionComputed)]
        return next((e for e in reversed(said) if e.as_of < recorded.position), None)
