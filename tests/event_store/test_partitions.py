"""The log in partitions: an old one comes over as it was, and no append notices where one partition ends."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from meal_assets.contracts.shopping import ItemTicked
from meal_assets.errors import StaleVersion
from meal_assets.event_store import Connection, Database, EventStore, Origin
from meal_assets.event_store.bulk import append_bulk
from meal_assets.event_store.database import migrate, migrate_to

from .material import LIST, append_stored, small_partitions, ticks

BEFORE_PARTITIONS = "0004"
SIZE = 10
HOME = Origin("home", "test")
PARTITIONS = (
    "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
    " WHERE i.inhparent = 'log.events'::regclass ORDER BY length(c.relname), c.relname"
)


@pytest.fixture
def small(store: EventStore, superuser: Connection) -> EventStore:
    """A log in partitions of ten positions."""
    small_partitions(superuser, SIZE)
    return store


def partitions(db: Connection) -> list[str]:
    return [name for (name,) in db.execute(PARTITIONS)]


def rows(db: Connection) -> list[tuple[object, ...]]:
    return db.execute("SELECT e.*, tableoid = 0 FROM log.events e ORDER BY position").fetchall()


@pytest.fixture
def old(server_url: str) -> str:
    """A database from before there were partitions."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS old WITH (FORCE)")
        connection.execute("CREATE DATABASE old")
    url = server_url.replace("/postgres?", "/old?", 1)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA log")
    migrate_to(url, BEFORE_PARTITIONS)
    return url


