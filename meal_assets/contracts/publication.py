"""Topic `publication`: what of ours stands at a service outside, and under which number there."""

from datetime import date
from typing import Literal

from pydantic import Field

from .base import Event, Value
from .values import Amount, Meal, RecipeId


class PublishedMeal(Value):
    """A planned meal and the entry that stands for it; `content_hash` is of all that the entry was made from."""

    day: date
    meal: Meal
    recipe: RecipeId
    entry: int = Field(ge=1)
    content_hash: str = Field(pattern=r"^[0-9a-f]{64}$")


class WeekPublished(Event, topic="publication", stream="publication/{service}/{week}", stays=True):
    """The week's meals as they stand in the service's meal plan; all other entries there are somebody else's."""

    examples = [
        {
            "service": "tandoor",
            "week": "2026-11-23",
            "meals": [
                {
                    "day": "2026-11-23",
                    "meal": "dinner",
                    "recipe": "tandoor-7",
                    "entry": 68,
                    "content_hash": "cd" * 32,
                }
            ],
            "meal_types": {"dinner": 3},
        }
    ]

    service: Literal["tandoor"]
    week: date
    meals: tuple[PublishedMeal, ...]
    meal_types: dict[Meal, int]
    """What the service calls each meal, by its number there: a person may have renamed it."""


class PublishedItem(Value):
    """A line of the shopping list and the entry that stands for it; no `quantity` where none was ever given."""

    item: str = Field(min_length=1, max_length=2_000)
    unit: str = Field(max_length=64)
    quantity: Amount | None = None
    entry: int = Field(ge=1)


class ListPublished(Event, topic="publication", stream="publication/{service}/{week}", stays=True):
    """The week's shopping list as it stands in the service's list; all other entries there are somebody else's."""

    examples = [
        {
            "service": "tandoor",
            "week": "2026-11-23",
            "items": [
                {"item": "red lentils", "unit": "g", "quantity": 262.5, "entry": 15},
                {"item": "salt", "unit": "", "entry": 16},
            ],
        }
    ]

    service: Literal["tandoor"]
    week: date
    items: tuple[PublishedItem, ...]
