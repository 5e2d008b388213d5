"""What people are told, in words."""

from collections.abc import Mapping
from datetime import date

from meal_assets.contracts.notification_request import OPERATOR, NotificationRequested
from meal_assets.contracts.plan import PlanGenerated
from meal_assets.contracts.reconciliation import DayReconciled, DeviationAlerted
from meal_assets.contracts.values import MEALS

NAMES = {"kcal": "Energy", "protein_g": "Protein", "carbs_g": "Carbohydrates", "fat_g": "Fat"}
UNITS = {"kcal": "kcal", "protein_g": "g", "carbs_g": "g", "fat_g": "g"}
DAY = "%A, %d %B %Y"


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
