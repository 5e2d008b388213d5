"""Topic `diary`: what was really eaten. A plan never writes here; people do."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from .base import Event
from .personal import PERSONAL
from .values import Amount, Meal, Nutrients, PersonId, RecipeId

EntryId = str

_YOGHURT = {
    **{"kcal": 190, "protein_g": 7, "carbs_g": 24, "fat_g": 7},
    **{"fiber_g": 0, "sugar_g": 24, "saturated_fat_g": 4.6, "sodium_mg": 90},
}
"""In examples."""


class MealLogged(Event, topic="diary", stream="diary/{person}/{day}"):
    """A person ate this on that local calendar day."""

    examples = [
        {
            "entry": "7f1d",
            "person": "ada",
            "day": "2026-11-23",
            "meal": "dinner",
            "food": "Lentil soup",
            "recipe": "lentil-soup",
            "servings": 1.5,
            "nutrition": {"kcal": 450, "protein_g": 30, "carbs_g": 60, "fat_g": 7.5},
            "source": "plan",
        },
        {
            "entry": "7f1e",
            "person": "ada",
            "day": "2026-11-23",
            "meal": "snack",
            "food": "Apple",
            "grams": 150,
            "nutrition": {"kcal": 78, "protein_g": 0.39, "carbs_g": 20.7, "fat_g": 0.26, "fiber_g": 3.6},
            "source": "person",
        },
        {
            "entry": "7f20",
            "person": "ada",
            "day": "2026-11-24",
            "meal": "breakfast",
            "food": "Yoghurt with honey",
            "grams": 200,
            "nutrition": _YOGHURT,
            "source": "import",
        },
    ]

    entry: EntryId = Field(min_length=1, max_length=64)
    person: PersonId
    day: date
    meal: Meal
    food: Annotated[str, Field(min_length=1, max_length=500), PERSONAL]
    recipe: RecipeId | None = None
    servings: float | None = Field(default=None, gt=0, le=100)
    grams: Amount | None = None
    nutrition: Nutrients
    source: Literal["person", "plan", "import"]


class MealLogCorrected(Event, topic="diary", stream="diary/{person}/{day}"):
    """An entry of that day was wrong: `nutrition` holds instead of `before`."""

    examples = [
        {
            "entry": "7f1e",
            "person": "ada",
            "day": "2026-11-23",
            "before": {"kcal": 78, "protein_g": 0.39, "carbs_g": 20.7, "fat_g": 0.26, "fiber_g": 3.6},
            "nutrition": {"kcal": 95, "protein_g": 0.5, "carbs_g": 25, "fat_g": 0.3, "fiber_g": 4.4},
        },
        {
            "entry": "7f20",
            "person": "ada",
            "day": "2026-11-24",
            "before": _YOGHURT,
            "nutrition": _YOGHURT | {"kcal": 250, "sodium_mg": 95},
        },
    ]

    entry: EntryId = Field(min_length=1, max_length=64)
    person: PersonId
    day: date
    before: Nutrients
    nutrition: Nutrients


class MealLogRetracted(Event, topic="diary", stream="diary/{person}/{day}"):
    """An entry of that day never happened; `before` is what it had counted for."""

    examples = [
        {
            "entry": "7f1d",
            "person": "ada",
            "day": "2026-11-23",
            "before": {"kcal": 450, "protein_g": 30, "carbs_g": 60, "fat_g": 7.5},
        },
        {"entry": "7f20", "person": "ada", "day": "2026-11-24", "before": _YOGHURT},
    ]

    entry: EntryId = Field(min_length=1, max_length=64)
    person: PersonId
    day: date
    before: Nutrients


class DayClosed(Event, topic="diary", stream="diary/{person}/{day}"):
    """The day's diary is complete: it can be compared with the targets."""

    examples = [{"person": "ada", "day": "2026-11-23"}]

    person: PersonId
    day: date
