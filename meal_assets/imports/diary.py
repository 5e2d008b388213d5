"""Diaries: each row one entry, each day of a person complete with the file."""

from collections import Counter, defaultdict
from datetime import date
from hashlib import sha256

from pydantic import ValidationError

from meal_assets.commands.diary import close_day, log_meals
from meal_assets.contracts.diary import MealLogged
from meal_assets.contracts.values import Meal, Nutrients
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Origin

from .rows import BadRow, Imported, Progress, Row, bad_row, day, number, perhaps, rows

Line = tuple[int, MealLogged]
COLUMNS = ("person", "date", "meal", "food", "kcal", "protein_g", "carbs_g", "fat_g")
MEAL_WORDS: dict[str, Meal] = {
    "breakfast": "breakfast",
    "brunch": "breakfast",
    "lunch": "lunch",
    "dinner": "dinner",
    "supper": "dinner",
    "snack": "snack",
    "snacks": "snack",
    "drink": "snack",
    "other": "snack",
}


def import_diary(store: EventStore, content: bytes, origin: Origin, progress: Progress) -> Imported:
    """Log every good row and close every day that has one; entries that are there already say nothing new."""
    read, bad = 0, list[BadRow]()
    days: defaultdict[tuple[str, date], list[Line]] = defaultdict(list)
    seen = Counter[str]()
    for line, row in rows(content, COLUMNS):
        read += 1
        try:
            meal = _meal(row, seen)
        except (Invalid, ValidationError) as error:
            bad.append(bad_row(line, error))
            continue
        days[meal.person, meal.day].append((line, meal))
    events = 0
    for n, ((person, on), lines) in enumerate(sorted(days.items()), start=1):
        events += _log_day(store, person, on, lines, origin, bad)
        progress(n, len(days))
    return Imported(read, events, sorted(bad, key=lambda b: b.line))


def _log_day(store: EventStore, person: str, on: date, lines: list[Line], origin: Origin, bad: list[BadRow]) -> int:
    """Log a day at once, or line by line when the diary refuses one of them; how many events that made."""
    try:
        return log_meals(store, person, on, [meal for _, meal in lines], origin, close=True).events
    except Invalid:
        events = 0
    for line, meal in lines:
        try:
            events += log_meals(store, person, on, [meal], origin).events
        except Invalid as error:
            bad.append(bad_row(line, error))
    return events + close_day(store, person, on, origin).events


def _meal(row: Row, seen: Counter[str]) -> MealLogged:
    word = row.get("meal", "").casefold()
    if word not in MEAL_WORDS:
        raise Invalid("meal", f"{row.get('meal', '')!r} is none of {', '.join(MEAL_WORDS)}")
    nutrition = Nutrients(
        kcal=number(row, "kcal"),
        protein_g=number(row, "protein_g"),
        carbs_g=number(row, "carbs_g"),
        fat_g=number(row, "fat_g"),
        fiber_g=perhaps(row, "fiber_g"),
        sugar_g=perhaps(row, "sugar_g"),
        saturated_fat_g=perhaps(row, "saturated_fat_g"),
        sodium_mg=perhaps(row, "sodium_mg"),
    )
    return MealLogged(
        entry=_entry(row, seen),
        person=row.get("person", ""),
        day=day(row, "date"),
        meal=MEAL_WORDS[word],
        food=row.get("food", ""),
        grams=perhaps(row, "grams"),
        nutrition=nutrition,
        source="import",
    )


def _entry(row: Row, seen: Counter[str]) -> str:
    """An id that the same row has in every file; the second of two equal rows of a day is another entry."""
    told = ("person", "date", "time", "meal", "food", "amount", "grams", "kcal", "protein_g", "carbs_g", "fat_g")
    content = "\x1f".join(row.get(column, "") for column in told)
    seen[content] += 1
    return sha256(f"{content}\x1f{seen[content]}".encode()).hexdigest()[:32]
