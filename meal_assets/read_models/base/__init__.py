"""What all read models share: following the log, being rebuilt beside themselves, time travel, and who made a row."""

from .asking import asking
from .audit import events_behind, narrowing, row_key, with_causes
from .comparing import Difference, compare_some_days
from .folding import refold_days
from .following import Folded, catch_up
from .model import ReadModel
from .rebuilding import Rebuilt, rebuild, undo_rebuild
from .time_travel import as_of, position_at, tables_as_of
from .waiting import wait_until

__all__ = [
    "Difference",
    "Folded",
    "ReadModel",
    "Rebuilt",
    "as_of",
    "asking",
    "catch_up",
    "compare_some_days",
    "events_behind",
    "narrowing",
    "position_at",
    "rebuild",
    "refold_days",
    "row_key",
    "tables_as_of",
    "undo_rebuild",
    "wait_until",
    "with_causes",
]
