"""Topic `diary`: what was really eaten. A plan never writes here; people do."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, field_validator

from .base import Event, Value
from .personal import PERSONAL
from .values import Amount, Meal, Nutrients, PersonId, RecipeId

EntryId = str

_YOGHURT = {
    **{"kcal": 190, "protein_g": 7, "carbs_g": 24, "fat_g": 7},
    **{"fiber_g": 0, "sugar_g": 24, "saturated_fat_g": 4.6, "sodium_mg": 90},
}
"""In examples."""


class ObservedEntry(Value):
    """A line of a diary elsewhere, by its number there: so many units of a serving of a food, as these are numbered."""

    number: str = Field(pattern=r"^[0-9]{1,20}$")
    food: str = Field(pattern=r"^[0-9]{0,20}$")
    serving: str = Field(pattern=r"^[0-9]{0,20}$")
    units: Amount


class ObservedMeal(Value):
    """A meal there; `nutrition` is the person's total of it, without the `unknown` entries whose nutrition is not."""

    meal: Meal
    entries: tuple[ObservedEntry, ...] = Field(min_length=1, max_length=500)
    nutrition: Nutrients
    unknown: int = Field(default=0, ge=0)


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


class DiaryDayObserved(Event, topic="diary", stream="diary/{person}/{day}"):
    """What the person's diary elsewhere says of that day, beside what was logged here; not `before` any more."""

    examples = [
        {
            "person": "ada",
            "day": "2026-11-23",
            "source": "fatsecret",
            "content_hash": "d2a84f4b8b650937ec8f73cd8be2c74a",
            "meals": [
                {
                    "meal": "breakfast",
                    "entries": [{"number": "7461", "food": "33691", "serving": "336910", "units": 50}],
                    "nutrition": {"kcal": 190, "protein_g": 6.6, "carbs_g": 33.9, "fat_g": 3.3, "fiber_g": 5.1},
                },
                {
                    "meal": "snack",
                    "entries": [
                        {"number": "7462", "food": "35755", "serving": "35755", "units": 1},
                        {"number": "7463", "food": "4417", "serving": "9911", "units": 0.5},
                    ],
                    "nutrition": _YOGHURT,
                    "unknown": 1,
                },
            ],
            "before": [],
        },
        {
            "person": "ada",
            "day": "2026-11-23",
            "source": "fatsecret",
            "content_hash": "2e7d2c03a9507ae265ecf5b5356885a5",
            "meals": [],
            "before": [_YOGHURT],
        },
    ]

    person: PersonId
    day: date
    source: Literal["fatsecret"]
    content_hash: str = Field(pattern=r"^[0-9a-f]{32}$")
    meals: tuple[ObservedMeal, ...] = Field(max_length=4)
    before: tuple[Nutrients, ...] = Field(max_length=4)

    @field_validator("meals")
    @classmethod
    def _each_once(cls, meals: tuple[ObservedMeal, ...]) -> tuple[ObservedMeal, ...]:
        if len({meal.meal for meal in meals}) < len(meals):
            raise ValueError("names a meal twice")
        return meals
