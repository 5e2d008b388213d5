"""Topic `expenditure`: what a person spends in a day, and the energy that their goal should have."""

from datetime import date
from typing import Literal

from pydantic import Field

from .base import Event
from .values import Energy, Macros, PersonId

PriorSource = Literal["katch_mcardle", "mifflin_st_jeor", "weight_formula"]
Bound = Literal["step", "loss_rate", "gain_rate", "floor", "resting", "underweight"]


class ExpenditureEstimated(Event, topic="expenditure", stream="expenditure/{person}/{day}"):
    """A person's energy balance as of a day, made of what the log held at its cause; a later one replaces it."""

    examples = [
        {
            "person": "ada",
            "day": "2026-11-23",
            "weight_kg": 64.12,
            "intake_kcal": 2105,
            "expenditure_kcal": 2236,
            "low_kcal": 2041,
            "high_kcal": 2431,
            "since": "2026-09-28",
            "weigh_ins": 41,
            "intake_days": 47,
            "prior_kcal": 2358,
            "prior_source": "mifflin_st_jeor",
        },
        {
            "person": "ben",
            "day": "2026-11-23",
            "weight_kg": 82.4,
            "expenditure_kcal": 2701,
            "low_kcal": 1750,
            "high_kcal": 3652,
            "since": "2026-11-23",
            "weigh_ins": 1,
            "intake_days": 0,
            "prior_kcal": 2701,
            "prior_source": "weight_formula",
        },
    ]

    person: PersonId
    day: date
    weight_kg: float = Field(gt=0, le=1_000)
    """Without the water that comes and goes."""
    intake_kcal: Energy | None = None
    """Of that day; None where its diary is not believed to be whole."""
    expenditure_kcal: Energy
    low_kcal: Energy
    high_kcal: Energy
    """The interval that holds it with 95 %."""
    since: date
    """The first weigh-in that was looked at."""
    weigh_ins: int = Field(ge=1)
    intake_days: int = Field(ge=0)
    """The days from `since` on whose diary counted."""
    prior_kcal: Energy
    """What the formula would have said."""
    prior_source: PriorSource


class EnergyGoalSuggested(Event, topic="expenditure", stream="energy_goal/{person}", stays=True):
    """A goal that fits what the person spends, as of `log_position`; an estimate, not medical advice."""

    examples = [
        {
            "person": "ada",
            "day": "2026-11-23",
            "before": {"kcal": 2000, "protein_g": 130, "carbs_g": 210, "fat_g": 70},
            "goal": {"kcal": 2200, "protein_g": 130, "carbs_g": 239.06, "fat_g": 79.69},
            "wanted_kcal": 2236,
            "bounds": ["step"],
            "expenditure_kcal": 2236,
            "low_kcal": 2041,
            "high_kcal": 2431,
            "log_position": 812,
        },
        {
            "person": "ben",
            "day": "2026-11-23",
            "before": {"kcal": 1600, "protein_g": 145, "carbs_g": 133, "fat_g": 54},
            "goal": {"kcal": 1500, "protein_g": 145, "carbs_g": 118.25, "fat_g": 48.01},
            "wanted_kcal": 1411,
            "bounds": ["floor"],
            "expenditure_kcal": 1660,
            "low_kcal": 1503,
            "high_kcal": 1817,
            "log_position": 813,
        },
    ]

    person: PersonId
    day: date
    before: Macros
    """The goal that held."""
    goal: Macros
    """The one that is suggested: protein as before, carbohydrates and fat in the same proportion."""
    wanted_kcal: Energy
    """What the estimate and the aim come to."""
    bounds: tuple[Bound, ...] = ()
    """Why the goal is not that."""
    expenditure_kcal: Energy
    low_kcal: Energy
    high_kcal: Energy
    log_position: int = Field(ge=1)
