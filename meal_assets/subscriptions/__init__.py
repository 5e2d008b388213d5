"""Everybody who follows the log: where they stand, and bringing them to its head."""

from .folding import Folder, fold_all
from .following import Seen, follow
from .reacting import ready_consumers
from .settling import settle
from .standing import SUBSCRIBERS, Standing, Subscriber, beat_idle, flag_of, standings

__all__ = [
    "SUBSCRIBERS",
    "Folder",
    "Seen",
    "Standing",
    "Subscriber",
    "beat_idle",
    "flag_of",
    "fold_all",
    "follow",
    "ready_consumers",
    "settle",
    "standings",
]
