"""What every consumer is and does: subclass `Consumer`, and `consume` brings it to the head of the log."""

from .attempts import BACK_OFF, MAX_ATTEMPTS, Tried, failed_attempts, try_at_once
from .consumer import Act, Consumer, Said
from .consuming import Consumed, consume, is_busy
from .differences import Difference, shadow_differences
from .heard import PAGE, is_too_new
from .program import Program
from .replay import replay
from .resetting import Reset, reset
from .traces import MAX_ERROR_LENGTH
from .voices import shadow_of

__all__ = [
    "BACK_OFF",
    "MAX_ATTEMPTS",
    "MAX_ERROR_LENGTH",
    "PAGE",
    "Act",
    "Consumed",
    "Consumer",
    "Difference",
    "Program",
    "Reset",
    "Said",
    "Tried",
    "consume",
    "failed_attempts",
    "is_busy",
    "is_too_new",
    "replay",
    "reset",
    "shadow_differences",
    "shadow_of",
    "try_at_once",
]
