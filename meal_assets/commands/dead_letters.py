"""Deciding about events that a consumer could not handle."""

from meal_assets.contracts import Event
from meal_assets.contracts.system import (
    DeadLetterDiscarded,
    DeadLettered,
    DeadLetterHandled,
    DeadLetterRetried,
    DeadLetterWaiting,
)
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Origin

from .base import Accepted, command

MAX_AT_ONCE = 1_000
"""Letters that one command retries; the next command takes the next ones."""

LETTER = (DeadLettered, DeadLetterWaiting, DeadLetterRetried, DeadLetterHandled, DeadLetterDiscarded)


def retry(store: EventStore, consumer: str, position: int, origin: Origin) -> Accepted:
    """Let the consumer try the event again. Raises `Invalid` where there is no open letter, or it waits behind one."""
    event = DeadLetterRetried(consumer=consumer, position=position)

    def decide(history: list[Event]) -> list[Event]:
        match history[-1:]:
            case [DeadLettered()]:
                return [event]
            case [DeadLetterWaiting() as waiting]:
                raise Invalid("position", f"{position} waits behind {waiting.behind}: retry or discard that first")
        raise _nothing_open(consumer, position)

    return command(store, event.stream_in(origin.household), decide, origin)


def retry_all(store: EventStore, consumer: str, origin: Origin, error_class: str | None = None) -> list[Accepted]:
    """Retry the consumer's open letters, or those of one error class, in the order of the log; at most `MAX_AT_ONCE`.

    One that somebody else decides about at the same moment is left out.
    """
    newest = store.latest(LETTER, household=origin.household, until=store.head())
    letters = [
        r.event
        for r in newest
        if isinstance(r.event, DeadLettered)
        and r.event.consumer == consumer
        and error_class in (None, r.event.error_class)
    ]
    letters.sort(key=lambda letter: letter.position)
    accepted = [_retry_open(store, letter, origin) for letter in letters[:MAX_AT_ONCE]]
    return [one for one in accepted if one.events]


def discard(store: EventStore, consumer: str, position: int, reason: str, origin: Origin) -> Accepted:
    """Say that the event need not be handled, and why. Raises `Invalid` where there is nothing to decide."""
    event = DeadLetterDiscarded(consumer=consumer, position=position, reason=reason)

    def decide(history: list[Event]) -> list[Event]:
        if not history or not isinstance(history[-1], DeadLettered | DeadLetterWaiting):
            raise _nothing_open(consumer, position)
        return [event]

    return command(store, event.stream_in(origin.household), decide, origin)


def household_at(store: EventStore, position: int) -> str | None:
    """Whose event stands there, and so a letter about it; None for a position that is not in the log."""
    with store.database.transaction() as db:
        row = db.execute("SELECT household FROM log.events WHERE position = %s", (position,)).fetchone()
    return None if row is None else str(row[0])


def households_with_letters(store: EventStore, consumer: str) -> list[str]:
    """Those of whose events the consumer has set some aside, by name."""
    query = (
        "SELECT DISTINCT household FROM log.set_aside JOIN log.events USING (position)"
        " WHERE consumer = %s ORDER BY household"
    )
    with store.database.transaction() as db:
        return [str(household) for (household,) in db.execute(query, (consumer,))]


def _retry_open(store: EventStore, letter: DeadLettered, origin: Origin) -> Accepted:
    event = DeadLetterRetried(consumer=letter.consumer, position=letter.position)

    def decide(history: list[Event]) -> list[Event]:
        return [event] if isinstance(history[-1], DeadLettered) else []

    return command(store, event.stream_in(origin.household), decide, origin)


def _nothing_open(consumer: str, position: int) -> Invalid:
    return Invalid("position", f"{consumer} has no open dead letter at {position}")
