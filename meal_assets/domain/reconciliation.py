"""The control loop: the last week as eaten against the targets, who to warn, and which dish would close the gap.

The rules and their figures are those of the Go predecessor of this platform; but what is suggested is chosen by the
planner's own objective. `score` is how the predecessor chose, as a measure for ours.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean
from typing import Final, Literal, get_args

from meal_assets.contracts.base import Event
from meal_assets.contracts.reconciliation import (
    AdjustmentSuggested,
    DayReconciled,
    DayState,
    Deviation,
    DeviationAlerted,
    Direction,
    Level,
    Suggestion,
    Trend,
)
from meal_assets.contracts.values import MACROS, Macros, Nutrients
from meal_assets.domain.rest_of_day import Dish, choices
from meal_assets.domain.targets import Targets

Nutrient = Literal["kcal", "protein_g", "carbs_g", "fat_g"]
NUTRIENTS: Final[tuple[Nutrient, ...]] = get_args(Nutrient)
JUDGED: Final[tuple[Nutrient, ...]] = ("protein_g", "carbs_g", "fat_g")
"""What tolerance and scores look at; energy is a check of its own."""

WINDOW_DAYS: Final = 7
"""Calendar days that count, the reconciled one among them."""

WARNING_PCT: Final = 10
CRITICAL_PCT: Final = 20
TREND_PCT: Final = 5
"""A change of the mean up to this is no trend."""

ON_TARGET_PCT: Final = 5
"""|protein| + |carbs| + |fat| below this: nothing is to be mended."""
DEFICIT_PCT: Final = -10
SURPLUS_PCT: Final = 10
"""Beyond these a nutrient names the reason, or a dish rich in it is marked down."""

NO_HELP: Final = 0.1
"""The score of any dish when there is nothing to mend or no dish could mend it."""
CLOSES: Final[dict[Nutrient, tuple[float, float]]] = {
    "protein_g": (0.5, 40),
    "carbs_g": (0.25, 50),
    "fat_g": (0.25, 25),
}
"""Where a nutrient is short: the most a dish can earn, and the grams a serving that earn it."""
WORSENS: Final[dict[Nutrient, float]] = {"carbs_g": 30, "fat_g": 20}
"""Where a nutrient is over: the grams a serving above which a dish loses MARKDOWN."""
MARKDOWN: Final = 0.1
REASONS: Final[tuple[tuple[Nutrient, float, str], ...]] = (
    ("protein_g", 20, "high protein"),
    ("carbs_g", 30, "good carbs"),
    ("fat_g", 15, "healthy fats"),
)
"""What is short, more grams a serving than this, what to say; the first that fits."""


def reconcile_day(
    person: str,
    day: date,
    eaten: Mapping[date, Macros],
    targets: Targets,
    said: Iterable[Event],
    dishes: Sequence[Dish],
    *,
    versions: Mapping[date, int] | None = None,
    goals_version: int | None = None,
) -> list[Event]:
    """What is new to say about the day: the result, alerts not given yet, other suggestions than the last.

    `eaten` holds the totals of days with a diary; those outside the WINDOW_DAYS that end at `day` do not count.
    A day without a diary is unknown, not a fast: nothing is said about it. `said` is the stream of that day so far,
    `versions` those of the diaries that were read. Other versions alone are no news.
    """
    if day not in eaten:
        return []
    days = [eaten[each] for each in sorted(eaten) if 0 <= (day - each).days < WINDOW_DAYS]
    mean = average(days)
    off = deviation(mean, targets.macros)
    result = DayReconciled(
        person=person,
        day=day,
        eaten=eaten[day],
        target=targets.macros,
        average=mean,
        days=len(days),
        deviation=off,
        within_tolerance=within(off, targets.tolerance_pct),
        kcal_within_tolerance=abs(off.kcal) <= targets.tolerance_pct,
        tolerance_pct=targets.tolerance_pct,
        trend=trend(days),
        made_of=tuple(DayState(day=d, version=v) for d, v in sorted((versions or {}).items()) if d in eaten),
        goals_version=goals_version,
    )
    before = _Said.of(said)
    events: list[Event] = [] if _as_judged(result) == _as_judged(before.result) else [result]
    events += [
        DeviationAlerted(person=person, day=day, nutrient=nutrient, level=level, deviation_pct=pct)
        for nutrient, level, pct in alerts(off)
        if (nutrient, level) not in before.alerts
    ]
    best = () if result.within_tolerance else _best(mean, targets.macros, off, dishes)
    if best and best != before.suggestions:
        events.append(AdjustmentSuggested(person=person, day=day, suggestions=best))
    return events


def streak(days: Mapping[date, bool], until: date) -> int:
    """How many days in a row, up to one, were on target; a day that nobody knows of ends it."""
    count = 0
    while days.get(until - timedelta(days=count), False):
        count += 1
    return count


def on_target(eaten: Macros, target: Macros, tolerance_pct: float) -> bool:
    """Whether a day by itself, energy included, was within its tolerance."""
    off = deviation(eaten, target)
    return within(off, tolerance_pct) and abs(off.kcal) <= tolerance_pct


def average(days: Sequence[Macros]) -> Macros:
    """The mean of each nutrient over these days, to six decimals; ValueError without any day."""
    return Macros(**{name: round(fmean(getattr(day, name) for day in days), 6) for name in MACROS})


def deviation(actual: Macros, goal: Macros) -> Deviation:
    """(actual - goal) / goal of each nutrient in percent to three decimals; 0 where the goal is 0."""
    return Deviation(**{name: _change_pct(getattr(goal, name), getattr(actual, name)) for name in MACROS})


def within(deviation: Deviation, tolerance_pct: float) -> bool:
    """Whether protein, carbohydrates and fat are each at most this far off; energy is a check of its own."""
    return all(abs(getattr(deviation, name)) <= tolerance_pct for name in JUDGED)


def alerts(deviation: Deviation) -> list[tuple[Nutrient, Level, float]]:
    """Each nutrient that is at least 10 % (warning) or 20 % (critical) off, and by how many percent."""
    found: list[tuple[Nutrient, Level, float]] = []
    for name in NUTRIENTS:
        pct: float = getattr(deviation, name)
        if abs(pct) >= CRITICAL_PCT:
            found.append((name, "critical", pct))
        elif abs(pct) >= WARNING_PCT:
            found.append((name, "warning", pct))
    return found


def trend(days: Sequence[Macros]) -> Trend:
    """The mean of the later half against that of the earlier, oldest day first; an odd day counts as later."""
    if len(days) < 2:
        return Trend(kcal="stable", protein_g="stable", carbs_g="stable", fat_g="stable")
    half = len(days) // 2
    change = deviation(average(days[half:]), average(days[:half]))
    return Trend(**{name: _direction(getattr(change, name)) for name in MACROS})


def score(deviation: Deviation, per_serving: Nutrients | Macros) -> float:
    """How well a serving (kcal, grams) closes the gap, 0 to 1 with four decimals; above 0.1 it helps."""
    off: dict[Nutrient, float] = {name: getattr(deviation, name) for name in JUDGED}
    if sum(map(abs, off.values())) < ON_TARGET_PCT or all(pct > 0 for pct in off.values()):
        return NO_HELP
    gained: float = sum(
        most * min(getattr(per_serving, name) / full_g, 1) for name, (most, full_g) in CLOSES.items() if off[name] < 0
    )
    lost: float = sum(
        MARKDOWN
        for name, limit_g in WORSENS.items()
        if off[name] > SURPLUS_PCT and getattr(per_serving, name) > limit_g
    )
    return round(min(max(gained - lost, 0.0), 1.0), 4)


def reason(deviation: Deviation, per_serving: Nutrients | Macros) -> str:
    """Why that dish, in two words: the first nutrient that is short and that a serving is rich in."""
    for name, more_than_g, words in REASONS:
        if getattr(deviation, name) < DEFICIT_PCT and getattr(per_serving, name) > more_than_g:
            return words
    return "balanced"


@dataclass(frozen=True, slots=True)
class _Said:
    """What the stream of a day has said so far: the last result and suggestions, and every alert."""

    result: DayReconciled | None
    alerts: frozenset[tuple[Nutrient, Level]]
    suggestions: tuple[Suggestion, ...]

    @classmethod
    def of(cls, history: Iterable[Event]) -> "_Said":
        result: DayReconciled | None = None
        given: set[tuple[Nutrient, Level]] = set()
        suggestions: tuple[Suggestion, ...] = ()
        for event in history:
            match event:
                case DayReconciled():
                    result = event
                case DeviationAlerted():
                    given.add((event.nutrient, event.level))
                case AdjustmentSuggested():
                    suggestions = event.suggestions
        return cls(result, frozenset(given), suggestions)


def _as_judged(result: DayReconciled | None) -> DayReconciled | None:
    """The result without what it was made of."""
    return result and result.model_copy(update={"made_of": (), "goals_version": None})


def _best(mean: Macros, target: Macros, off: Deviation, dishes: Sequence[Dish]) -> tuple[Suggestion, ...]:
    """What, added to a day like those of the week, brings it nearest to its target."""
    return tuple(
        Suggestion(
            recipe=choice.dish.recipe,
            title=choice.dish.title,
            score=choice.closes,
            reason=reason(off, choice.dish.per_serving * choice.servings),
            servings=choice.servings,
        )
        for choice in choices(mean, target, dishes)
    )


def _change_pct(base: float, value: float) -> float:
    if base == 0:
        return 0.0
    change: float = round((value - base) / base * 100, 3)
    # Adding 0.0 turns the -0.0 that rounding can leave into 0.0: equal numbers, but other JSON.
    return change + 0.0


def _direction(change_pct: float) -> Direction:
    if change_pct > TREND_PCT:
        return "increasing"
    return "decreasing" if change_pct < -TREND_PCT else "stable"
