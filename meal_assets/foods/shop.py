"""The layout of a shop and the cartons that ship with the program: see shop.toml for where they come from."""

import tomllib
from functools import cache
from pathlib import Path

from meal_assets.domain.nutrition import food_key
from meal_assets.domain.shop import Shop


@cache
def shop() -> Shop:
    """The shop as it ships with this version of the program."""
    told = tomllib.loads(Path(__file__).with_name("shop.toml").read_text(encoding="utf-8"))
    words = {food_key(word): aisle for aisle, words in told["words"].items() for word in words}
    return Shop(tuple(told["aisles"]), words, told["groups"], {k: tuple(v) for k, v in told["pieces"].items()})
