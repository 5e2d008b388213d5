"""Setting a flag, and pausing and resuming those whom a flag switches."""

from meal_assets.contracts import Event
from meal_assets.contracts.system import FlagSet
from meal_assets.event_store import EventStore, Origin
from meal_assets.event_store.switches import NEVER_SET, mode_before_pause, switches

from .base import Accepted, command


def set_flag(store: EventStore, flag: FlagSet, origin: Origin) -> Accepted:
    """Let the flag say this to whom it names, from now on; it stays as it is for all others."""
    return command(store, flag.stream_in(origin.household), lambda _: [flag], origin)


def pause(store: EventStore, flag: str, origin: Origin, reason: str | None = None) -> Accepted:
    """Let the read model or consumer of this flag rest where it is; nothing new to say where it rests already."""
    said = FlagSet(flag=flag, value="off", reason=reason)

    def decide(_: list[Event]) -> list[Event]:
        with store.database.transaction() as db:
            now = switches(db, [flag]).get(flag, NEVER_SET)
        return [] if now.mode == "off" and reason in (None, now.reason) else [said]

    return command(store, said.stream_in(origin.household), decide, origin)


def resume(store: EventStore, flag: str, origin: Origin, reason: str | None = None) -> Accepted:
    """Let it go on as before the pause: a consumer that only shadowed then must not begin to speak by this."""
    said = FlagSet(flag=flag, value="on", reason=reason)

    def decide(_: list[Event]) -> list[Event]:
        with store.database.transaction() as db:
            if switches(db, [flag]).get(flag, NEVER_SET).mode != "off":
                return []
            return [said.model_copy(update={"value": mode_before_pause(db, flag)})]

    return command(store, said.stream_in(origin.household), decide, origin)
