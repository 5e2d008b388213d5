"""The dishes that ship with the product, so that a first plan needs no import.

Their nutrients are sums over USDA SR28 foods, per serving; salt "to taste" is in none of them.
"""

from pathlib import Path


def library() -> Path:
    """The JSON Lines file of the starter recipes: one recipe a line, nutrients per serving."""
    return Path(__file__).with_name("recipes.jsonl")
