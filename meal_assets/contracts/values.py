"""The words that several topics share: a person, a meal, an amount of nutrients."""

from collections.abc import Iterable
from typing import Annotated, Literal, Self, get_args

from pydantic import Field

from .base import Value

Meal = Literal["breakfast", "lunch", "dinner", "snack"]
MEALS: tuple[Meal, ...] = get_args(Meal)
"""In the order of the day."""

Diet = Literal[
    "vegetarian", "vegan", "gluten-free", "lactose-free", "low-fodmap", "vertical", "slow-carb", "keto", "high-protein",
    "mediterranean",
]  # fmt: skip
DIETS: tuple[Diet, ...] = get_args(Diet)

PersonId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
RecipeId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,127}$")]
Amount = Annotated[float, Field(ge=0, le=1_000_000)]
Energy = Annotated[float, Field(ge=0, le=100_000)]


class Nutrients(Value):
    """Energy in kcal, masses in the unit of their name. None means unknown, never zero."""

    kcal: Energy
    protein_g: Amount
    carbs_g: Amount
    fat_g: Amount
    fiber_g: Amount | None = None
    sugar_g: Amount | None = None
    saturated_fat_g: Amount | None = None
    sodium_mg: Amount | None = None

    def __mul__(self, factor: float) -> Self:
        """This many times as much; what is unknown stays unknown."""
        return type(self)(**{k: None if v is None else v * factor for k, v in self})

    @classmethod
    def total(cls, parts: Iterable["Nutrients"]) -> "Nutrients":
        """The sum; a nutrient unknown in any part is unknown in the sum."""
        rows = [dict(p) for p in parts]
        if not rows:
            return cls(kcal=0, protein_g=0, carbs_g=0, fat_g=0)
        sums = {k: None if any(r[k] is None for r in rows) else sum(r[k] for r in rows) for k in rows[0]}
        return cls(**sums)


class Macros(Value):
    """A day's energy and macronutrients: a target, or what was eaten."""

    kcal: Energy
    protein_g: Amount
    carbs_g: Amount
    fat_g: Amount


MACROS: tuple[str, ...] = tuple(Macros.model_fields)
