"""What a person should eat in a day: what they said by hand, else what a formula makes of their body."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from meal_assets.contracts.base import Event
from meal_assets.contracts.profile import Activity, Aim, GoalSet, PreferencesSet, ProfileSet, Sex
from meal_assets.contracts.values import MACROS, Macros

Source = Literal["goal", "mifflin_st_jeor", "weight_formula"]

KG_PER_POUND: Final = 0.45359237
DEFAULT_TOLERANCE_PCT: Final = 10.0
"""For a person who gave goals but never a profile."""

OLDEST: Final = 120
"""Years; a birthday that makes a person older, or unborn, is a slip and not used."""

KCAL_PER_POUND: Final[dict[Activity, float]] = {"sedentary": 12, "moderate": 15, "active": 18}
ACTIVITY_FACTOR: Final[dict[Activity, float]] = {"sedentary": 1.2, "moderate": 1.55, "active": 1.725}
AIM_FACTOR: Final[dict[Aim, float]] = {"lose": 0.85, "maintain": 1.0, "gain": 1.15}
SEX_KCAL: Final[dict[Sex, float]] = {"female": -161, "male": 5}
FAT_G_PER_POUND: Final = 0.3

KCAL_PER_G_PROTEIN: Final = 4
KCAL_PER_G_CARBS: Final = 4
KCAL_PER_G_FAT: Final = 9


@dataclass(frozen=True, slots=True)
class Targets:
    """Daily kcal and grams, where they come from, and what else the planner must know of the person."""

    macros: Macros
    source: Source
    tolerance_pct: float
    exclude: tuple[str, ...]
    name: str | None
    diets: tuple[str, ...] = ()
    fiber_g: float | None = None
    """As the goal has it; no formula tells."""


def targets(history: Iterable[Event], *, on: date) -> Targets | None:
    """A person's targets on a day, from their profile stream in order; None before a profile or a goal was set.

    The last GoalSet wins over any formula, also over one from a later profile. Figures have two decimals.
    """
    profile: ProfileSet | None = None
    goal: GoalSet | None = None
    preferences: PreferencesSet | None = None
    for event in history:
        match event:
            case ProfileSet():
                profile = event
            case GoalSet():
                goal = event
            case PreferencesSet():
                preferences = event
    macros: Macros
    source: Source
    if goal is not None:
        macros, source = _tidy(goal.kcal, goal.protein_g, goal.carbs_g, goal.fat_g), "goal"
    elif profile is not None:
        macros, source = _by_formula(profile, on)
    else:
        return None
    return Targets(
        macros=macros,
        source=source,
        tolerance_pct=DEFAULT_TOLERANCE_PCT if profile is None else profile.tolerance_pct,
        exclude=() if preferences is None else preferences.exclude,
        name=None if profile is None else profile.name,
        diets=() if preferences is None else preferences.diets,
        fiber_g=None if goal is None else goal.fiber_g,
    )


def predecessor_targets(pounds: float, activity: Activity, aim: Aim) -> Macros:
    """Daily kcal and grams by weight alone, as the Go predecessor of this platform computed them."""
    return _shared_out(pounds * KCAL_PER_POUND[activity] * AIM_FACTOR[aim], pounds, activity, aim)


def mifflin_st_jeor(sex: Sex, weight_kg: float, height_cm: float, age_years: int) -> float:
    """Resting energy expenditure in kcal a day (Mifflin, St Jeor et al., Am J Clin Nutr 1990;51:241-7)."""
    return 10 * weight_kg + 6.25 * height_cm - 5 * age_years + SEX_KCAL[sex]


def age_on(born: date, day: date) -> int:
    """Whole years; negative before birth."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _by_formula(profile: ProfileSet, on: date) -> tuple[Macros, Source]:
    pounds = profile.weight_kg / KG_PER_POUND
    age = None if profile.born is None else age_on(profile.born, on)
    if profile.sex is None or profile.height_cm is None or age is None or not 0 <= age <= OLDEST:
        return predecessor_targets(pounds, profile.activity, profile.aim), "weight_formula"
    resting = mifflin_st_jeor(profile.sex, profile.weight_kg, profile.height_cm, age)
    kcal = resting * ACTIVITY_FACTOR[profile.activity] * AIM_FACTOR[profile.aim]
    return _shared_out(kcal, pounds, profile.activity, profile.aim), "mifflin_st_jeor"


def _shared_out(kcal: float, pounds: float, activity: Activity, aim: Aim) -> Macros:
    protein_g = pounds * _protein_g_per_pound(activity, aim)
    fat_g = pounds * FAT_G_PER_POUND
    rest = kcal - KCAL_PER_G_PROTEIN * protein_g - KCAL_PER_G_FAT * fat_g
    return _tidy(kcal, protein_g, max(0.0, rest) / KCAL_PER_G_CARBS, fat_g)


def _protein_g_per_pound(activity: Activity, aim: Aim) -> float:
    # The order matters: who is active or gains gets the most, even when losing or sedentary.
    if activity == "active" or aim == "gain":
        return 1.0
    if activity == "sedentary" or aim == "lose":
        return 0.8
    return 0.9


def _tidy(*figures: float) -> Macros:
    return Macros(**{name: round(figure, 2) for name, figure in zip(MACROS, figures, strict=True)})
