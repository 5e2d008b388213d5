"""From a week's portions to what must be bought: amounts of one food are added only where their units allow it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from meal_assets.contracts.recipe import Ingredient

AS_WRITTEN = "× as written"
"""The unit of a line that only its author's words describe: the quantity is how many times the line is needed."""
MASSES_G = {
    "mg": 0.001,
    **dict.fromkeys(("g", "gr", "gram", "grams", "gramme", "grammes", "gramm"), 1.0),
    **dict.fromkeys(("kg", "kilo", "kilos", "kilogram", "kilograms", "kilogramm"), 1000.0),
    **dict.fromkeys(("oz", "ounce", "ounces"), 28.349523125),
    **dict.fromkeys(("lb", "lbs", "pound", "pounds"), 453.59237),
}
VOLUMES_ML = {
    **dict.fromkeys(("ml", "cc", "milliliter", "milliliters", "millilitre", "millilitres"), 1.0),
    **dict.fromkeys(("cl", "centiliter", "centiliters", "centilitre", "centilitres"), 10.0),
    **dict.fromkeys(("dl", "deciliter", "deciliters", "decilitre", "decilitres"), 100.0),
    **dict.fromkeys(("l", "liter", "liters", "litre", "litres"), 1000.0),
    **dict.fromkeys(("tsp", "tsps", "teaspoon", "teaspoons", "tl"), 4.92892159375),
    **dict.fromkeys(("tbsp", "tbsps", "tbs", "tablespoon", "tablespoons", "el"), 14.78676478125),
    **dict.fromkeys(("fl oz", "floz", "fluid ounce", "fluid ounces"), 29.5735295625),
    **dict.fromkeys(("cup", "cups"), 236.5882365),
    **dict.fromkeys(("pt", "pint", "pints"), 473.176473),
    **dict.fromkeys(("qt", "quart", "quarts"), 946.352946),
    **dict.fromkeys(("gal", "gallon", "gallons"), 3785.411784),
}
"""Avoirdupois masses and US customary volumes, exact by definition (NIST Handbook 44, appendix C).

A word that is not here stays a unit of its own: a library of all units reads a bag as 94 pounds of cement, "t" as a
tonne, and "9**9**9" for ever.
"""
PIECES = {"", "piece", "pieces", "pc", "pcs", "whole"}


@dataclass(frozen=True, slots=True)
class Serving:
    """So many servings of a recipe that makes `makes` of them (1 where unknown) from `ingredients`."""

    title: str
    servings: float
    makes: float
    ingredients: tuple[Ingredient, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the list. `quantity` is None where no amount was ever given ("salt to taste")."""

    item: str
    quantity: float | None
    unit: str
    meals: tuple[str, ...]


def shopping_list(servings: Iterable[Serving]) -> list[Item]:
    """The list, by item and unit: masses in g, volumes in ml, pieces in pieces; grams are never added to pieces."""
    amounts: dict[tuple[str, str], float | None] = {}
    meals: dict[tuple[str, str], set[str]] = defaultdict(set)
    for serving in servings:
        factor = serving.servings / serving.makes
        for ingredient in serving.ingredients:
            item, quantity, unit = _amount(ingredient, factor)
            key = item, unit
            meals[key].add(serving.title)
            amounts[key] = quantity if quantity is None else (amounts.get(key) or 0.0) + quantity
    return [
        Item(item, None if (q := amounts[item, unit]) is None else round(q, 3), unit, tuple(sorted(meals[item, unit])))
        for item, unit in sorted(amounts)
    ]


def shown(quantity: float | None, unit: str) -> str:
    """An amount as people write it: "1.2 kg", "3 pieces", ""."""
    if quantity is None:
        return ""
    if unit in {"g", "ml"} and quantity >= 1000:
        thousands = f"{quantity / 1000:.3g}" if quantity < 100_000 else f"{quantity / 1000:.0f}"
        return f"{thousands} {'kg' if unit == 'g' else 'l'}"
    number = f"{quantity:.0f}" if quantity >= 10 else f"{quantity:.2g}"
    if unit == "piece":
        return f"{number} piece{'s' if number != '1' else ''}"
    return f"{number} {unit}"


def _amount(ingredient: Ingredient, factor: float) -> tuple[str, float | None, str]:
    if ingredient.food is None:
        return ingredient.line, factor, AS_WRITTEN
    if ingredient.quantity is None:
        return ingredient.food, None, ""
    size, unit = _base(ingredient.unit or "")
    return ingredient.food, ingredient.quantity * factor * size, unit


def _base(unit: str) -> tuple[float, str]:
    """How many grams, millilitres, pieces or of itself one of this unit is."""
    word = " ".join(unit.replace(".", " ").casefold().split())
    if word in PIECES:
        return 1.0, "piece"
    if word in MASSES_G:
        return MASSES_G[word], "g"
    if word in VOLUMES_ML:
        return VOLUMES_ML[word], "ml"
    return 1.0, word


def servings_of(portions: Mapping[str, float]) -> float:
    """All persons' portions of one planned meal together."""
    return sum(portions.values())
