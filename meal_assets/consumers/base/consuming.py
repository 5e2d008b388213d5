"""How a consumer follows the log: in order, at least once, and a repeat says nothing new.

Permanent error -> dead letter, go on. Anything else -> stop before the event, to be tried again later, a bounded
number of times; then it becomes a dead letter too. An event of a newer program -> stop before it until this one is
updated, or a newer one takes over.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from meal_assets.contracts.system import CONSUMER_FLAG, Mode
from meal_assets.event_store import EventStore
from meal_assets.event_store.heartbeats import beat
from meal_assets.event_store.switches import mode_of

from .consumer import Consumer
from .heard import Heard, next_heard
from .round import Round
from .voices import Aloud, Aside

LOOK_SECONDS = 1.0
"""A pause is noticed between two events when the last look at the flag is older than this, and after each page."""


@dataclass(frozen=True, slots=True)
class Consumed:
    """What one call did. `failed`: why it stopped before an event.

    `busy`: it goes no further for now, since another process is at it or its `mode` keeps it where it is; then
    `position`, `handled` and `set_aside` are those of its shadow, if it has one.
    """

    position: int
    handled: int = 0
    set_aside: int = 0
    busy: bool = False
    failed: str | None = None
    mode: Mode = "on"


def consume(
    consumer: Consumer, store: EventStore, *, wait: bool = False, stop: Callable[[], bool] = lambda: False
) -> Consumed:
    """Hand the consumer all that is new, or what comes until `stop` says so, one event after the other, in the mode of
    its flag.

    One process at a time: another one that is at it is waited for, or left to it.
    """
    with _alone(consumer.name, store, wait=wait) as alone:
        if not alone:
            return Consumed(position=0, busy=True)
        mode = _mode(consumer, store)
        if mode == "off":
            _beat(consumer, store)
            return Consumed(Aloud(consumer, store).position(), busy=True, mode=mode)
        voice = Aloud(consumer, store) if mode == "on" else Aside(consumer, store)
        round_, failed = Round(consumer, store, voice), None
        for heard in _heard_while(mode, round_, stop):
            failed = round_.take(heard)
            if failed is not None:
                break
        round_.end()
        if not round_.too_old:
            _beat(consumer, store)
        return Consumed(round_.position, round_.handled, round_.set_aside, mode != "on", failed, mode)


def _heard_while(mode: Mode, round_: Round, stop: Callable[[], bool]) -> Iterator[Heard]:
    """All that is new, one after the other, for as long as the consumer's flag says the same."""
    consumer, store, looked = round_.consumer, round_.store, time.monotonic()
    while events := next_heard(consumer, store, round_.position):
        for heard in events:
            if stop():
                return
            if time.monotonic() - looked > LOOK_SECONDS:
                if _mode(consumer, store) != mode:
                    return
                looked = time.monotonic()
            yield heard
        round_.move()
        looked = -math.inf


def _mode(consumer: Consumer, store: EventStore) -> Mode:
    with store.database.transaction() as db:
        return mode_of(db, CONSUMER_FLAG + consumer.name)


def _beat(consumer: Consumer, store: EventStore) -> None:
    with store.database.statement() as db:
        beat(db, [consumer.name])


@contextmanager
def _alone(name: str, store: EventStore, *, wait: bool) -> Iterator[bool]:
    """True while no other process runs this consumer; the lock falls with the connection if this one dies."""
    lock = "SELECT pg_advisory_lock(hashtext(%s)) IS NOT NULL" if wait else "SELECT pg_try_advisory_lock(hashtext(%s))"
    with store.database.dedicated() as connection:
        yield connection.execute(lock, (f"consumer/{name}",)).fetchone() == (True,)


def is_busy(name: str, store: EventStore) -> bool:
    """Whether some process runs this consumer now."""
    with _alone(name, store, wait=False) as alone:
        return not alone
