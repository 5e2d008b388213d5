"""Topic `food`: which reference foods a household knows, and which of them its recipes mean."""

from typing import Literal

from pydantic import Field

from .base import Event

MAX_NAME = 255


class FoodsImported(Event, topic="food", stream="foods/{source}", stays=True):
    """Reference foods were brought in; their rows are kept under the hash, and never change."""

    examples = [
        {
            "source": "usda",
            "name": "FoodData_Central_sr_legacy.zip",
            "food_set": "ab" * 32,
            "foods": 7793,
            "rejected": 2,
        },
        {"source": "openfoodfacts", "name": "pantry.jsonl.gz", "food_set": "cd" * 32, "foods": 94, "rejected": 406},
    ]

    source: Literal["usda", "openfoodfacts"]
    name: str = Field(min_length=1, max_length=MAX_NAME)
    food_set: str = Field(pattern=r"^[0-9a-f]{64}$")
    foods: int = Field(ge=1)
    rejected: int = Field(ge=0)


class FoodMatchCorrected(Event, topic="food", stream="food_match/{key}", stays=True):
    """From now on, what recipes call so is this food; or no food at all."""

    examples = [
        {"text": "grandma's flour", "key": "grandma s flour", "food": "168894", "description": "Wheat flour, white"},
        {"text": "bamboo skewers", "key": "bamboo skewer"},
    ]

    text: str = Field(min_length=1, max_length=MAX_NAME)
    key: str = Field(min_length=1, max_length=MAX_NAME)
    """The words of the text in one form: whatever is written so is meant."""
    food: str | None = Field(default=None, min_length=1, max_length=64)
    description: str | None = Field(default=None, max_length=500)
