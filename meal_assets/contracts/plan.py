"""Topic `plan`: the week that was found, or why there is none, and that it is cooked."""

from datetime import date

from pydantic import Field

from .base import Event, Value
from .values import Macros, Meal, PersonId, RecipeId


class PlannedMeal(Value):
    """One dish on the table, and how many servings of it each person gets."""

    day: date
    meal: Meal
    recipe: RecipeId
    title: str
    portions: dict[PersonId, float]
    leftover_of: date | None = None
    """The day it was cooked, where it is eaten again."""


class PlannedDay(Value):
    """What one person gets in one day, beside what they should get."""

    day: date
    person: PersonId
    planned: Macros
    target: Macros


class Proof(Value):
    """How good the week is: `objective` (lower is better) against a bound no week can beat."""

    objective: float
    lower_bound: float
    gap: float = Field(ge=0)
    """(objective - lower_bound) / max(objective, lower_bound), 0 when proven optimal."""
    terms: dict[str, float]
    solver: str
    solves: int = Field(ge=0)


class PlanGenerated(Event, topic="plan", stream="plan/{week}", stays=True):
    """A week of meals that keeps every rule of its request."""

    examples = [
        {
            "week": "2026-11-23",
            "meals": [
                {
                    "day": "2026-11-23",
                    "meal": "dinner",
                    "recipe": "lentil-soup",
                    "title": "Lentil soup",
                    "portions": {"ada": 1.5, "ben": 2},
                },
                {
                    "day": "2026-11-24",
                    "meal": "lunch",
                    "recipe": "lentil-soup",
                    "title": "Lentil soup",
                    "portions": {"ada": 1},
                    "leftover_of": "2026-11-23",
                },
            ],
            "days": [
                {
                    "day": "2026-11-23",
                    "person": "ada",
                    "planned": {"kcal": 1990, "protein_g": 128, "carbs_g": 214, "fat_g": 69},
                    "target": {"kcal": 2000, "protein_g": 130, "carbs_g": 210, "fat_g": 70},
                }
            ],
            "proof": {
                "objective": 1.25,
                "lower_bound": 1.2,
                "gap": 0.04,
                "terms": {"deviation": 0.05, "repeats": 1.2},
                "solver": "HiGHS 1.16.0",
                "solves": 9,
            },
            "considered": 64,
            "left_out": {"no published nutrition": 3},
            "library_position": 70,
        }
    ]

    week: date
    meals: tuple[PlannedMeal, ...]
    days: tuple[PlannedDay, ...]
    proof: Proof
    considered: int = Field(ge=0)
    left_out: dict[str, int] = {}
    """Why recipes of the library were not candidates -> how many."""
    library_position: int = Field(ge=0)
    """The position of the log whose recipes and targets were used."""


class Conflict(Value):
    """A rule that cannot be kept together with the others, in words with numbers."""

    rule: str
    detail: str


class PlanRejected(Event, topic="plan", stream="plan/{week}", outcome="failed", stays=True):
    """No week keeps all rules: these contradict each other, and with one of them fewer they no longer would."""

    examples = [
        {
            "week": "2026-11-30",
            "conflicts": [
                {"rule": "protein of ada", "detail": "at most 173 g a day can be reached, at least 180 g are wanted"}
            ],
            "considered": 12,
            "left_out": {"excluded word: peanut": 4},
            "library_position": 70,
        }
    ]

    week: date
    conflicts: tuple[Conflict, ...] = Field(min_length=1)
    considered: int = Field(ge=0)
    left_out: dict[str, int] = {}
    library_position: int = Field(ge=0)


class PlanAccepted(Event, topic="plan", stream="plan/{week}", stays=True):
    """The household cooks this week as it is planned, and as it will be when it is planned anew."""

    examples = [{"week": "2026-11-23"}]

    week: date
