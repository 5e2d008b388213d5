"""A planned week as iCalendar (RFC 5545): its meals, and what to do for them.

Each entry is known by its place in the week, so that the same week imported again, or planned anew, takes the place of
the one before.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from meal_assets.contracts.values import Meal
from meal_assets.domain.prep import Slot, Step

MEAL_LASTS = timedelta(minutes=30)
VERBS = {"thaw": "Thaw", "prepare": "Prepare", "cook": "Cook", "serve": "Serve"}


@dataclass(frozen=True, slots=True)
class MealEntry:
    """A meal on the table: when, what, and who gets how much."""

    slot: Slot
    title: str
    portions: str
    at: datetime


def calendar_of(
    household: str, meals: Iterable[MealEntry], steps: Iterable[Step], planned_at: datetime, revision: int
) -> bytes:
    """The file. `revision` grows when the week is planned anew (`planned_at`). Nothing of it depends on the clock."""
    from icalendar import Calendar, Event  # a tenth of a second that other commands need not wait

    found = Calendar()
    found.add("prodid", "-//meal_assets//meals//EN")
    found.add("version", "2.0")
    found.add("method", "PUBLISH")

    def add(uid: str, summary: str, detail: str, start: datetime, end: datetime | None) -> None:
        event = Event()
        event.add("uid", f"{uid}@meal-assets")
        event.add("dtstamp", planned_at.astimezone(UTC))
        event.add("sequence", revision)
        event.add("summary", summary)
        if detail:
            event.add("description", detail)
        event.add("dtstart", start.astimezone(UTC))
        if end is not None and end > start:
            event.add("dtend", end.astimezone(UTC))
        event.add("transp", "TRANSPARENT")  # nobody is busy because there is a meal
        found.add_component(event)

    for entry in sorted(meals, key=lambda m: (m.at, m.slot)):
        add(_uid(household, entry.slot, "meal"), _meal(entry), entry.portions, entry.at, entry.at + MEAL_LASTS)
    count = Counter[str]()
    for step in steps:
        if step.kind == "serve":  # the meal says it
            continue
        uid = _uid(household, step.slot, step.kind)
        count[uid] += 1
        number = f"-{count[uid]}" if count[uid] > 1 else ""
        told = [step.detail, f"meanwhile: {', '.join(step.beside)}" if step.beside else ""]
        detail = "\n".join(t for t in told if t)
        start, end = (step.end, None) if step.start is None else (step.start, step.end)
        add(f"{uid}{number}", f"{VERBS[step.kind]}: {step.title}", detail, start, end)
    content: bytes = found.to_ical()
    return content


def _uid(household: str, slot: Slot, kind: str) -> str:
    day, meal = slot
    return f"{household}-{day}-{meal}-{kind}"


def _meal(entry: MealEntry) -> str:
    meal: Meal = entry.slot[1]
    return f"{meal.capitalize()}: {entry.title}"
