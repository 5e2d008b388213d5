"""What a consumer declares, and what it answers an event with."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from meal_assets.contracts import Event
from meal_assets.discovery import snake
from meal_assets.event_store import EventStore, Recorded


@dataclass(frozen=True, slots=True)
class Said:
    """An event to append to its own stream. `key` tells it from what else the same event made the consumer say.

    Without a key it is the how-manieth it was; give one where a repeat could say things in another order.
    """

    event: Event
    key: str | None = None


class Consumer:
    """Subclass with a docstring, `listens_to`, `says` and `handle`; the rest is derived.

    `handle` may be called again for the same event: all it reads of the log must be as of that event's position.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    listens_to: ClassVar[tuple[type[Event], ...]]
    says: ClassVar[tuple[type[Event], ...]]
    ordered_by_stream: ClassVar[bool] = False
    """Whether the later events of a stream wait while an earlier one of it is a dead letter."""

    def __init_subclass__(cls) -> None:
        cls.name = snake(cls.__name__)

    def handle(self, recorded: Recorded, log: EventStore) -> Iterable[Said]:
        """What is to be said about this event. Raises `Permanent` if nothing ever can be, `Transient` if not now."""
        raise NotImplementedError
