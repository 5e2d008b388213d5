"""Weighing in."""

from collections.abc import Sequence

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
