"""Persons whose expenditure is known: twelve weeks of weigh-ins and diary, as scales and people tell them.

The water that comes and goes follows what `weight-log.csv` shows of those who weigh in most days: from one day to the
next 0.3 to 0.6 kg, of which a part stays (autocorrelation 0.1 to 0.65). Expenditure follows the weight, 22 kcal a
kilogram (Hall et al., Lancet 2011;378:826-37), and half of the persons may change their activity on a day. A quarter
of the weigh-ins and 15 % of the diaries are missing, and a week of both.
"""

import csv
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from meal_assets.domain.expenditure import KCAL_PER_KG

DAYS = 84
KCAL_PER_KG_OF_BODY = 22
LEAST_WEIGH_INS, LEAST_SPAN_DAYS = 20, 28
SMOOTH_DAYS = 14
"""Standard deviation of the kernel that takes the water out of real weigh-ins."""


@dataclass(frozen=True, slots=True)
class Life:
    """A figure a day; NaN where nobody weighed in, or nothing was logged. `formula` is what was guessed at first."""

    weighed: np.ndarray
    logged: np.ndarray
    spent: np.ndarray
    formula: float


def lives(count: int, seed: int, slips: int = 0) -> list[Life]:
    """`slips`: so many weigh-ins of each are off by a tenth, as by a slip of the finger."""
    random = np.random.default_rng(seed)
    return [_life(random, slips) for _ in range(count)]


def _life(random: np.random.Generator, slips: int) -> Life:
    start, base = random.uniform(52, 115), random.uniform(1_700, 3_200)
    aim = random.choice([-500, -300, 0, 250])
    change = random.choice([0, 150, -150, 250]) * (random.random() < 0.5)
    changes_on = random.integers(30, 70)
    weight, spent, eaten = np.empty(DAYS), np.empty(DAYS), np.empty(DAYS)
    now = start
    for day in range(DAYS):
        weight[day] = now
        spent[day] = base + change * (day >= changes_on) + KCAL_PER_KG_OF_BODY * (now - start)
        weekend = 245 if day % 7 >= 5 else -98
        eaten[day] = max(800, base + aim + weekend + random.normal(0, 350))
        now += (eaten[day] - spent[day]) / KCAL_PER_KG
    weighed = weight + _water(random) + random.normal(0, 0.15, DAYS)
    weighed[random.random(DAYS) < 0.25] = np.nan
    logged = _logged(random, eaten)
    away = random.integers(10, DAYS - 7)
    weighed[away : away + 7] = np.nan
    logged[away : away + 7] = np.nan
    weighed[random.choice(np.flatnonzero(~np.isnan(weighed)), slips, replace=False)] *= random.choice([1.1, 0.9], slips)
    return Life(weighed, logged, spent, _formula(random, base))


def _logged(random: np.random.Generator, eaten: np.ndarray) -> np.ndarray:
    """Off by 8 %; 15 % of the days are missing."""
    logged = eaten * (1 + random.normal(0, 0.08, len(eaten)))
    logged[random.random(len(eaten)) < 0.15] = np.nan
    return logged


def _formula(random: np.random.Generator, spent: float) -> float:
    return spent * (1 + random.normal(0, 0.12))


def _water(random: np.random.Generator) -> np.ndarray:
    stays, sd = random.uniform(0.1, 0.65), random.uniform(0.3, 0.6)
    water, held = np.empty(DAYS), random.normal(0, sd)
    for day in range(DAYS):
        held = stays * held + random.normal(0, sd * np.sqrt(1 - stays**2))
        water[day] = held
    return water


def real_lives(file: Path, each: int, seed: int) -> list[Life]:
    """Real weigh-ins with their gaps and their water, beside an expenditure that is made up and the intake that fits.

    The weight without its water is a smooth curve through the weigh-ins; what is eaten is what is spent and what makes
    the curve, and it is logged as above. So the truth is known, and the scale's figures are real.
    """
    found: defaultdict[str, dict[date, float]] = defaultdict(dict)
    with file.open(newline="") as rows:
        for row in csv.DictReader(rows):
            found[row["person"]][date.fromisoformat(row["date"])] = float(row["weight_kg"])
    random = np.random.default_rng(seed)
    made = []
    for weights in found.values():
        first, span = min(weights), (max(weights) - min(weights)).days + 1
        if len(weights) < LEAST_WEIGH_INS or span <= LEAST_SPAN_DAYS:
            continue
        weighed = np.full(span, np.nan)
        for day, kg in weights.items():
            weighed[(day - first).days] = kg
        curve = _smooth(weighed)
        for _ in range(each):
            base = random.uniform(1_700, 3_200)
            spent = base + KCAL_PER_KG_OF_BODY * (curve - curve[0])
            eaten = spent + KCAL_PER_KG * np.gradient(curve) + random.normal(0, 200, span)
            made.append(Life(weighed, _logged(random, eaten), spent, _formula(random, base)))
    return made


def _smooth(weighed: np.ndarray) -> np.ndarray:
    """A line through the neighbours of each day, weighted by their distance (Cleveland, J Am Stat Assoc 1979)."""
    known = np.flatnonzero(~np.isnan(weighed))
    curve = np.empty(len(weighed))
    for day in range(len(weighed)):
        near = np.exp(-0.5 * ((known - day) / SMOOTH_DAYS) ** 2)
        curve[day] = np.polyval(np.polyfit(known - day, weighed[known], 1, w=np.sqrt(near)), 0)
    return curve
