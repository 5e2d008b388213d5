"""When the estimated expenditure says that a goal is made for somebody else: the goal that fits, within what is safe.

Bounds, in kcal a day: not below 1,200 for women and 1,500 for men (the lowest of what Jensen et al., 2013 AHA/ACC/TOS
Guideline, Circulation 2014;129:S102-38, prescribe without a doctor at hand), nor below resting expenditure; nothing
that loses more than 1 % of the weight a week (Garthe et al., Int J Sport Nutr Exerc Metab 2011;21:97-104) or gains more
than 0.5 % (Iraki et al., Sports 2019;7:154); no losing below a body mass index of 18.5 (WHO, Technical Report 894).
"""

from collections.abc import Iterable
from datetime import date
from typing import Final

from meal_assets.contracts.base import Event
from meal_assets.contracts.expenditure import Bound, EnergyGoalSuggested, ExpenditureEstimated
from meal_assets.contracts.profile import GoalSet, ProfileSet, Sex
from meal_assets.contracts.values import Macros
from meal_assets.domain.expenditure import KCAL_PER_KG
from meal_assets.domain.targets import (
    AIM_FACTOR,
    KCAL_PER_G_CARBS,
    KCAL_PER_G_FAT,
    age_on,
    targets,
)
from meal_assets.errors import Invalid

CAVEAT: Final = (
    "This is an estimate from your weight and your diary, not medical advice. Talk to a doctor or a dietitian first if"
    " you are pregnant or breast-feeding, take medicine for diabetes or blood pressure, have or had an eating disorder,"
    " or are ill."
)

WORDS: Final[dict[Bound, str]] = {
    "step": "It goes there in steps of at most 200 kcal a week.",
    "loss_rate": "It is not less, so that you lose at most 1 % of your weight a week.",
    "gain_rate": "It is not more, so that you gain at most 0.5 % of your weight a week.",
    "floor": "It is not less: below that only with a doctor.",
    "resting": "It is not less: that is what your body spends at rest.",
    "underweight": "It is what keeps your weight: you weigh too little to lose any. Please talk to a doctor.",
}

LEAST_SPAN_DAYS: Final = 21
LEAST_INTAKE_DAYS: Final = 14
LEAST_WEIGH_INS: Final = 7
"""Less is more of a formula than of the person."""
ADULT_YEARS: Final = 18

STEP_KCAL: Final = 200.0
"""The most that a suggestion changes the goal by."""
PAUSE_DAYS: Final = 7
"""Between two suggestions."""
WORTH_KCAL: Final = 50.0
"""A smaller change is none that a diary could tell."""
ROUND_KCAL: Final = 10

LEAST_KCAL: Final[dict[Sex | None, float]] = {"female": 1_200, "male": 1_500, None: 1_500}
LOSS_A_WEEK: Final = 0.01
GAIN_A_WEEK: Final = 0.005
LEAST_BODY_MASS_INDEX: Final = 18.5

MOST_CARBS_G, MOST_FAT_G = 1_000.0, 500.0
"""What a goal can say."""


def suggest(
    estimate: ExpenditureEstimated,
    profile: ProfileSet | None,
    before: Macros,
    resting_kcal: float | None,
    said: Iterable[EnergyGoalSuggested],
    log_position: int,
) -> EnergyGoalSuggested | None:
    """The goal that fits better than `before`; None where the goal's implied expenditure lies within the interval.

    None also for the first three weeks, for minors, within a week of the last suggestion of `said`, where that stands
    unanswered and hardly another would follow, and where the bounds leave less than a change worth making.
    """
    aim = "maintain" if profile is None else profile.aim
    implied = before.kcal / AIM_FACTOR[aim]
    if estimate.low_kcal <= implied <= estimate.high_kcal or not _is_known(estimate) or _is_minor(profile, estimate):
        return None
    wanted, bounds = _wanted(estimate, profile)
    goal = min(max(wanted, before.kcal - STEP_KCAL), before.kcal + STEP_KCAL)
    if goal != wanted:
        bounds.append("step")
    floor, why = _floor(profile, resting_kcal)
    if goal < floor:
        goal, bounds = floor, [why]
    goal = max(floor, ROUND_KCAL * round(goal / ROUND_KCAL))
    last = max(said, key=lambda one: one.log_position, default=None)
    if abs(goal - before.kcal) < WORTH_KCAL or (last and _is_repeated(last, estimate.day, before, goal)):
        return None
    return EnergyGoalSuggested(
        person=estimate.person,
        day=estimate.day,
        before=before,
        goal=_scaled(before, goal),
        wanted_kcal=round(wanted),
        bounds=tuple(bounds),
        expenditure_kcal=estimate.expenditure_kcal,
        low_kcal=estimate.low_kcal,
        high_kcal=estimate.high_kcal,
        log_position=log_position,
    )


