"""What happened: every event type, one module a topic. A new module here is found by itself."""

import sys

from meal_assets.discovery import subclasses_in

from .base import Event

EVENTS: dict[str, type[Event]] = {e.type_name: e for e in subclasses_in(sys.modules[__name__], Event)}
"""Stored type name -> class."""

TOPICS: dict[str, tuple[type[Event], ...]] = {
    topic: tuple(e for e in EVENTS.values() if e.topic == topic) for topic in sorted({e.topic for e in EVENTS.values()})
}
"""Topic -> its event types."""

__all__ = ["EVENTS", "TOPICS", "Event"]
