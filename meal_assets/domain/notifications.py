"""What people are told, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from meal_assets.contracts.expenditure import EnergyGoalSuggested
from meal_assets.contracts.notification_request import OPERATOR, NotificationRequested, Picture
from meal_assets.contracts.plan import PlanGenerated
from meal_assets.contracts.reconciliation import DayReconciled, DeviationAlerted
from meal_assets.contracts.values import MACROS, MEALS, Macros
from meal_assets.domain.energy_goal import CAVEAT, in_words

from .shopping import Item, shown

NAMES = {"kcal": "Energy", "protein_g": "Protein", "carbs_g": "Carbohydrates", "fat_g": "Fat"}
UNITS = {"kcal": "kcal", "protein_g": "g", "carbs_g": "g", "fat_g": "g"}
DAY = "%A, %d %B %Y"
MOST_LINES, LONGEST_LINE = 100, 70
"""Of a shopping list in a message."""


def of_week(plan: PlanGenerated) -> list[NotificationRequested]:
    """Each eater's own week: what there is, and how much of it."""
    found = []
    for person in sorted({day.person for day in plan.days}):
        lines: list[str] = []
        for day in sorted({m.day for m in plan.meals}):
            meals = sorted(
                (m for m in plan.meals if m.day == day and m.portions.get(person)), key=lambda m: MEALS.index(m.meal)
            )
            lines += [f"{day:{DAY}}", *(f"  {m.meal}: {m.title}, {_servings(m.portions[person])}" for m in meals), ""]
        found.append(
            NotificationRequested(
                person=person,
                kind="weekly_plan",
                period=str(plan.week),
                title=f"Your week of {plan.week:%d %B %Y}",
                text="\n".join(lines),
            )
        )
    return found


def of_list(plan: PlanGenerated, items: Sequence[Item]) -> list[NotificationRequested]:
    """What to buy for the week, to each who eats; nothing where there is nothing to buy."""
    lines = [f"{item.item[:LONGEST_LINE]}  {shown(item.quantity, item.unit)}".strip() for item in items[:MOST_LINES]]
    if len(items) > MOST_LINES:
        lines.append(f"… and {len(items) - MOST_LINES} more: `meals shopping`")
    return [
        NotificationRequested(
            person=person,
            kind="shopping_list",
            period=str(plan.week),
            title=f"To buy for the week of {plan.week:%d %B %Y}",
            text="\n".join(lines),
        )
        for person in sorted({day.person for day in plan.days})
        if lines
    ]


def of_day(day: DayReconciled) -> NotificationRequested:
    """What was eaten beside what was meant."""
    lines = [
        f"{name}: {getattr(day.eaten, key):,.0f} of {getattr(day.target, key):,.0f} {UNITS[key]}"
        for key, name in NAMES.items()
    ]
    return NotificationRequested(
        person=day.person,
        kind="daily_summary",
        period=str(day.day),
        title=f"{day.day:{DAY}}: {day.eaten.kcal:,.0f} of {day.target.kcal:,.0f} kcal",
        text="\n".join(lines),
    )


def of_deviation(alert: DeviationAlerted) -> NotificationRequested:
    """One nutrient that is far off."""
    where = "below" if alert.deviation_pct < 0 else "above"
    return NotificationRequested(
        person=alert.person,
        kind="deviation",
        period=f"{alert.day}.{alert.nutrient}",
        title=f"{NAMES[alert.nutrient]} is {abs(alert.deviation_pct):.0f} % {where} your target",
        text=f"That is the average of the days you logged in the week up to {alert.day:{DAY}}.",
    )


def of_energy_goal(suggested: EnergyGoalSuggested) -> NotificationRequested:
    """A goal that fits what the person spends, why it is that one, and what it is not."""
    lines = [
        f"You spend about {suggested.expenditure_kcal:,.0f} kcal a day: between {suggested.low_kcal:,.0f} and"
        f" {suggested.high_kcal:,.0f}, as your weight and your diary tell. Your goal was made for something else.",
        "A goal that fits better:",
        *(
            f"  {name}: {getattr(suggested.goal, key):,.0f} {UNITS[key]} (now {getattr(suggested.before, key):,.0f})"
            for key, name in NAMES.items()
        ),
        *in_words(suggested.bounds),
        f"To take it: meals goals {suggested.person} --accept",
        "",
        CAVEAT,
    ]
    return NotificationRequested(
        person=suggested.person,
        kind="energy_goal",
        period=str(suggested.day),
        title=f"A goal of {suggested.goal.kcal:,.0f} kcal would fit you better than {suggested.before.kcal:,.0f}",
        text="\n".join(lines),
    )


