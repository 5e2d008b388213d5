"""Weigh-ins, in kilograms or pounds."""

from collections import defaultdict

from pydantic import ValidationError

from meal_assets.commands.body import record_weights
from meal_assets.contracts.body import WeightRecorded
from meal_assets.domain.targets import KG_PER_POUND
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Origin

from .rows import BadRow, Imported, Progress, Row, bad_row, day, perhaps, rows


def import_weights(store: EventStore, content: bytes, origin: Origin, progress: Progress) -> Imported:
    """Record every good row; weigh-ins that stand already say nothing new."""
    read, bad = 0, list[BadRow]()
    persons: defaultdict[str, list[WeightRecorded]] = defaultdict(list)
    for line, row in rows(content, ("person", "date")):
        read += 1
        try:
            weight = WeightRecorded(
                person=row.get("person", ""),
                day=day(row, "date"),
                weight_kg=_kilograms(row),
                fat_pct=perhaps(row, "fat_pct"),
            )
        except (Invalid, ValidationError) as error:
            bad.append(bad_row(line, error))
            continue
        persons[weight.person].append(weight)
    events = 0
    for n, (person, weights) in enumerate(sorted(persons.items()), start=1):
        events += record_weights(store, person, weights, origin).events
        progress(n, len(persons))
    return Imported(read, events, bad)


def _kilograms(row: Row) -> float:
    kilograms = perhaps(row, "weight_kg")
    if kilograms is not None:
        return kilograms
    pounds = perhaps(row, "weight_lb")
    if pounds is None:
        raise Invalid("weight_kg", "is missing, and so is weight_lb")
    return round(pounds * KG_PER_POUND, 2)