def accept(profile: Iterable[Event], suggested: EnergyGoalSuggested) -> list[Event]:
    """The suggestion becomes the goal; nothing where it is the goal already.

    Invalid when the goal is another one than the suggestion was made for.
    """
    history = list(profile)
    now = targets(history, on=suggested.day)
    if now is not None and now.source == "goal" and now.macros == suggested.goal:
        return []
    if now is None or now.macros != suggested.before:
        raise Invalid(
            "goal",
            f"of {suggested.person} was changed after the suggestion of {suggested.day}; the next one will fit it,"
            f" or set one by hand: `meals goals {suggested.person} --kcal …`",
        )
    goals = [event for event in history if isinstance(event, GoalSet)]
    fiber_g = goals[-1].fiber_g if goals else None
    return [GoalSet(person=suggested.person, fiber_g=fiber_g, **suggested.goal.model_dump())]


def in_words(bounds: Iterable[str]) -> list[str]:
    """Why a suggestion is not what the estimate and the aim come to."""
    return [words for bound, words in WORDS.items() if bound in bounds]


def _is_known(estimate: ExpenditureEstimated) -> bool:
    return (
        (estimate.day - estimate.since).days >= LEAST_SPAN_DAYS
        and estimate.intake_days >= LEAST_INTAKE_DAYS
        and estimate.weigh_ins >= LEAST_WEIGH_INS
    )


def _is_minor(profile: ProfileSet | None, estimate: ExpenditureEstimated) -> bool:
    return profile is not None and profile.born is not None and age_on(profile.born, estimate.day) < ADULT_YEARS


def _wanted(estimate: ExpenditureEstimated, profile: ProfileSet | None) -> tuple[float, list[Bound]]:
    """What the aim makes of the expenditure, no faster than is good, and what held it back."""
    factor = AIM_FACTOR["maintain" if profile is None else profile.aim]
    if factor < 1 and profile is not None and profile.height_cm is not None:
        metres = profile.height_cm / 100
        if estimate.weight_kg / metres**2 < LEAST_BODY_MASS_INDEX:
            return estimate.expenditure_kcal, ["underweight"]
    wanted = estimate.expenditure_kcal * factor
    kcal_per_share = estimate.weight_kg * KCAL_PER_KG / 7
    slowest = estimate.expenditure_kcal - LOSS_A_WEEK * kcal_per_share
    fastest = estimate.expenditure_kcal + GAIN_A_WEEK * kcal_per_share
    if wanted < slowest:
        return slowest, ["loss_rate"]
    return (fastest, ["gain_rate"]) if wanted > fastest else (wanted, [])


def _floor(profile: ProfileSet | None, resting_kcal: float | None) -> tuple[float, Bound]:
    least = LEAST_KCAL[None if profile is None else profile.sex]
    return (resting_kcal, "resting") if resting_kcal is not None and resting_kcal > least else (least, "floor")


def _is_repeated(last: EnergyGoalSuggested, day: date, before: Macros, kcal: float) -> bool:
    too_soon = (day - last.day).days < PAUSE_DAYS
    return too_soon or (last.before == before and abs(last.goal.kcal - kcal) < WORTH_KCAL)


def _scaled(before: Macros, kcal: float) -> Macros:
    """Protein stays; carbohydrates and fat give or take the difference, each its part."""
    rest = KCAL_PER_G_CARBS * before.carbs_g + KCAL_PER_G_FAT * before.fat_g
    change = kcal - before.kcal
    if rest == 0:
        carbs_g, fat_g = max(0.0, change) / KCAL_PER_G_CARBS, 0.0
    else:
        factor = max(0.0, 1 + change / rest)
        carbs_g, fat_g = before.carbs_g * factor, before.fat_g * factor
    return Macros(
        kcal=round(kcal, 2),
        protein_g=before.protein_g,
        carbs_g=round(min(carbs_g, MOST_CARBS_G), 2),
        fat_g=round(min(fat_g, MOST_FAT_G), 2),
    )
