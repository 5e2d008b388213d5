"""What a person spends in a day, estimated from weigh-ins and diary, with the interval that it lies in.

Energy balance (Hall et al., Lancet 2011;378:826-37): what is eaten and not spent becomes weight, about 7,700 kcal a
kilogram (Wishnofsky, Am J Clin Nutr 1958;6:542-6; Hall, Int J Obes 2008;32:573-6 for where that ends). The state is the
weight without its water, W, and the expenditure E, which wanders slowly:

    W' = W + (I - E) / 7700 + noise        E' = E + noise        scale = W + water

A Kalman filter (Kalman, J Basic Eng 1960;82:35-45) follows both. A weigh-in far from what was expected is taken as
one from a Student t distribution (Meinhold and Singpurwalla, J Am Stat Assoc 1989;84:479-86), so a slip of the
keyboard or of the unit moves next to nothing. Days without a weigh-in or without intake only widen the interval.

Weights are in kg, energies in kcal a day. A weigh-in is taken to be before the day's first meal.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import exp, sqrt
from statistics import median
from typing import Final

from meal_assets.contracts.expenditure import PriorSource
from meal_assets.contracts.profile import ProfileSet
from meal_assets.domain.targets import (
    ACTIVITY_FACTOR,
    KCAL_PER_POUND,
    KG_PER_POUND,
    OLDEST,
    age_on,
    mifflin_st_jeor,
)

KCAL_PER_KG: Final = 7_700.0
WINDOW_DAYS: Final = 120
"""Days looked back: what was before them is forgotten, and the formula's part in the estimate is long gone."""

FORMULA_SD: Final = 0.12
"""Of the formula's figure: resting expenditure within 10 % for four of five (Frankenfield et al., J Am Diet Assoc
2005;105:775-89), and the guess of the activity on top."""
WEIGHT_FORMULA_SD: Final = 0.18
START_SD_KG: Final = 1.0
START_DAYS: Final = 7
"""The first weight is the median of these days: a slip on the first day would be believed for weeks."""

SCALE_SD_KG: Final = 1.0
"""Water and clothes, 0.3 to 0.8 kg from day to day; more, because what one day holds the next one holds, too."""
HEAVY_TAILS: Final = 4.0
"""Degrees of freedom of the t distribution of weigh-ins."""
TISSUE_SD_KG: Final = 0.03
"""What moves the weight within a day beside the balance."""
WANDER_SD_KCAL: Final = 14.0
"""How far the expenditure goes in a day: 75 kcal in a month."""
LOGGED_SD_KCAL: Final = 150.0
"""How far a complete diary of a day is off."""
UNLOGGED_SD_KCAL: Final = 450.0
"""How far a day is from what the person usually eats."""
USUAL_PART: Final = 0.05
"""What one more day counts for in what is usually eaten, once there are twenty."""
LOST_DAYS: Final = 7
"""After so many days without a diary nobody knows what is usual: weight then says nothing of expenditure."""
LOST_SD_KG: Final = 0.25
"""How far the weight goes in each day after that."""

INTERVAL: Final = 1.959964
"""Standard deviations to either side that hold 95 %."""

LEAST_OPEN: Final = exp(-2 * sqrt(0.23**2 + 0.085**2 + 0.15**2))
"""Of the expected expenditure, 0.56: the lower limit of Goldberg's cut-off for one day of one person (Black, Int J Obes
2000;24:1119-30: intake varies by 23 % within a person, resting expenditure by 8.5 %, activity by 15 %)."""
LEAST_CLOSED: Final = 0.25
"""A fasting day of a 5:2 diet; less is a diary that was closed by the clock after breakfast."""
MOST: Final = 3.0
"""Kilojoules taken for kilocalories are 4.2 times."""


@dataclass(frozen=True, slots=True)
class Prior:
    """The expenditure before anything is known of weight and intake, in kcal a day."""

    kcal: float
    sd: float
    source: PriorSource


@dataclass(frozen=True, slots=True)
class DiaryDay:
    """What a day's diary adds up to, and whether it was said to be complete."""

    kcal: float
    closed: bool


@dataclass(frozen=True, slots=True)
class Estimate:
    """As of a day: the weight behind the scale's figures, and the expenditure with its 95 % interval."""

    day: date
    weight_kg: float
    kcal: float
    low_kcal: float
    high_kcal: float


def katch_mcardle(weight_kg: float, fat_pct: float) -> float:
    """Resting expenditure in kcal a day by lean mass (Katch and McArdle, Exercise Physiology; with the coefficients of
    Cunningham, Am J Clin Nutr 1991;54:963-9).
    """
    return 370 + 21.6 * weight_kg * (1 - fat_pct / 100)


def resting(profile: ProfileSet | None, weight_kg: float, fat_pct: float | None, on: date) -> float | None:
    """Resting expenditure in kcal a day: by lean mass where body fat is known, else by Mifflin-St Jeor, else None."""
    if fat_pct is not None:
        return katch_mcardle(weight_kg, fat_pct)
    if profile is None or profile.sex is None or profile.height_cm is None or profile.born is None:
        return None
    age = age_on(profile.born, on)
    return mifflin_st_jeor(profile.sex, weight_kg, profile.height_cm, age) if 0 <= age <= OLDEST else None


