"""Asking that somebody be told something."""

from collections.abc import Sequence

from meal_assets.contracts import Event
from meal_assets.contracts.notification_request import NotificationRequested
from meal_assets.event_store import EventStore, Origin

from .base import Accepted, command


def request_notification(store: EventStore, wanted: NotificationRequested, origin: Origin) -> Accepted:
    """Ask for it, unless somebody asked for this kind and period before."""

    def decide(history: list[Event]) -> Sequence[Event]:
        return [] if any(isinstance(e, NotificationRequested) for e in history) else [wanted]

    return command(store, wanted.stream_in(origin.household), decide, origin, person=wanted.person)
