"""Setting a flag."""

from meal_assets.contracts.system import FlagSet
from meal_assets.event_store import EventStore, Origin

from .base import Accepted, command


def set_flag(store: EventStore, flag: FlagSet, origin: Origin) -> Accepted:
    """Let the flag say this to whom it names, from now on; it stays as it is for all others."""
    return command(store, flag.stream_in(origin.household), lambda _: [flag], origin)
