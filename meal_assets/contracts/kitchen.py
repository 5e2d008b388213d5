"""Topic `kitchen`: what a recipe needs, as foods with amounts that can be added up and bought."""

from pydantic import Field

from .base import Event, Value
from .nutrition import MAX_LINES, FoodId
from .values import Amount, RecipeId


class Wanted(Value):
    """What a line (counted from 0) of the whole recipe needs: `unit` is g, ml, piece or a word of its own.

    `grams` only where the food itself tells what so much of it weighs. No `quantity` where none was given.
    """

    line: int = Field(ge=0)
    item: str = Field(min_length=1, max_length=2_000)
    food: FoodId | None = Field(default=None, max_length=64)
    quantity: Amount | None = None
    unit: str = Field(default="", max_length=64)
    grams: Amount | None = None


class KnownFood(Value):
    """A food that is wanted: its group, what a millilitre and a piece weigh, and the packs it is sold in."""

    food: FoodId = Field(min_length=1, max_length=64)
    description: str = Field(max_length=255)
    group: str = Field(max_length=255)
    grams_per_ml: Amount | None = None
    grams_per_piece: Amount | None = None
    packs_g: tuple[Amount, ...] = ()


class IngredientsWeighed(Event, topic="kitchen", stream="kitchen/{recipe}", stays=True):
    """A planned recipe's lines as foods and amounts; said only when it is new."""

    examples = [
        {
            "recipe": "lentil-soup",
            "content_hash": "ef" * 32,
            "as_of": 70,
            "food_set": "ab" * 32,
            "wanted": [
                {"line": 0, "item": "red lentils", "food": "174284", "quantity": 300, "unit": "g", "grams": 300},
                {"line": 1, "item": "carrots", "food": "170393", "quantity": 8, "unit": "piece", "grams": 488},
                {"line": 2, "item": "salt"},
            ],
            "foods": [
                {"food": "174284", "description": "Lentils, pink or red, raw", "group": "Legumes and Legume Products"},
                {
                    "food": "170393",
                    "description": "Carrots, raw",
                    "group": "Vegetables and Vegetable Products",
                    "grams_per_ml": 0.541,
                    "grams_per_piece": 61,
                    "packs_g": [340],
                },
            ],
        },
        {
            "recipe": "lentil-soup",
            "content_hash": "12" * 32,
            "as_of": 84,
            "food_set": "ab" * 32,
            "wanted": [{"line": 0, "item": "what the garden gives", "quantity": 1, "unit": "× as written"}],
        },
    ]

    recipe: RecipeId
    content_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Of the recipe's content whose lines these are."""
    as_of: int = Field(ge=0)
    """The position of the log at which they were weighed."""
    food_set: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Stands for exactly the foods that were known."""
    wanted: tuple[Wanted, ...] = Field(max_length=2 * MAX_LINES)
    foods: tuple[KnownFood, ...] = Field(default=(), max_length=2 * MAX_LINES)
