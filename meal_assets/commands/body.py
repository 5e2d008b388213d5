"""Weighing in."""

from collections.abc import Mapping, Sequence
from datetime import date

from meal_assets.contracts import Event
from meal_assets.contracts.body import WeightRecorded
from meal_assets.event_store import EventStore, Origin

from .base import Accepted, command


def record_weights(store: EventStore, person: str, weights: Sequence[WeightRecorded], origin: Origin) -> Accepted:
    """Record a person's weigh-ins, the last one of each day, except those that stand already."""

    def decide(history: list[Event]) -> list[Event]:
        stands = {e.day: e for e in history if isinstance(e, WeightRecorded)}
        wanted = {weight.day: weight for weight in weights}
        return [weight for day, weight in wanted.items() if stands.get(day) != weight]

    return command(store, f"{origin.household}/body/{person}", decide, origin, person=person)


def observe_weights(
    store: EventStore, person: str, weights: Mapping[date, float], before: Mapping[date, float], origin: Origin
) -> Accepted:
    """Record weigh-ins (kg) that were read elsewhere, where they were other ones `before`.

    A weigh-in recorded here stays when one of its day is read elsewhere for the first time.
    """

    def decide(history: list[Event]) -> list[Event]:
        stands = {e.day: e.weight_kg for e in history if isinstance(e, WeightRecorded)}
        return [
            WeightRecorded(person=person, day=day, weight_kg=kg)
            for day, kg in sorted(weights.items())
            if before.get(day) != kg and stands.get(day) != kg and (day in before or day not in stands)
        ]

    return command(store, f"{origin.household}/body/{person}", decide, origin, person=person)
