"""Everybody who follows the log: where they stand, and bringing them to its head."""

from .folding import Folder, fold_all
from .following import Seen, follow, quick_switches
from .reacting import FOR_CONSUMERS, ready_consumers
from .settling import settle
from .standing import (
    DECISIONS,
    SUBSCRIBERS,
    Relaying,
    Standing,
    Subscriber,
    beat_idle,
    events_waiting,
    flag_of,
    relays,
    standings,
)

__all__ = [
    "DECISIONS",
    "FOR_CONSUMERS",
    "SUBSCRIBERS",
    "Folder",
    "Relaying",
    "Seen",
    "Standing",
    "Subscriber",
    "beat_idle",
    "events_waiting",
    "flag_of",
    "fold_all",
    "follow",
    "quick_switches",
    "ready_consumers",
    "relays",
    "settle",
    "standings",
]
