"""The recipes a consumer may cook with, as of a position of the log."""

from collections import Counter
from collections.abc import Iterable, Mapping

from meal_assets.contracts.nutrition import RecipeNutritionComputed
from meal_assets.contracts.recipe import RecipeFetched, RecipeRemoved
from meal_assets.domain.nutrition import LEAST_COVERAGE, believed
from meal_assets.domain.recipes import carries_word
from meal_assets.event_store import EventStore, Recorded

NO_NUTRITION = "no believable nutrition, published or computed"
LITTLE_UNDERSTOOD = f"less than {LEAST_COVERAGE:.0%} of the ingredients understood"

ByRecipe = Mapping[str, RecipeNutritionComputed]


def recipes_at(recorded: Recorded, log: EventStore) -> list[RecipeFetched]:
    """Each recipe of the household as last fetched before this event, by id, but those that were removed since."""
    latest = log.latest((RecipeFetched, RecipeRemoved), household=recorded.household, until=recorded.position)
    return [r.event for r in latest if isinstance(r.event, RecipeFetched)]


def computed_at(recorded: Recorded, log: EventStore) -> dict[str, RecipeNutritionComputed]:
    """Recipe -> what its ingredients were last said to come to before this event."""
    latest = log.latest((RecipeNutritionComputed,), household=recorded.household, until=recorded.position)
    return {r.event.recipe: r.event for r in latest if isinstance(r.event, RecipeNutritionComputed)}


def usable(
    recipes: Iterable[RecipeFetched], computed: ByRecipe, excluded: Mapping[str, str]
) -> tuple[list[RecipeFetched], dict[str, int]]:
    """Those with nutrition and without any excluded word; and why the others were left out -> how many.

    `excluded` is each word with what may be said of it: the words of a person are their secret.
    `per_serving` of each is what is believed: as published, else as computed.
    """
    kept, left_out = [], Counter[str]()
    for recipe in recipes:
        told = computed.get(recipe.recipe)
        holds = believed(recipe, told)
        if holds is None:
            tried = told is not None and told.content_hash == recipe.content_hash and told.per_serving is not None
            left_out[LITTLE_UNDERSTOOD if tried else NO_NUTRITION] += 1
        elif word := next((w for w in sorted(excluded) if carries_word(recipe, w)), None):
            left_out[excluded[word]] += 1
        else:
            kept.append(recipe.model_copy(update={"per_serving": holds}))
    return kept, dict(sorted(left_out.items()))
