"""Ticking off what is in the basket."""

from datetime import date

from meal_assets.contracts import Event
from meal_assets.contracts.shopping import ItemTicked, ItemUnticked
from meal_assets.event_store import EventStore, Origin

from .base import Accepted, command


def tick(store: EventStore, week: date, item: str, origin: Origin, *, done: bool = True) -> Accepted:
    """Tick an item of the week's list, or put it back; what stands already says nothing new."""
    event: Event = ItemTicked(week=week, item=item) if done else ItemUnticked(week=week, item=item)

    def decide(history: list[Event]) -> list[Event]:
        about = [e for e in history if isinstance(e, ItemTicked | ItemUnticked) and e.item == item]
        stands = isinstance(about[-1], ItemTicked) if about else False
        return [] if stands == done else [event]

    return command(store, event.stream_in(origin.household), decide, origin)
