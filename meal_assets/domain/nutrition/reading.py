"""An ingredient line as it was read: amounts, what of, and how it is prepared. How it is read is not told here."""

import re
from typing import Literal

from meal_assets.contracts.base import Value
from meal_assets.contracts.recipe import Ingredient

Join = Literal["", "+", "-"]


class Measure(Value):
    """So many of a unit, from `low` to `high`.

    `join`: added to the measure before it, or taken from it; "" for another way to say the whole amount.
    `each`: of each of the pieces that another measure counts. `prepared`: of the food as it is after preparation.
    """

    low: float
    high: float
    unit: str = ""
    join: Join = ""
    each: bool = False
    prepared: bool = False

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2


class Reading(Value):
    """One line. `names` are alternatives, or where `all_names` the parts of which the line has all."""

    line: str
    measures: tuple[Measure, ...] = ()
    names: tuple[str, ...] = ()
    all_names: bool = False
    size: str = ""
    preparation: str = ""
    comment: str = ""
    purpose: str = ""


def read_apart(ingredient: Ingredient) -> Reading | None:
    """The reading of a line whose source gave quantity, unit and food apart; None where it did not name the food."""
    if not ingredient.food:
        return None
    name, _, preparation = ingredient.food.partition(",")
    amount = ingredient.quantity
    measures = () if amount is None else (Measure(low=amount, high=amount, unit=ingredient.unit or ""),)
    return Reading(line=ingredient.line, measures=measures, names=(name.strip(),), preparation=preparation.strip())


_HEADING = re.compile(r"[^\d]{1,80}:|(?:for|to make) the [^\d,]{1,60}", re.IGNORECASE)


def is_heading(line: str) -> bool:
    """Whether a line only announces others: `For the sauce:`."""
    return _HEADING.fullmatch(line.strip()) is not None
