"""What a consumer declares, and what it answers an event with: events to say, and acts to do outside."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import ClassVar

from meal_assets.clients.outside import Outside
from meal_assets.contracts import Event
from meal_assets.discovery import snake
from meal_assets.event_store import EventStore, Recorded

NOBODY = Outside()


@dataclass(frozen=True, slots=True)
class Said:
    """An event to append to its own stream. `key` tells it from what else the same event made the consumer say.

    Without a key it is the how-manieth it was; give one where a repeat could say things in another order.
    """

    event: Event
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """Something to do outside. It is handed over and not done in `handle`, so a shadow and a replay leave it undone.

    `do` gets a key that is the same whenever it is repeated: give it to whoever can tell a repeat by it. What is said
    after it may depend on its having raised, or be said only where it was done; then a repeat says again what it said.
    """

    do: Callable[[str], object]
    key: str | None = None


class Consumer:
    """Subclass with a docstring, `listens_to`, `says` and `handle`; the rest is derived.

    `handle` may be called again for the same event: all it reads of the log must be as of that event's position.
    `self.outside` opens clients of services outside.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    listens_to: ClassVar[tuple[type[Event], ...]]
    says: ClassVar[tuple[type[Event], ...]]
    waits_for: ClassVar[type[Event] | None] = None
    """Before the first event of this type, anywhere, nothing is asked of it."""
    ordered_by_stream: ClassVar[bool] = False
    """Whether the later events of a stream wait while an earlier one of it is a dead letter."""

    calls: ClassVar[tuple[str, ...]] = ()
    """Services outside that it calls, by the names that `meals remotes` shows."""

    def __init__(self, outside: Outside = NOBODY) -> None:
        self.outside = outside

    def __init_subclass__(cls) -> None:
        cls.name = snake(cls.__name__)

    def handle(self, recorded: Recorded, log: EventStore) -> Iterable[Said | Act]:
        """What is to be said and done about this event, in this order.

        Raises `Permanent` if nothing ever can be, `Transient` if not now.
        """
        raise NotImplementedError


def keyed(answers: Iterable[Said | Act]) -> Iterator[tuple[str, Said | Act]]:
    """Each answer with its key; what is said and what is done are counted apart, so that neither renames the other."""
    said, acts = count(), count()
    for answer in answers:
        number = f"act.{next(acts)}" if isinstance(answer, Act) else str(next(said))
        yield (number if answer.key is None else answer.key), answer
