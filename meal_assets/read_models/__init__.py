"""What people ask: each read model is one module. A new module here is found by itself."""

import sys

from meal_assets.discovery import subclasses_in

from .base import (
    Folded,
    ReadModel,
    Rebuilt,
    as_of,
    asking,
    catch_up,
    compare_some_days,
    position_at,
    rebuild,
    refold_days,
    undo_rebuild,
    wait_until,
)

READ_MODELS: dict[str, type[ReadModel]] = {m.name: m for m in subclasses_in(sys.modules[__name__], ReadModel)}

__all__ = [
    "READ_MODELS",
    "Folded",
    "ReadModel",
    "Rebuilt",
    "as_of",
    "asking",
    "catch_up",
    "compare_some_days",
    "position_at",
    "rebuild",
    "refold_days",
    "undo_rebuild",
    "wait_until",
]
