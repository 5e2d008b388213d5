"""From a week's portions to what must be bought: amounts of one food are added only where their units allow it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from meal_assets.contracts.recipe import Ingredient

from .units import in_base

AS_WRITTEN = "× as written"
"""The unit of a line that only its author's words describe: the quantity is how many times the line is needed."""


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
    size, unit = in_base(ingredient.unit or "")
    return ingredient.food, ingredient.quantity * factor * size, unit


def servings_of(portions: Mapping[str, float]) -> float:
    """All persons' portions of one planned meal together."""
    return sum(portions.values())