@pytest.mark.parametrize("events", [0, 1, 25])
def test_an_old_log_comes_over_as_it_was(old: str, events: int) -> None:
    with psycopg.connect(old, autocommit=True) as db:
        db.execute("CREATE ROLE reporter")
        db.execute("GRANT SELECT ON log.events TO reporter WITH GRANT OPTION")
        for n in range(events):
            append_stored(db, f"home/{n % 3}", "shopping.ItemTicked", 1, {"week": "2026-11-23", "item": f"i{n}"})
        before = rows(db)
        indexes = "SELECT regexp_replace(indexdef, ' INDEX .* USING', '') FROM pg_indexes WHERE schemaname = 'log'"
        had = sorted(i for (i,) in db.execute(f"{indexes} AND tablename = 'events'"))
        try:
            migrate(old)
            assert rows(db) == before
            assert partitions(db) == ["events_1"]
            assert sorted(i for (i,) in db.execute(f"{indexes} AND tablename = 'events_1'")) == had
            acl = "SELECT has_table_privilege(%s, 'log.events', %s)"
            for role, right, may in (
                ("reporter", "SELECT WITH GRANT OPTION", True), ("reporter", "INSERT", False),
                ("meals_app", "SELECT", True), ("meals_app", "INSERT", False), ("meals_app", "DELETE", False),
            ):  # fmt: skip
                assert db.execute(acl, (role, right)).fetchone() == (may,)
            for change in ("UPDATE log.events SET actor = 'me'", "DELETE FROM log.events", "TRUNCATE log.events"):
                if events:
                    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
                        db.execute(change)
        finally:
            db.execute("DROP OWNED BY reporter; DROP ROLE reporter")
    with Database(old) as database:
        store = EventStore(database)
        assert store.first_broken_link() is None
        said = store.append("home/0", ticks("next"), origin=HOME, expected_version=(events + 2) // 3)
        assert (said.first, said.stream_version) == (events + 1, (events + 2) // 3 + 1)
        assert store.first_broken_link() is None


def test_an_old_log_longer_than_a_partition_is_one(old: str) -> None:
    with psycopg.connect(old, autocommit=True) as db:
        append_stored(db, "home/a", "shopping.ItemTicked", 1, {"week": "2026-11-23", "item": "a"})
        db.execute("ALTER TABLE log.events DISABLE TRIGGER ALL")
        db.execute("UPDATE log.events SET position = 4500000")
        db.execute("ALTER TABLE log.events ENABLE TRIGGER ALL")
        migrate(old)
        assert db.execute("SELECT first, last, next_at FROM log.partitions").fetchall() == [(1, 6_000_000, 5_000_000)]
        assert append_stored(db, "home/a", "shopping.ItemTicked", 1, {"week": "2026-11-23", "item": "a"}) == 4_500_001


def test_a_key_of_an_old_log_gets_its_first_answer(old: str) -> None:
    payload = '{"week": "2026-11-23", "item": "a"}'
    call = (
        "SELECT first_position, said_before FROM log.append_one('home/a', NULL, 'key', 'home', 'test',"
        f" gen_random_uuid(), NULL, gen_random_uuid(), 'shopping.ItemTicked', 1::smallint, '{payload}', now())"
    )
    with psycopg.connect(old, autocommit=True) as db:
        assert db.execute(call).fetchone() == (1, False)
        migrate(old)
        assert db.execute(call).fetchone() == (1, True), "also by a program that was started before"


def test_appends_of_every_kind_cross_the_ends_of_partitions(small: EventStore, superuser: Connection) -> None:
    expected: list[tuple[str, int, str]] = []

    def note(stream: str, *items: str) -> None:
        for item in items:
            expected.append((stream, sum(s == stream for s, _, _ in expected) + 1, item))

    for n in range(23):
        small.append(f"home/{n % 2}", ticks(f"one {n}"), origin=HOME)
        note(f"home/{n % 2}", f"one {n}")
    for n in range(5):
        small.append(LIST, ticks(*"abcdefg"), origin=HOME, expected_version=7 * n)
        note(LIST, *"abcdefg")
    pairs = [(f"home/{n % 5}", ticks(f"bulk {n}")[0]) for n in range(64)]
    append_bulk(small, pairs, HOME, chunk=32)
    for n in range(64):
        note(f"home/{n % 5}", f"bulk {n}")
    for n in range(3):
        small.append("home/0", ticks(f"last {n}"), origin=HOME)
        note("home/0", f"last {n}")
    read = small.read()
    assert [(r.stream, r.stream_version, r.event.item) for r in read if isinstance(r.event, ItemTicked)] == expected
    assert [r.position for r in read] == list(range(1, len(expected) + 1))
    assert small.first_broken_link() is None
    assert small.head() == len(expected)
    assert partitions(superuser) == [f"events_{n}" for n in range(1, 135, SIZE)]
    with pytest.raises(StaleVersion):
        small.append("home/4", ticks("x"), origin=HOME, expected_version=1)


def test_a_group_crosses_the_end_of_a_partition(small: EventStore) -> None:
    with ThreadPoolExecutor(8) as threads:
        said = list(threads.map(lambda n: small.append(f"home/{n % 3}", ticks(str(n)), origin=HOME).first, range(60)))
    assert sorted(said) == list(range(1, 61))
    assert small.first_broken_link() is None


def test_the_next_partition_is_there_before_it_is_needed(small: EventStore, superuser: Connection) -> None:
    small.append(LIST, ticks(*"abcd"), origin=HOME)
    assert partitions(superuser) == ["events_1"]
    small.append(LIST, ticks("e"), origin=HOME)
    assert partitions(superuser) == ["events_1", "events_11"]


def test_neither_a_reader_nor_a_vacuum_keeps_an_append_from_making_a_partition(
    small: EventStore, superuser: Connection
) -> None:
    with small.database.transaction() as reader, psycopg.connect(superuser.info.dsn) as vacuum:
        reader.execute("SELECT count(*) FROM log.events")
        vacuum.execute("LOCK TABLE log.events IN SHARE UPDATE EXCLUSIVE MODE")  # as VACUUM and ANALYZE do
        for item in "abcdefghij":
            small.append(LIST, ticks(item), origin=HOME)
        assert partitions(superuser) == ["events_1"]
        vacuum.rollback()
        small.append(LIST, ticks("k"), origin=HOME)
        assert partitions(superuser)[:2] == ["events_1", "events_11"]


def test_room_that_was_made_for_nothing_hides_no_head(small: EventStore, superuser: Connection) -> None:
    small.append(LIST, ticks("a", "b"), origin=HOME)
    superuser.execute("SELECT log.add_partitions(50)")
    assert small.head() == 2
    assert small.append(LIST, ticks("c"), origin=HOME).first == 3
    assert small.first_broken_link() is None


def test_every_partition_refuses_changes(small: EventStore, superuser: Connection) -> None:
    append_bulk(small, [(LIST, ticks(str(n))[0]) for n in range(45)], HOME)
    names = partitions(superuser)
    assert len(names) == 6
    for name in names[:-1]:
        for change in (f"UPDATE log.{name} SET actor = 'me'", f"DELETE FROM log.{name}", f"TRUNCATE log.{name}"):
            with pytest.raises(psycopg.errors.RaiseException, match=rf"append-only: .* of log\.{name} is refused"):
                superuser.execute(change)
            with pytest.raises(psycopg.errors.InsufficientPrivilege), small.database.transaction() as db:
                db.execute(change)
    assert small.head() == 45


@pytest.mark.parametrize("position", [1, 10, 11, 25, 40, 41])
def test_a_changed_row_is_found_in_any_partition(small: EventStore, superuser: Connection, position: int) -> None:
    append_bulk(small, [(LIST, ticks(str(n))[0]) for n in range(41)], HOME)
    superuser.execute("ALTER TABLE log.events DISABLE TRIGGER ALL")
    superuser.execute("UPDATE log.events SET actor = 'me' WHERE position = %s", (position,))
    assert small.first_broken_link() == position


def test_a_partition_holds_each_id_and_each_version_once(small: EventStore, superuser: Connection) -> None:
    append_bulk(small, [(LIST, ticks(str(n))[0]) for n in range(25)], HOME)
    columns = (
        "type, version, payload, household, actor, correlation_id, causation_id, occurred_at, recorded_at, hash"
        " FROM log.events WHERE position = 21"
    )
    for again in (f"event_id, stream, 999, {columns}", f"gen_random_uuid(), stream, stream_version, {columns}"):
        with pytest.raises(psycopg.errors.UniqueViolation):
            superuser.execute(f"INSERT INTO log.events SELECT 26, {again}")  # type: ignore[call-overload]


def test_partitions_are_set_up_for_rows_that_are_only_ever_inserted(small: EventStore, superuser: Connection) -> None:
    append_bulk(small, [(LIST, ticks(str(n))[0]) for n in range(15)], HOME)
    options = dict(
        superuser.execute(
            "SELECT relname, array_to_string(reloptions, ' ') FROM pg_class WHERE relname = ANY(%s)",
            (partitions(superuser),),
        ).fetchall()
    )
    assert len(options) == 3
    assert all("fillfactor=100" in one and "insert_scale_factor=0" in one for one in options.values())
