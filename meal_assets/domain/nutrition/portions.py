"""What an amount of a food weighs: by the food's own household portions, else by what such foods usually weigh."""

import re
from functools import lru_cache
from typing import NamedTuple

from meal_assets.domain.units import PIECE, VOLUMES_ML

from .foods import Food, Portion
from .words import food_words

DENSITY_G_ML = {
    "Fats and Oils": 0.92,
    "Beverages": 1.0,
    "Dairy and Egg Products": 1.0,
    "Soups, Sauces, and Gravies": 1.03,
    "Spices and Herbs": 0.45,
    "Cereal Grains and Pasta": 0.65,
    "Baked Products": 0.4,
    "Breakfast Cereals": 0.15,
    "Snacks": 0.2,
    "Sweets": 0.85,
    "Nut and Seed Products": 0.55,
    "Vegetables and Vegetable Products": 0.55,
    "Fruits and Fruit Juices": 0.65,
    "Legumes and Legume Products": 0.75,
}
"""Grams of a millilitre where a food has no portion by volume: the middle of those in its group that have."""
OTHER_DENSITY_G_ML = 0.6
"""Meat, fish and the rest: diced."""

SMALL_ML = {"pinch": 0.3, "dash": 0.6, "drop": 0.05, "splash": 7.0, "drizzle": 7.0, "squeeze": 5.0, "glug": 15.0}
SMALL_ML |= {
    "dollop": 20.0,
    "shake": 0.3,
    "grind": 0.2,
    "grinding": 0.2,
    "twist": 0.2,
    "spritz": 0.3,
    "spray": 0.3,
    "shot": 30.0,
}
"""What cooks measure with their hands, in millilitres."""
USUAL_G = {
    "handful": 30.0,
    "sprig": 1.0,
    "bunch": 100.0,
    "clove": 3.0,
    "slice": 25.0,
    "can": 400.0,
    "tin": 400.0,
    "jar": 350.0,
    "bottle": 500.0,
    "package": 250.0,
    "packet": 25.0,
    "envelope": 7.0,
    "sachet": 7.0,
    "bag": 300.0,
    "box": 400.0,
    "carton": 500.0,
    "container": 200.0,
    "tub": 200.0,
    "head": 500.0,
    "stalk": 40.0,
    "rib": 40.0,
    "leaf": 1.0,
    "sheet": 20.0,
    "scoop": 30.0,
    "knob": 15.0,
    "inch": 8.0,
    "strip": 15.0,
    "rasher": 25.0,
    "wedge": 20.0,
    "block": 300.0,
    "cube": 10.0,
    "stick": 113.0,
    "pat": 5.0,
    "ear": 100.0,
    "link": 85.0,
    "fillet": 150.0,
    "steak": 200.0,
    "chop": 150.0,
    "patty": 100.0,
    "bulb": 150.0,
    "floret": 11.0,
    "spear": 16.0,
    "log": 115.0,
    "loaf": 450.0,
    "round": 50.0,
    "square": 28.0,
}
"""Grams of one, where the food has no such portion."""
PIECE_GROUPS_G = {
    "Fruits and Fruit Juices": 120.0,
    "Vegetables and Vegetable Products": 100.0,
    "Baked Products": 45.0,
    "Poultry Products": 150.0,
    "Finfish and Shellfish Products": 150.0,
    "Beef Products": 225.0,
    "Pork Products": 150.0,
    "Sausages and Luncheon Meats": 75.0,
    "Sweets": 10.0,
}
"""Grams of one piece, where nothing is known of the food but its group."""

_LEADS = {"tablespoon": VOLUMES_ML["tbsp"], "teaspoon": VOLUMES_ML["tsp"], "quart": VOLUMES_ML["quart"]}
_LEADS |= {word: VOLUMES_ML[word] for word in ("cup", "cups", "tbsp", "tsp", "fl oz", "pint", "gallon")}
_NOT_A_PIECE = frozenset(
    [
        "serving",
        "package",
        "container",
        "can",
        "jar",
        "nlea",
        "bottle",
        "box",
        "order",
        "recipe",
        "slice",
        "cubic",
        "oz",
        "lb",
        "item",
    ]
)
_WORD = re.compile(r"[a-z]+")


