"""Topic `nutrition`: what the ingredients of a recipe come to."""

from typing import Literal

from pydantic import Field

from .base import Event, Value
from .values import Amount, Nutrients, RecipeId

MAX_LINES = 500
MAX_NOT_UNDERSTOOD = 50
"""Lines named, at most; `coverage` counts all."""

FoodSource = Literal["usda", "openfoodfacts"]
FoodId = str
"""A FoodData Central number, `ndb:` and an NDB number, or `off:` and a barcode."""


class FoodUsed(Value):
    """A food of a line (counted from 0), and how many grams of it are in the whole recipe."""

    line: int = Field(ge=0)
    food: FoodId = Field(min_length=1, max_length=64)
    grams: Amount


class NotUnderstood(Value):
    """A line that counts for nothing, and why."""

    line: int = Field(ge=0)
    text: str = Field(max_length=500)
    reason: str = Field(max_length=255)


class RecipeNutritionComputed(Event, topic="nutrition", stream="nutrition/{recipe}", stays=True):
    """What a serving holds by its ingredients; said where nothing believable is published, and only when it is new."""

    examples = [
        {
            "recipe": "lentil-soup",
            "content_hash": "ef" * 32,
            "as_of": 1,
            "food_set": "ab" * 32,
            "servings": 4,
            "per_serving": {
                "kcal": 315,
                "protein_g": 18.9,
                "carbs_g": 59.3,
                "fat_g": 1.9,
                "fiber_g": 11.6,
                "sugar_g": 7.4,
                "saturated_fat_g": 0.3,
                "sodium_mg": 93,
            },
            "serving_g": 200,
            "coverage": 0.97,
            "sources": ["usda"],
            "foods": [{"line": 0, "food": "174284", "grams": 300}, {"line": 1, "food": "170393", "grams": 500}],
            "not_understood": [{"line": 2, "text": "salt of the sea of trees", "reason": "no food is near enough"}],
        },
        {
            "recipe": "tofu-bowl",
            "content_hash": "cd" * 32,
            "as_of": 2,
            "food_set": "ab" * 32,
            "coverage": 0,
            "serving_g": 0,
        },
    ]

    recipe: RecipeId
    content_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Of the recipe's content that was computed."""
    as_of: int = Field(ge=0)
    """The position of the log at which it was computed."""
    food_set: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Stands for exactly the foods that were known."""
    servings: float | None = Field(default=None, gt=0)
    per_serving: Nutrients | None = None
    """None where nothing was understood, or the recipe does not say how many servings it makes."""
    serving_g: Amount
    coverage: float = Field(ge=0, le=1)
    """Share of the recipe's mass that was understood."""
    sources: tuple[FoodSource, ...] = ()
    foods: tuple[FoodUsed, ...] = Field(default=(), max_length=MAX_LINES)
    not_understood: tuple[NotUnderstood, ...] = Field(default=(), max_length=MAX_NOT_UNDERSTOOD)
