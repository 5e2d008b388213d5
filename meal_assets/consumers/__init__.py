"""Who reacts: each consumer turns events into further events, one module each. A new module here is found by itself."""

import sys

from meal_assets.discovery import subclasses_in

from .base import Consumed, Consumer, Said, consume

CONSUMERS: dict[str, type[Consumer]] = {c.name: c for c in subclasses_in(sys.modules[__name__], Consumer)}

__all__ = ["CONSUMERS", "Consumed", "Consumer", "Said", "consume"]
