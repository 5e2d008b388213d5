"""Forgetting a person: their texts become unreadable everywhere, and what read models know of them is removed."""

from dataclasses import dataclass

from psycopg import sql

from meal_assets.contracts import EVENTS
from meal_assets.contracts.personal import PREFIX
from meal_assets.contracts.system import PersonForgotten
from meal_assets.errors import Invalid
from meal_assets.event_store import Connection, EventStore, Origin
from meal_assets.event_store.connections import forget_connections
from meal_assets.event_store.database import fetch_row
from meal_assets.event_store.tokens import forget_tokens

from .base import Accepted


@dataclass(frozen=True, slots=True)
class Known:
    """What the log holds of a person: texts under a key, and how many that nobody encrypted, which stay as they are."""

    has_key: bool
    plain_texts: int


def known_of(store: EventStore, household: str, person: str) -> Known:
    """Raises `Invalid` when the log says nothing of such a person since they were last forgotten."""
    event = PersonForgotten(person=person)
    with store.database.transaction() as db:
        has_key, is_connected = fetch_row(
            db,
            "SELECT EXISTS (SELECT FROM log.person_keys WHERE household = %(household)s AND person = %(person)s),"
            " EXISTS (SELECT FROM log.connections WHERE household = %(household)s AND person = %(person)s)",
            {"household": household, "person": person},
        )
        found = Known(has_key, _plain_texts(db, household, event.person))
    if not has_key and not is_connected and not found.plain_texts and not _has_stream(store, household, event.person):
        raise Invalid("person", f"nothing is known of {person} in {household}: `meals goals` shows who there is")
    return found


def forget_person(store: EventStore, person: str, origin: Origin) -> Accepted:
    """Remove key, connections and tokens and say so, in one transaction; read models follow.

    Raises `Invalid` for who is not known.
    """
    known_of(store, origin.household, person)
    event = PersonForgotten(person=person)
    with store.database.transaction() as db:
        store.personal.forget(db, origin.household, person)
        forget_connections(db, origin.household, person)
        forget_tokens(db, origin.household, person)
        appended = store.append(event.stream_in(origin.household), [event], origin=origin, within=db)
    return Accepted(origin.correlation_id, appended.last, 1)


def _plain_texts(db: Connection, household: str, person: str) -> int:
    count = 0
    for event in (e for e in EVENTS.values() if e.personal):
        texts = sql.SQL(" || ").join(sql.SQL("coalesce(payload->>{}, '')").format(name) for name in event.personal)
        query = sql.SQL(
            "SELECT count(*) FROM log.events WHERE type = {} AND household = {} AND payload->>'person' = {}"
            " AND strpos({texts}, {}) = 0 AND {texts} NOT IN ('', '[]')"
        ).format(event.type_name, household, person, PREFIX, texts=texts)
        (some,) = fetch_row(db, query)
        count += some
    return count


def _has_stream(store: EventStore, household: str, person: str) -> bool:
    """Whether something was said of them, as far as it has a stream by their name alone."""
    streams = {e.stream.replace("{person}", person) for e in EVENTS.values() if e.stream.endswith("/{person}")}
    streams.discard(PersonForgotten.stream.replace("{person}", person))
    return any(store.read_person(f"{household}/{s}", household, person) for s in sorted(streams))