def prior_of(profile: ProfileSet | None, weight_kg: float, fat_pct: float | None, on: date) -> Prior:
    """The formula's figure for that weight: resting expenditure times activity, moderate where nobody said."""
    activity = "moderate" if profile is None else profile.activity
    rest = resting(profile, weight_kg, fat_pct, on)
    if rest is None:
        kcal = weight_kg / KG_PER_POUND * KCAL_PER_POUND[activity]
        return Prior(kcal, WEIGHT_FORMULA_SD * kcal, "weight_formula")
    kcal = rest * ACTIVITY_FACTOR[activity]
    return Prior(kcal, FORMULA_SD * kcal, "mifflin_st_jeor" if fat_pct is None else "katch_mcardle")


def first_weight(weights: Mapping[date, float]) -> float:
    """The median of the first week's weigh-ins in kg; ValueError without any."""
    first = min(weights)
    return median(kg for day, kg in weights.items() if (day - first).days < START_DAYS)


def counted(diary: Mapping[date, DiaryDay], expected_kcal: float, on: date) -> dict[date, float]:
    """Day -> kcal of the days whose diary is believed to be whole; the others are unknown, never small.

    Closed days from a quarter of the expected expenditure on; open ones when they are over (before `on`) and hold at
    least 0.56 of it. None above three times of it.
    """
    return {
        day: eaten.kcal
        for day, eaten in diary.items()
        if (eaten.closed or day < on)
        and (LEAST_CLOSED if eaten.closed else LEAST_OPEN) * expected_kcal <= eaten.kcal <= MOST * expected_kcal
    }


def estimates(
    weights: Mapping[date, float], intake: Mapping[date, float], prior: Prior, until: date
) -> Iterator[Estimate]:
    """One for each day from the first weigh-in up to `until`, each from what was known by then; none without any.

    Only the first week is started from its median, so its days know the whole of it.
    """
    if not weights:
        return
    belief = _Belief(first_weight(weights), prior.kcal, START_SD_KG**2, 0.0, prior.sd**2)
    usual, days, unlogged = 0.0, 0, 0
    day = min(weights)
    while day <= until:
        if day in weights:
            belief.weigh(weights[day])
        yield belief.as_of(day)
        eaten = intake.get(day)
        if eaten is not None:
            days, unlogged = days + 1, 0
            usual += (eaten - usual) * max(USUAL_PART, 1 / days)
            belief.eat(eaten, LOGGED_SD_KCAL)
        elif days and unlogged < LOST_DAYS:
            unlogged += 1
            belief.eat(usual, UNLOGGED_SD_KCAL)
        else:
            belief.lose_sight()
        day += timedelta(days=1)


@dataclass(slots=True)
class _Belief:
    """Mean and covariance of weight (kg) and expenditure (kcal a day)."""

    kg: float
    kcal: float
    kg_kg: float
    kg_kcal: float
    kcal_kcal: float

    def weigh(self, kg: float) -> None:
        """The update by a weigh-in; its variance grows with how unlikely it is."""
        off, scale = kg - self.kg, SCALE_SD_KG**2
        unlikely = off * off / (self.kg_kg + scale)
        scale *= max(1.0, (HEAVY_TAILS + unlikely) / (HEAVY_TAILS + 1))
        total = self.kg_kg + scale
        to_kg, to_kcal = self.kg_kg / total, self.kg_kcal / total
        self.kg += to_kg * off
        self.kcal += to_kcal * off
        self.kcal_kcal -= to_kcal * self.kg_kcal
        self.kg_kcal *= scale / total
        self.kg_kg *= scale / total

    def eat(self, kcal: float, sd: float) -> None:
        """The day passes: what was eaten and not spent becomes weight."""
        self.kg += (kcal - self.kcal) / KCAL_PER_KG
        self.kg_kg += (self.kcal_kcal / KCAL_PER_KG - 2 * self.kg_kcal) / KCAL_PER_KG
        self.kg_kg += TISSUE_SD_KG**2 + (sd / KCAL_PER_KG) ** 2
        self.kg_kcal -= self.kcal_kcal / KCAL_PER_KG
        self.kcal_kcal += WANDER_SD_KCAL**2

    def lose_sight(self) -> None:
        """The day passes, and nobody knows what was eaten."""
        self.kg_kg += LOST_SD_KG**2
        self.kcal_kcal += WANDER_SD_KCAL**2

    def as_of(self, day: date) -> Estimate:
        """Nobody spends less than nothing, whatever was typed."""
        aside = INTERVAL * sqrt(self.kcal_kcal)
        low, mean, high = (max(0.0, kcal) for kcal in (self.kcal - aside, self.kcal, self.kcal + aside))
        return Estimate(day, self.kg, mean, low, high)
