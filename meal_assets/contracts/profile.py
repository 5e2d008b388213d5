"""Topic `profile`: who eats, what for, and what never."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from .base import Event
from .personal import PERSONAL
from .values import Amount, PersonId

Activity = Literal["sedentary", "moderate", "active"]
Aim = Literal["lose", "maintain", "gain"]
Sex = Literal["female", "male"]


class ProfileSet(Event, topic="profile", stream="profile/{person}", stays=True):
    """A person's body and aim; the whole of it, each time."""

    examples = [
        {"person": "ada", "name": "Ada", "weight_kg": 64.0, "activity": "active", "aim": "maintain"},
        {
            "person": "ben",
            "name": "Ben",
            "weight_kg": 82.0,
            "activity": "moderate",
            "aim": "lose",
            "sex": "male",
            "height_cm": 183,
            "born": "1988-05-04",
            "tolerance_pct": 8,
        },
    ]

    person: PersonId
    name: Annotated[str, Field(min_length=1, max_length=100), PERSONAL]
    weight_kg: float = Field(ge=36, le=300)
    activity: Activity
    aim: Aim
    sex: Sex | None = None
    height_cm: float | None = Field(default=None, ge=100, le=250)
    born: date | None = None
    tolerance_pct: float = Field(default=10, gt=0, le=100)
    """How far a day may be off its targets before it counts as off."""


class GoalSet(Event, topic="profile", stream="profile/{person}", stays=True):
    """Daily targets given by hand: they win over the formula until the next GoalSet."""

    examples = [
        {"person": "ada", "kcal": 2000, "protein_g": 130, "carbs_g": 210, "fat_g": 70},
        {"person": "ben", "kcal": 2400, "protein_g": 160, "carbs_g": 250, "fat_g": 80, "fiber_g": 30},
    ]

    person: PersonId
    kcal: float = Field(ge=500, le=10_000)
    protein_g: float = Field(gt=0, le=500)
    carbs_g: float = Field(ge=0, le=1_000)
    fat_g: float = Field(ge=0, le=500)
    fiber_g: Amount | None = None


class PreferencesSet(Event, topic="profile", stream="profile/{person}", stays=True):
    """What no dish for this person may carry in its title or ingredients, and the diets it must fit."""

    examples = [
        {"person": "ben", "exclude": ["peanut", "shrimp"]},
        {"person": "ada", "exclude": [], "diets": ["vegetarian", "gluten-free"]},
    ]

    person: PersonId
    exclude: Annotated[tuple[str, ...], Field(max_length=200), PERSONAL] = ()
    diets: Annotated[tuple[str, ...], Field(max_length=20), PERSONAL] = ()
    """Of `values.DIETS`; those of other programs are kept, and fit no dish."""