class Weight(NamedTuple):
    """Grams, and by which rule. `known` where the food itself tells, not only what such foods usually weigh."""

    grams: float
    rule: str
    known: bool = True


class _Volume(NamedTuple):
    milliliters: float
    portion: Portion
    words: frozenset[str]


def weigh_volume(food: Food, milliliters: float, words: frozenset[str]) -> Weight:
    """By the food's portion whose words fit best what the line says of its state (`chopped`, `packed`).

    Of several the largest, since small ones are rounded figures: never the nearest, or twice the amount would not
    weigh twice as much.
    """
    volumes = _volumes(food)
    if not volumes:
        density = DENSITY_G_ML.get(food.group, OTHER_DENSITY_G_ML)
        return Weight(milliliters * density, f"{density:g} g/ml, as such foods have", known=False)

    def fitness(volume: _Volume) -> tuple[float, ...]:
        said = len(volume.words & words) * 2 - len(volume.words - words)
        return said, volume.milliliters, -volumes.index(volume)

    best = max(volumes, key=fitness)
    grams = milliliters / best.milliliters * best.portion.grams
    return Weight(grams, f"1 {best.portion.unit} is {best.portion.grams:g} g")


def weigh_count(food: Food, quantity: float, unit: str, size: str, words: frozenset[str]) -> Weight | None:
    """So many of a unit that is neither mass nor volume; None where nothing tells what one weighs."""
    if unit in SMALL_ML:
        each = weigh_volume(food, SMALL_ML[unit], words)
        return Weight(quantity * each.grams, f"a {unit} is {SMALL_ML[unit]:g} ml, {each.rule}", each.known)
    portion = _portion(food, unit, size)
    if portion is not None:
        return Weight(quantity * portion.grams, f"1 {portion.unit} is {portion.grams:g} g")
    if unit in USUAL_G:
        return Weight(quantity * USUAL_G[unit], f"a {unit} is {USUAL_G[unit]:g} g, usually", known=False)
    portion = _portion(food, PIECE, size) or _any_piece(food, words)
    if portion is not None:
        return Weight(quantity * portion.grams, f"1 {portion.unit} is {portion.grams:g} g")
    if (usual := PIECE_GROUPS_G.get(food.group)) is not None:
        return Weight(quantity * usual, f"a piece is {usual:g} g, as such foods are", known=False)
    return None


@lru_cache(maxsize=4096)
def _volumes(food: Food) -> tuple[_Volume, ...]:
    found = []
    for portion in food.portions:
        unit = portion.unit.casefold()
        lead = next((w for w in sorted(_LEADS, key=len, reverse=True) if re.match(rf"{w}\b", unit)), None)
        if lead is not None and portion.grams > 0:
            found.append(_Volume(_LEADS[lead], portion, frozenset(_WORD.findall(unit[len(lead) :]))))
    return tuple(found)


def _portion(food: Food, unit: str, size: str) -> Portion | None:
    """The portion that is called so: of a size when one is told, else the one of no size, else the medium one."""
    if unit == PIECE:
        wanted = (size, PIECE, "medium") if size else (PIECE, "medium")
        for word in wanted:
            for portion in food.portions:
                if portion.unit.casefold().startswith(word):
                    return portion
        return None
    named = [p for p in food.portions if unit in food_words(p.unit.partition("(")[0])[:3]]
    sized = [p for p in named if size and size in p.unit.casefold()]
    return next(iter(sized or named), None)


def _any_piece(food: Food, words: frozenset[str]) -> Portion | None:
    """A portion that can only be one of the food: `fruit`, `breast`, the food's own name."""
    pieces = [
        p
        for p in food.portions
        if (told := food_words(p.unit)) and not _NOT_A_PIECE.intersection(told) and told[0] not in _LEADS
    ]
    named = [p for p in pieces if words.intersection(food_words(p.unit))]
    return next(iter(named or pieces), None)
