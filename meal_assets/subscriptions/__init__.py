"""Everybody who follows the log: where they stand, and bringing them to its head."""

from .folding import Folder, fold_all
from .settling import settle
from .standing import DECISIONS, SUBSCRIBERS, Standing, Subscriber, beat_idle, flag_of, standings

__all__ = [
    "DECISIONS",
    "SUBSCRIBERS",
    "Folder",
    "Standing",
    "Subscriber",
    "beat_idle",
    "flag_of",
    "fold_all",
    "settle",
    "standings",
]
