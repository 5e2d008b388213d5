"""Events as a test says them: an example with what matters exchanged."""

from datetime import date
from typing import Any, TypeVar

from meal_assets.contracts import Event
from meal_assets.event_store import Appended, EventStore, Origin

AnyEvent = TypeVar("AnyEvent", bound=Event)
WEEK = date(2026, 11, 23)


def like(kind: type[AnyEvent], **exchanged: Any) -> AnyEvent:
    """The first example of the event with these fields instead."""
    return kind.model_validate({**kind.examples[0], **exchanged})


def append(store: EventStore, *events: Event, origin: Origin | None = None) -> Appended:
    """Append each to its own stream; where the last one stands."""
    origin = origin or Origin("home", "test")
    for event in events:
        appended = store.append(event.stream_in(origin.household), [event], origin=origin)
    return appended
