"""Topics to an outside broker: each event at least once, in the order of the log."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Protocol

import psycopg

from meal_assets.contracts import Event
from meal_assets.errors import Invalid, Transient, Unavailable
from meal_assets.event_store import Connection, EventStore
from meal_assets.event_store.checkpoints import RELAY, checkpoints, drop_checkpoint, move_checkpoint
from meal_assets.event_store.cloud_event import Logged, attributes_of, line_of
from meal_assets.event_store.heartbeats import beat, drop_heartbeat, note_stop
from meal_assets.event_store.store import POLL_SECONDS

from .cloud_events import read_logged

BATCH = 100
"""Events between two checkpoints, so at most so many arrive again after a kill."""
PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds before each further attempt at an event, before half as much again at random."""
VERSION = 1

Progress = Callable[[int, int], None]
"""Told the position that is through, and how many events that were; at the head again and again."""


class Broker(Protocol):
    """Where events go. One that was given a message id twice shows it once, as far back as it remembers."""

    def publish(self, subject: str, body: bytes, message_id: str) -> None:
        """Return when the broker has it for good; raises `Transient` when it is not known to have it."""

    def close(self) -> None: ...


def relay(
    store: EventStore,
    broker: Broker,
    name: str,
    types: Sequence[type[Event]] = (),
    *,
    once: bool = False,
    pauses: Sequence[float] = PAUSES,
    progress: Progress = lambda _at, _n: None,
) -> int:
    """Publish the events of these types, or all, from where this relay stands, for ever; `once`: up to the head.

    How many that were. `meals status` shows where it stands, when it last looked and why it stopped.
    Raises `Unavailable` when the broker takes an event in none of the attempts, or when another process runs a relay of
    this name.
    """
    published = 0
    with _alone(store, name) as db, _telling(store, name), store.listen() as wait:
        at = _standing(db, name)
        while True:
            head = store.head()
            while batch := read_logged(store, at, types, until=head, limit=BATCH):
                for row in batch:
                    _publish(broker, row, pauses, chained=not types, standing=at)
                at, published = batch[-1].position, published + len(batch)
                move_checkpoint(db, _subscriber(name), at, VERSION)
                progress(at, published)
            if at < head:  # nothing else was for it: it is not behind, and keeps nobody from archiving that
                move_checkpoint(db, _subscriber(name), head, VERSION)
                at = head
            beat(db, [_subscriber(name)])
            if once:
                return published
            progress(at, published)
            wait(POLL_SECONDS)


def forget_relay(store: EventStore, name: str) -> None:
    """Forget where the relay stands, for one that is not to go on. Raises `Invalid` for a name that is nobody's."""
    with _alone(store, name) as db, db.transaction():
        relays = [one.removeprefix(RELAY) for one in checkpoints(db) if one.startswith(RELAY)]
        if name not in relays:
            raise Invalid("--name", f"{name!r} is none of the relays there are: {', '.join(relays) or 'none'}")
        drop_checkpoint(db, _subscriber(name))
        drop_heartbeat(db, _subscriber(name))


def _publish(broker: Broker, row: Logged, pauses: Sequence[float], *, chained: bool, standing: int) -> None:
    body = line_of(attributes_of(row, chained=chained), row.data).encode()
    for pause in (*pauses, None):
        try:
            broker.publish(f"meals.{row.type}", body, str(row.event_id))
            return
        except Transient as error:
            if pause is None:
                raise Unavailable(
                    f"position {row.position} could not be published in {len(pauses) + 1} attempts: {error}."
                    f" Start the broker or correct its URL, then give the same command: it goes on after {standing}."
                ) from error
            time.sleep(pause * random.uniform(1.0, 1.5))  # noqa: S311 - only spreads the attempts


def _subscriber(name: str) -> str:
    return f"{RELAY}{name}"


def _standing(db: Connection, name: str) -> int:
    at = checkpoints(db).get(_subscriber(name))
    return at.position if at else 0


@contextmanager
def _alone(store: EventStore, name: str) -> Iterator[Connection]:
    """A connection that keeps other relays of this name away; the lock falls with it if this process dies."""
    with store.database.dedicated() as db:
        lock = "SELECT pg_try_advisory_lock(hashtext(%s))"
        if db.execute(lock, (_subscriber(name),)).fetchone() != (True,):
            raise Unavailable(f"a relay named {name!r} runs already: stop that one, or give this one another --name")
        yield db


@contextmanager
def _telling(store: EventStore, name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        with suppress(psycopg.Error), store.database.statement() as db:  # the caller has the error itself
            note_stop(db, _subscriber(name), error)
        raise
