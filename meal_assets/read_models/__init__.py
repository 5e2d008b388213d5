"""What people ask: each read model is one module. A new module here is found by itself."""

import sys

from meal_assets.discovery import subclasses_in

from .base import Folded, ReadModel, catch_up, rebuild, refold_days

READ_MODELS: dict[str, type[ReadModel]] = {m.name: m for m in subclasses_in(sys.modules[__name__], ReadModel)}

__all__ = ["READ_MODELS", "Folded", "ReadModel", "catch_up", "rebuild", "refold_days"]
