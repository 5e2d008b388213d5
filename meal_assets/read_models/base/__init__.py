"""What all read models share: following the log, being rebuilt beside themselves, time travel, and who made a row."""

from .asking import asking
from .audit import events_behind, narrowing, row_key, with_causes
from .columns import Column, columns_of, keys_of, row_names
from .comparing import Difference, compare_some_days
from .folding import refold_days
from .following import Folded, catch_up
from .model import SEEN_HOUSEHOLD, SEEN_PERSON, ReadModel
from .rebuilding import Rebuilt, rebuild, undo_rebuild
from .tables import let_see
from .time_travel import as_of, position_at, tables_as_of
from .waiting import wait_until

__all__ = [
    "SEEN_HOUSEHOLD",
    "SEEN_PERSON",
    "Column",
    "Difference",
    "Folded",
    "ReadModel",
    "Rebuilt",
    "as_of",
    "asking",
    "catch_up",
    "columns_of",
    "compare_some_days",
    "events_behind",
    "keys_of",
    "let_see",
    "narrowing",
    "position_at",
    "rebuild",
    "refold_days",
    "row_key",
    "row_names",
    "tables_as_of",
    "undo_rebuild",
    "wait_until",
    "with_causes",
]
