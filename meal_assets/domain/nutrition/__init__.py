"""From ingredient lines to what a serving holds.

A line goes reading -> amounts -> matching -> portions, rules -> recipe; words and vocabulary know the names of foods.
"""

from .buying import food_of, grams_of, known_food, wanted_of
from .foods import Food, FoodSet, Portion, from_json, to_json
from .matching import FoodIndex, Match
from .precedence import LEAST_COVERAGE, believed
from .reading import Measure, Reading, read_apart
from .recipe import Computed, Part, compute, food_key, nutrients_of

__all__ = [
    "LEAST_COVERAGE",
    "Computed",
    "Food",
    "FoodIndex",
    "FoodSet",
    "Match",
    "Measure",
    "Part",
    "Portion",
    "Reading",
    "believed",
    "compute",
    "food_key",
    "food_of",
    "from_json",
    "grams_of",
    "known_food",
    "nutrients_of",
    "read_apart",
    "to_json",
    "wanted_of",
]
