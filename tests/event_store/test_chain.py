"""The log cannot be changed by the application, and what somebody stronger changed is found at its place."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from meal_assets.event_store import Connection, EventStore, Origin

from .material import LIST, shared_store, ticks

CHANGES = ["UPDATE log.events SET actor = 'me'", "DELETE FROM log.events", "TRUNCATE log.events"]
OTHER = {
    "event_id": "gen_random_uuid()",
    "stream": "'home/other'",
    "stream_version": "99",
    "type": "'shopping.ItemUnticked'",
    "version": "2",
    "payload": 'payload || \'{"item": "B"}\'',
    "household": "'next door'",
    "actor": "'me'",
    "correlation_id": "gen_random_uuid()",
    "causation_id": "gen_random_uuid()",
    "occurred_at": "occurred_at - interval '1 microsecond'",
    "recorded_at": "recorded_at + interval '1 microsecond'",
    "hash": "sha256('x')",
}
"""Column -> another value for it."""


@pytest.fixture(scope="module")
def five(server_url: str) -> Iterator[EventStore]:
    """Five events in two appends; `tamper` puts them back."""
    with shared_store(server_url, "five") as store:
        store.append(LIST, ticks("a", "b"), origin=Origin("home", "test"))
        store.append(LIST, ticks("c", "d", "e"), origin=Origin("home", "test"), once="key")
        yield store


@pytest.fixture
def owner(five: EventStore) -> Iterator[Connection]:
    with psycopg.connect(five.database.url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def tamper(owner: Connection) -> Iterator[Connection]:
    """The owner, who has taken the triggers away."""
    owner.execute("ALTER TABLE log.events DISABLE TRIGGER ALL; CREATE TEMPORARY TABLE before AS TABLE log.events")
    yield owner
    owner.execute("DELETE FROM log.events; INSERT INTO log.events TABLE before")
    owner.execute("ALTER TABLE log.events ENABLE TRIGGER ALL")


@pytest.mark.parametrize(
    "change", [*CHANGES, "INSERT INTO log.events SELECT * FROM log.events", "DELETE FROM log.once"]
)
def test_the_application_may_not_change_the_log(five: EventStore, change: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), five.database.transaction() as db:
        db.execute(change)
    assert five.head() == 5


@pytest.mark.parametrize("change", CHANGES)
def test_even_the_owner_is_refused(five: EventStore, owner: Connection, change: str) -> None:
    with pytest.raises(
        psycopg.errors.RaiseException, match=r"the log is append-only: .* of log\.events(_1)? is refused"
    ):
        owner.execute(change)
    assert five.head() == 5


def test_the_application_may_not_take_the_triggers_away(five: EventStore) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), five.database.transaction() as db:
        db.execute("ALTER TABLE log.events DISABLE TRIGGER ALL")


def test_an_empty_log_is_whole(store: EventStore) -> None:
    assert store.first_broken_link() is None


def test_the_chain_is_whole_over_every_event_there_is(library: EventStore) -> None:
    assert library.first_broken_link() is None


def test_the_chain_does_not_depend_on_how_a_session_shows_things(owner: Connection) -> None:
    owner.execute("SET TimeZone = 'Asia/Kathmandu'; SET DateStyle = 'German'; SET extra_float_digits = 0")
    owner.execute("SET bytea_output = 'escape'; SET IntervalStyle = 'iso_8601'; SET search_path = read")
    query = (
        "SELECT (SELECT log.chain('', log.record(e) ORDER BY e.position) FROM log.events e)"
        " = (SELECT hash FROM log.events ORDER BY position DESC LIMIT 1)"
    )
    assert owner.execute(query).fetchone() == (True,)


@pytest.mark.parametrize(("column", "value"), OTHER.items())
def test_a_changed_column_is_found_at_its_position(
    five: EventStore, tamper: Connection, column: str, value: str
) -> None:
    change = sql.SQL("UPDATE log.events SET {} = {} WHERE position = 2")
    tamper.execute(change.format(sql.Identifier(column), sql.SQL(value)))
    assert five.first_broken_link() == 2


def test_the_columns_above_are_all_there_are_beside_the_position(owner: Connection) -> None:
    columns = owner.execute("SELECT attname FROM pg_attribute WHERE attrelid = 'log.events'::regclass AND attnum > 0")
    assert {name for (name,) in columns} == {"position", *OTHER}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("DELETE FROM log.events WHERE position = 1", 2),
        ("DELETE FROM log.events WHERE position = 3", 4),
        ("DELETE FROM log.events WHERE position IN (2, 3)", 4),
        ("UPDATE log.events SET position = 9 WHERE position = 5", 9),
        ("UPDATE log.events SET position = position + 100", 101),
    ],
)
def test_a_hole_is_found_behind_it(five: EventStore, tamper: Connection, change: str, found: int) -> None:
    tamper.execute(change)
    assert five.first_broken_link() == found


def test_two_events_that_changed_places_are_found(five: EventStore, tamper: Connection) -> None:
    tamper.execute("UPDATE log.events SET position = -position WHERE position IN (2, 3)")
    tamper.execute("UPDATE log.events SET position = 5 + position WHERE position < 0")
    assert five.first_broken_link() == 2


@pytest.mark.parametrize("position", [3, 6])
def test_a_slipped_in_event_is_found_at_its_position(five: EventStore, tamper: Connection, position: int) -> None:
    tamper.execute("UPDATE log.events SET position = -position - 1 WHERE position >= %s", (position,))
    tamper.execute("UPDATE log.events SET position = -position WHERE position < 0")
    tamper.execute(
        "INSERT INTO log.events SELECT %s, gen_random_uuid(), stream, 99, type, version, payload, household, actor,"
        " correlation_id, causation_id, occurred_at, recorded_at, hash FROM log.events WHERE position = 2",
        (position,),
    )
    assert five.first_broken_link() == position


@pytest.mark.parametrize("position", [0, -1])
def test_an_event_slipped_in_before_the_first_is_found(five: EventStore, tamper: Connection, position: int) -> None:
    tamper.execute(
        "INSERT INTO log.events SELECT %s, gen_random_uuid(), stream, 99, type, version, payload, household, actor,"
        " correlation_id, causation_id, occurred_at, recorded_at, hash FROM log.events WHERE position = 2",
        (position,),
    )
    assert [r.position for r in five.read_stream(LIST)][-1] == position, "it has a part in what is decided"
    assert five.first_broken_link() == position


def test_a_changed_event_with_a_hash_made_to_fit_is_found_at_the_next(five: EventStore, tamper: Connection) -> None:
    tamper.execute('UPDATE log.events SET payload = \'{"item": "B"}\' WHERE position = 2')
    tamper.execute(
        "UPDATE log.events e SET hash = log.link(before.hash, e)"
        " FROM log.events before WHERE e.position = 2 AND before.position = 1"
    )
    assert five.first_broken_link() == 3


def test_a_hole_with_hashes_made_to_fit_is_found_behind_it(five: EventStore, tamper: Connection) -> None:
    tamper.execute("DELETE FROM log.events WHERE position = 3")
    for position, before in ((4, 2), (5, 4)):
        tamper.execute(
            "UPDATE log.events e SET hash = log.link(before.hash, e)"
            " FROM log.events before WHERE e.position = %s AND before.position = %s",
            (position, before),
        )
    assert five.first_broken_link() == 4
