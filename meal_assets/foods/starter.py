"""The foods that ship: the commonest of recipes, with figures of USDA SR28 (public domain) and the names cooks use."""

from functools import cache
from pathlib import Path

from meal_assets.domain.nutrition.foods import FoodSet, from_json


def starter_file() -> Path:
    """The JSON Lines file of the starter foods, by id."""
    return Path(__file__).with_name("starter.jsonl")


@cache
def starter_foods() -> FoodSet:
    """The starter foods as they ship with this version of the program."""
    return FoodSet.of(map(from_json, starter_file().read_text(encoding="utf-8").splitlines()))
