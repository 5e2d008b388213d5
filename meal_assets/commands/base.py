"""The one way a command goes: read the stream, decide, append at the version that was read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from meal_assets.contracts import Event
from meal_assets.errors import StaleVersion
from meal_assets.event_store import EventStore, Origin

MAX_DECISIONS = 5
"""How often a command decides again when somebody else appended first."""

Decide = Callable[[list[Event]], Sequence[Event]]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A command's receipt. `events` is 0 when there was nothing new to say."""

    correlation_id: UUID
    position: int
    events: int


def command(store: EventStore, stream: str, decide: Decide, origin: Origin, *, person: str | None = None) -> Accepted:
    """Append to `stream` what `decide` makes of its history; raises what `decide` raises, or `StaleVersion`.

    The history of a stream that is a `person`'s begins after they were last forgotten.
    """
    for attempt in range(MAX_DECISIONS):
        forgotten = store.forgotten_at(origin.household, person) if person else 0
        history = store.read_stream(stream)
        events = decide([r.event for r in history if r.position > forgotten])
        if not events:
            return Accepted(origin.correlation_id, history[-1].position if history else 0, 0)
        try:
            appended = store.append(stream, events, origin=origin, expected_version=len(history))
        except StaleVersion:
            if attempt == MAX_DECISIONS - 1:
                raise
            continue
        return Accepted(origin.correlation_id, appended.last, len(events))
    raise AssertionError("the loop returns or raises")
