"""Whose figures hold for a recipe, where several tell them. What nobody tells is missing, and never zero.

Published ones that were believed when the recipe was read (4/4/9 within tolerance, plausible for a serving) come first,
then those of the recipe manager it came from, then what its ingredients come to.
"""

from meal_assets.contracts.nutrition import RecipeNutritionComputed
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.contracts.values import Nutrients

LEAST_COVERAGE = 0.85
"""Share of a recipe's mass that must be understood before anybody's week is planned on what it came to."""


def believed(recipe: RecipeFetched, computed: RecipeNutritionComputed | None) -> Nutrients | None:
    """What a serving holds, good enough to plan with; None where that is missing.

    What was computed counts for the content it was computed from only.
    """
    if recipe.per_serving is not None:
        return recipe.per_serving
    if computed is None or computed.content_hash != recipe.content_hash or computed.coverage < LEAST_COVERAGE:
        return None
    return computed.per_serving
