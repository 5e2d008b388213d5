"""Topic `reconciliation`: a day as eaten, held against the day as meant."""

from datetime import date
from typing import Literal

from pydantic import Field

from .base import Event, Value
from .values import Macros, PersonId, RecipeId

Direction = Literal["increasing", "decreasing", "stable"]
Level = Literal["warning", "critical"]


class Deviation(Value):
    """(eaten - target) / target, in percent; 0 where the target is 0."""

    kcal: float
    protein_g: float
    carbs_g: float
    fat_g: float


class Trend(Value):
    """Where the second half of the days stands beside the first, nutrient by nutrient."""

    kcal: Direction
    protein_g: Direction
    carbs_g: Direction
    fat_g: Direction


class DayState(Value):
    """A day as it was used: the version of the diary's stream, which is its number of events then."""

    day: date
    version: int = Field(ge=1)


class DayReconciled(Event, topic="reconciliation", stream="reconciliation/{person}/{day}"):
    """One closed day against the targets that held, with the days before it; again whenever the day is corrected."""

    examples = [
        {
            "person": "ada",
            "day": "2026-11-23",
            "eaten": {"kcal": 1855, "protein_g": 140, "carbs_g": 200, "fat_g": 55},
            "target": {"kcal": 2500, "protein_g": 180, "carbs_g": 250, "fat_g": 60},
            "average": {"kcal": 1855, "protein_g": 140, "carbs_g": 200, "fat_g": 55},
            "days": 1,
            "deviation": {"kcal": -25.8, "protein_g": -22.222, "carbs_g": -20, "fat_g": -8.333},
            "within_tolerance": False,
            "kcal_within_tolerance": False,
            "tolerance_pct": 10,
            "trend": {"kcal": "stable", "protein_g": "stable", "carbs_g": "stable", "fat_g": "stable"},
        },
        {
            "person": "ada",
            "day": "2026-11-24",
            "eaten": {"kcal": 2400, "protein_g": 176, "carbs_g": 240, "fat_g": 61},
            "target": {"kcal": 2500, "protein_g": 180, "carbs_g": 250, "fat_g": 60},
            "average": {"kcal": 2127.5, "protein_g": 158, "carbs_g": 220, "fat_g": 58},
            "days": 2,
            "deviation": {"kcal": -14.9, "protein_g": -12.222, "carbs_g": -12, "fat_g": -3.333},
            "within_tolerance": False,
            "kcal_within_tolerance": False,
            "tolerance_pct": 10,
            "trend": {"kcal": "increasing", "protein_g": "increasing", "carbs_g": "increasing", "fat_g": "increasing"},
            "made_of": [{"day": "2026-11-23", "version": 5}, {"day": "2026-11-24", "version": 4}],
            "goals_version": 2,
        },
    ]

    person: PersonId
    day: date
    eaten: Macros
    """On that day."""
    target: Macros
    average: Macros
    """Over the days of the last week that have a diary."""
    days: int = Field(ge=1)
    """How many those are."""
    deviation: Deviation
    """Of the average from the target."""
    within_tolerance: bool
    """Protein, carbohydrates and fat; energy is its own check."""
    kcal_within_tolerance: bool
    tolerance_pct: float
    trend: Trend
    made_of: tuple[DayState, ...] = Field(default=(), max_length=31)
    """The days of the average, oldest first. Empty where nobody noted it yet."""
    goals_version: int | None = Field(default=None, ge=1)
    """The version of the profile's stream whose targets held."""


class DeviationAlerted(Event, topic="reconciliation", stream="reconciliation/{person}/{day}"):
    """A nutrient is far off: at least 10 % (warning) or 20 % (critical). Once a person, day, nutrient and level."""

    examples = [
        {"person": "ada", "day": "2026-11-23", "nutrient": "protein_g", "level": "critical", "deviation_pct": -22.222}
    ]

    person: PersonId
    day: date
    nutrient: Literal["kcal", "protein_g", "carbs_g", "fat_g"]
    level: Level
    deviation_pct: float


class Suggestion(Value):
    """A dish that would close the gap; score 0 to 1, how much of it."""

    recipe: RecipeId
    title: str
    score: float = Field(ge=0, le=1)
    reason: str
    servings: float | None = Field(default=None, gt=0, le=100)
    """How much of it; None where one serving was meant."""


class AdjustmentSuggested(Event, topic="reconciliation", stream="reconciliation/{person}/{day}"):
    """Dishes that would bring the person back to the targets, best first."""

    examples = [
        {
            "person": "ada",
            "day": "2026-11-23",
            "suggestions": [{"recipe": "lentil-soup", "title": "Lentil soup", "score": 0.62, "reason": "high protein"}],
        },
        {
            "person": "ada",
            "day": "2026-11-24",
            "suggestions": [
                {"recipe": "lentil-soup", "title": "Lentil soup", "score": 0.8, "reason": "good carbs", "servings": 1.5}
            ],
        },
    ]

    person: PersonId
    day: date
    suggestions: tuple[Suggestion, ...] = Field(min_length=1)