@dataclass(frozen=True, slots=True)
class WeekEaten:
    """A person's week: days that have a diary, what a day should hold, and what became of them.

    `closed`, `within`: days held against the target, and those of them that met it; `streak`: how many did in a row up
    to the last day with a diary. `trend_kg`: smoothed weight at the end of the week before and of this one.
    `spent_kcal`: expenditure a day, and between what it lies.
    """

    person: str
    week: date
    days: Mapping[date, Macros]
    target: Macros | None = None
    closed: int = 0
    within: int = 0
    streak: int = 0
    tolerance_pct: float = 10
    spent_kcal: tuple[float, float, float] | None = None
    trend_kg: tuple[float | None, float | None] = (None, None)


def of_week_eaten(eaten: WeekEaten) -> NotificationRequested:
    """The week's mean day beside the target, what went well and what to change, weight and expenditure, the days."""
    lines = [f"You logged {len(eaten.days)} of 7 days. A day, on average:"]
    means = {key: sum(getattr(day, key) for day in eaten.days.values()) / len(eaten.days) for key in NAMES}
    for key, name in NAMES.items():
        target = None if eaten.target is None else getattr(eaten.target, key)
        lines.append(f"  {name}: {_beside(means[key], target, UNITS[key])}")
    if eaten.closed:
        row = f", {eaten.streak} in a row" if eaten.streak > 1 else ""
        lines.append(f"Within your targets: {eaten.within} of {eaten.closed} closed days{row}.")
    lines += _advice(means, eaten)
    if eaten.spent_kcal is not None:
        kcal, low, high = eaten.spent_kcal
        lines.append(f"You spend about {kcal:,.0f} kcal a day, between {low:,.0f} and {high:,.0f}.")
    before, now = eaten.trend_kg
    if now is not None:
        lines.append(f"Weight: {now:.1f} kg" + ("." if before is None else f", {now - before:+.1f} kg in the week."))
    lines.append("")
    for day, macros in sorted(eaten.days.items()):
        figures = (f"{NAMES[key].lower()} {getattr(macros, key):,.0f} {UNITS[key]}" for key in MACROS)
        lines.append(f"{day:{DAY}}: {', '.join(figures)}")
    return NotificationRequested(
        person=eaten.person,
        kind="weekly_report",
        period=str(eaten.week),
        title=f"How your week of {eaten.week:%d %B %Y} went",
        text="\n".join(lines),
        picture=picture_of(eaten),
    )


def picture_of(eaten: WeekEaten) -> Picture:
    """The week's energy day by day, beside the target."""
    days = sorted(eaten.days)
    target = None if eaten.target is None else eaten.target.kcal
    return Picture(
        title=f"Week of {eaten.week:%d %B %Y}",
        unit="kcal a day",
        eaten={day: eaten.days[day].kcal for day in days},
        target={} if target is None else dict.fromkeys(days, target),
    )


def _advice(means: Mapping[str, float], eaten: WeekEaten) -> list[str]:
    """What was within the tolerance on average, and by how much a day the rest should change."""
    if eaten.target is None:
        return []
    good, change = [], []
    for key, name in NAMES.items():
        target = getattr(eaten.target, key)
        if target and abs(means[key] / target - 1) * 100 <= eaten.tolerance_pct:
            good.append(name.lower())
        elif target:
            more = "more" if means[key] < target else "less"
            change.append(f"{abs(target - means[key]):,.0f} {UNITS[key]} {more} {name.lower()} a day")
    return [
        *([f"Went well: {', '.join(good)}."] if good else []),
        *([f"To change: {', '.join(change)}."] if change else []),
    ]


def _beside(eaten: float, target: float | None, unit: str) -> str:
    if target is None:
        return f"{eaten:,.0f} {unit}"
    return f"{eaten:,.0f} {unit} of {target:,.0f} {unit}" + (
        f" ({100 * eaten / target - 100:+.0f} %)" if target else ""
    )


def of_check(
    day: date, about: str, name: str, description: str, figures: Mapping[str, object], *, is_error: bool
) -> NotificationRequested:
    """A check of the platform that does not hold: `about` what, and what it saw."""
    return NotificationRequested(
        person=OPERATOR,
        kind="check",
        period=f"{day}.{about}.{name}",
        title=f"{'Error' if is_error else 'Warning'}: {about}, {_words(name)}",
        text="\n".join(
            [f"Does not hold: {description}", "", *(f"{_words(key)}: {value}" for key, value in figures.items())]
        ),
    )


def of_check_that_holds_again(day: date, about: str, name: str, description: str) -> NotificationRequested:
    """To be told after `of_check` of that day."""
    return NotificationRequested(
        person=OPERATOR,
        kind="check",
        period=f"{day}.{about}.{name}.well",
        title=f"Well again: {about}, {_words(name)}",
        text=f"Holds again: {description}",
    )


def _words(name: str) -> str:
    return name.replace("_", " ")


def _servings(portions: float) -> str:
    return f"{portions:g} {'serving' if portions == 1 else 'servings'}"
