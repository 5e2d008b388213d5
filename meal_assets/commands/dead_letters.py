"""Deciding about events that a consumer could not handle."""

from meal_assets.contracts import Event
from meal_assets.contracts.system import DeadLetterDiscarded, DeadLettered, DeadLetterRetried
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Origin

from .base import Accepted, command


def retry(store: EventStore, consumer: str, position: int, origin: Origin) -> Accepted:
    """Let the consumer try the event again."""
    return _decide(store, DeadLetterRetried(consumer=consumer, position=position), origin)


def discard(store: EventStore, consumer: str, position: int, reason: str, origin: Origin) -> Accepted:
    """Say that the event need not be handled, and why."""
    return _decide(store, DeadLetterDiscarded(consumer=consumer, position=position, reason=reason), origin)


def _decide(store: EventStore, event: DeadLetterRetried | DeadLetterDiscarded, origin: Origin) -> Accepted:
    def decide(history: list[Event]) -> list[Event]:
        if not history or not isinstance(history[-1], DeadLettered):
            raise Invalid("position", f"{event.consumer} has no open dead letter at {event.position}")
        return [event]

    return command(store, event.stream_in(origin.household), decide, origin)
