"""The recipes a consumer may cook with, as of a position of the log."""

from collections import Counter
from collections.abc import Iterable

from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.domain.recipes import carries_word
from meal_assets.event_store import EventStore, Recorded

NO_NUTRITION = "no believable nutrition published"


def recipes_at(recorded: Recorded, log: EventStore) -> list[RecipeFetched]:
    """Each recipe of the household as last fetched before this event, by id."""
    latest = log.latest((RecipeFetched,), household=recorded.household, until=recorded.position)
    return [r.event for r in latest if isinstance(r.event, RecipeFetched)]


def usable(recipes: Iterable[RecipeFetched], excluded: Iterable[str]) -> tuple[list[RecipeFetched], dict[str, int]]:
    """Those with nutrition and without any excluded word; and why the others were left out -> how many."""
    words = sorted(set(excluded))
    kept, left_out = [], Counter[str]()
    for recipe in recipes:
        if recipe.per_serving is None:
            left_out[NO_NUTRITION] += 1
        elif word := next((w for w in words if carries_word(recipe, w)), None):
            left_out[f"excluded word: {word}"] += 1
        else:
            kept.append(recipe)
    return kept, dict(sorted(left_out.items()))
