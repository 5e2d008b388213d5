"""How far the estimated expenditure is from the truth, beside what others do: persons with a known one, 12 weeks.

Peers: the mean of the last 28 days' intake less the change of the 7-day mean weight, and the same with an exponentially
weighted weight (0.1 a day) over 21 days; both start from the formula, as ours does, and bridge gaps by straight lines.
"""

import sys
from collections.abc import Callable
from datetime import date, timedelta

import numpy as np

from meal_assets.domain.expenditure import FORMULA_SD, KCAL_PER_KG, Estimate, Prior, estimates
from tests.shared_data import FOLDER

from .figures import SEED, Figure
from .simulated import Life, lives, real_lives

AIM_PCT = 5.0
FOUR_WEEKS = 28
PERSONS, QUICK_PERSONS, REAL_PERSONS = 600, 60, 100
FIRST = date(2026, 1, 1)
LEAST_DAYS, LEAST_LOGGED = 14, 7

Estimator = Callable[[Life], np.ndarray]


def run(quick: bool = False) -> list[Figure]:
    count = QUICK_PERSONS if quick else PERSONS
    simulated = lives(count, SEED)
    figures = [
        *_figures("expenditure, on day 28", simulated, slice(FOUR_WEEKS, FOUR_WEEKS + 1)),
        *_figures("expenditure, weeks 5 to 12", simulated, slice(FOUR_WEEKS, None)),
        *_figures("expenditure, weeks 5 to 12 with 2 slips", lives(count, SEED, slips=2), slice(FOUR_WEEKS, None)),
        _coverage(simulated),
    ]
    file = FOLDER / "weight-log.csv"
    if not file.exists():
        print(f"no weigh-ins at {file}", file=sys.stderr)
        return figures
    real = real_lives(file, QUICK_PERSONS if quick else REAL_PERSONS, SEED)
    return [*figures, *_figures("expenditure, real weigh-ins, from day 28", real, slice(FOUR_WEEKS, None))]


def _figures(name: str, persons: list[Life], days: slice) -> list[Figure]:
    """The median over persons of each one's median error in these days, in percent of what they spend."""
    ours, mean, smooth = (_median_error(one, persons, days) for one in (filtered, seven_day_mean, ewma))
    aim = f"≤ {AIM_PCT:g} %, and less than the peer"
    return [
        Figure(f"{name}, {what}", ours, "% off", aim, ours <= AIM_PCT and ours < peer, peer=peer, peer_name=what)
        for what, peer in (("7-day mean", mean), ("EWMA", smooth))
    ]


def _coverage(persons: list[Life]) -> Figure:
    held = [np.mean([low <= kcal <= high for kcal, low, high in _with_interval(p)[FOUR_WEEKS:]]) for p in persons]
    share = float(np.mean(held)) * 100
    return Figure("expenditure, the interval holds the truth", share, "% of days", "≥ 92 %", share >= 92)


def _median_error(estimator: Estimator, persons: list[Life], days: slice) -> float:
    errors = [np.median((np.abs(estimator(p) - p.spent) / p.spent)[days]) for p in persons]
    return float(np.median(errors)) * 100


def filtered(life: Life) -> np.ndarray:
    return np.array([one.kcal for one in _estimates(life)])


def _with_interval(life: Life) -> list[tuple[float, float, float]]:
    return [(true, e.low_kcal, e.high_kcal) for e, true in zip(_estimates(life), life.spent, strict=True)]


def _estimates(life: Life) -> list[Estimate]:
    days = [FIRST + timedelta(days=n) for n in range(len(life.spent))]
    weights = {d: float(kg) for d, kg in zip(days, life.weighed, strict=True) if not np.isnan(kg)}
    intake = {d: float(kcal) for d, kcal in zip(days, life.logged, strict=True) if not np.isnan(kcal)}
    prior = Prior(life.formula, FORMULA_SD * life.formula, "mifflin_st_jeor")
    told = list(estimates(weights, intake, prior, days[-1]))
    return [told[0]] * (len(days) - len(told)) + told  # before the first weigh-in it is what the formula says


def seven_day_mean(life: Life) -> np.ndarray:
    weight = _bridged(life.weighed)
    mean = np.array([weight[max(0, n - 6) : n + 1].mean() for n in range(len(weight))])
    return _balance(life, mean, 28)


def ewma(life: Life) -> np.ndarray:
    weight = _bridged(life.weighed)
    trend = weight.copy()
    for day in range(1, len(weight)):
        trend[day] = trend[day - 1] + 0.1 * (weight[day] - trend[day - 1])
    return _balance(life, trend, 21)


def _balance(life: Life, trend: np.ndarray, window: int) -> np.ndarray:
    """Mean intake less what the weight took up; the formula while there is too little."""
    told = np.full(len(trend), life.formula)
    for day in range(LEAST_DAYS, len(trend)):
        first = max(0, day - window)
        logged = life.logged[first:day]
        logged = logged[~np.isnan(logged)]
        if len(logged) >= LEAST_LOGGED:
            told[day] = logged.mean() - (trend[day] - trend[first]) / (day - first) * KCAL_PER_KG
    return told


def _bridged(weighed: np.ndarray) -> np.ndarray:
    known = np.flatnonzero(~np.isnan(weighed))
    return np.interp(np.arange(len(weighed)), known, weighed[known])
