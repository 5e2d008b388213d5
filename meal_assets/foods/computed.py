"""A computed recipe as an event: the foods and grams that made it, and what was not understood, bounded."""

from meal_assets.contracts.nutrition import (
    MAX_LINES,
    MAX_NOT_UNDERSTOOD,
    FoodUsed,
    NotUnderstood,
    RecipeNutritionComputed,
)
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.domain.nutrition import Computed

MAX_TEXT = 500


def said_of(recipe: RecipeFetched, done: Computed, food_set: str, as_of: int) -> RecipeNutritionComputed:
    """What is said of a recipe that was computed with this food set at this position of the log."""
    used = [p for p in done.parts if p.match is not None and not p.aside and p.grams > 0]
    left = [p for p in done.parts if not p.understood]
    return RecipeNutritionComputed.model_validate(
        {
            "recipe": recipe.recipe,
            "content_hash": recipe.content_hash,
            "as_of": as_of,
            "food_set": food_set,
            "servings": done.servings,
            "per_serving": done.per_serving,
            "serving_g": min(round(done.grams / (done.servings or 1), 1), 1_000_000),
            "coverage": round(done.coverage, 3),
            "sources": sorted({p.match.food.source for p in used if p.match}, reverse=True),
            "foods": [
                FoodUsed(line=p.line, food=p.match.food.food, grams=min(round(p.grams, 1), 1_000_000))
                for p in used[:MAX_LINES]
                if p.match
            ],
            "not_understood": [
                NotUnderstood(line=p.line, text=p.text[:MAX_TEXT], reason=p.rule) for p in left[:MAX_NOT_UNDERSTOOD]
            ],
        }
    )


def is_news(said: RecipeNutritionComputed, before: RecipeNutritionComputed | None) -> bool:
    """Whether it says something else than before; when, and with which other foods around, is no news."""
    if before is None:
        return True
    same = {"as_of": before.as_of, "food_set": before.food_set}
    return said.model_copy(update=same) != before
