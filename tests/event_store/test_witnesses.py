"""A log whose chain is whole may still be another one: what others noted of it tells, whoever's hands it was in."""

from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from meal_assets.cli.app import app
from meal_assets.contracts.shopping import ItemTicked
from meal_assets.errors import Invalid, Permanent
from meal_assets.event_store import Connection, EventStore, Origin
from meal_assets.event_store.batch import Batch
from meal_assets.event_store.checkpoints import mark_reported, move_checkpoint, note_done, take_unreported
from meal_assets.event_store.witnesses import STRETCH, Contradiction, first_contradiction, link_at, note_link

from .material import LIST, ticks

CHANGED = 'UPDATE log.events SET payload = payload || \'{"item": "cake"}\' WHERE position = %s'
CUT_OFF = "DELETE FROM log.events WHERE position > %s"
CHAIN_ANEW = """
    UPDATE log.events e SET hash = linked.hash FROM (
        SELECT position, log.chain('', log.record(e)) OVER (ORDER BY position) AS hash FROM log.events e
    ) AS linked WHERE linked.position = e.position
"""


@pytest.fixture
def five(store: EventStore) -> EventStore:
    store.append(LIST, ticks("a", "b", "c", "d", "e"), origin=Origin("home", "test"))
    return store


@pytest.fixture
def tamper(superuser: Connection) -> Connection:
    """The owner, who has taken the triggers away."""
    superuser.execute("ALTER TABLE log.events DISABLE TRIGGER ALL; ALTER TABLE log.witnesses DISABLE TRIGGER ALL")
    return superuser


def contradiction(store: EventStore) -> Contradiction | None:
    with store.database.transaction() as db:
        return first_contradiction(db)


def reported(store: EventStore, after: int, upto: int) -> None:
    """A subscriber took in these events, and it was shown in Dagster."""
    with store.database.transaction() as db:
        note_done(db, Batch(db, (ItemTicked,), after, upto), subscriber="list", version=1, seconds=0)
        for done in take_unreported(db):
            mark_reported(db, done)


def test_a_log_nobody_touched_contradicts_nobody(five: EventStore) -> None:
    reported(five, 0, 5)
    assert contradiction(five) is None
    five.append(LIST, ticks("f"), origin=Origin("home", "test"), once="f")
    assert contradiction(five) is None


@pytest.mark.parametrize(("position", "found"), [(1, 2), (2, 2), (3, 5), (5, 5)])
def test_a_change_chained_anew_is_found_at_the_next_position_that_was_taken_in(
    five: EventStore, tamper: Connection, position: int, found: int
) -> None:
    for after, upto in ((0, 2), (2, 5)):
        reported(five, after, upto)
    tamper.execute(CHANGED, (position,))
    tamper.execute(CHAIN_ANEW)
    contradicted = contradiction(five)
    assert contradicted is not None
    assert (contradicted.position, contradicted.gone) == (found, False)


def test_it_is_found_when_all_that_subscribers_noted_is_gone(five: EventStore, tamper: Connection) -> None:
    reported(five, 0, 5)
    tamper.execute("DELETE FROM log.outbox")
    tamper.execute(CHANGED, (1,))
    tamper.execute(CHAIN_ANEW)
    found = contradiction(five)
    assert found is not None
    assert (found.position, found.gone) == (5, False)
    assert found.by.startswith("noted 20")


@pytest.mark.parametrize("left", [4, 1, 0])
def test_a_log_cut_off_at_its_end_is_found_by_what_was_taken_in(
    five: EventStore, tamper: Connection, left: int
) -> None:
    with five.database.transaction() as db:
        move_checkpoint(db, "list", 5, 1)
    tamper.execute(CUT_OFF, (left,))
    assert contradiction(five) == Contradiction(5, gone=True, by="taken in by list")


def test_a_log_cut_off_is_found_by_an_append_that_was_answered(five: EventStore, tamper: Connection) -> None:
    five.append(LIST, ticks("f"), origin=Origin("home", "test"), once="a key")
    tamper.execute(CUT_OFF, (5,))
    assert contradiction(five) == Contradiction(6, gone=True, by="appended once as a key")


def test_the_first_link_of_each_stretch_stays(five: EventStore) -> None:
    with five.database.transaction() as db:
        for position in (1, 2, STRETCH, STRETCH + 1, STRETCH - 1):
            note_link(db, position, bytes([position % 256]))
        kept = db.execute("SELECT position FROM log.witnesses ORDER BY position").fetchall()
        assert kept == [(1,), (STRETCH,)]


@pytest.mark.parametrize(
    "change", ["UPDATE log.witnesses SET hash = ''", "DELETE FROM log.witnesses", "TRUNCATE log.witnesses"]
)
def test_what_was_noted_cannot_be_changed(five: EventStore, superuser: Connection, change: str) -> None:
    reported(five, 0, 5)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), five.database.transaction() as db:
        db.execute(change)
    with pytest.raises(psycopg.errors.RaiseException, match=r"append-only: .* of log\.witnesses is refused"):
        superuser.execute(change)


@pytest.fixture
def program(five: EventStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EventStore:
    monkeypatch.setenv("MEALS_DATABASE_URL", five.database.url)
    monkeypatch.setenv("MEALS_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    return five


def verify(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["events", "verify", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_prints_the_last_link_and_compares_it_later(program: EventStore, tamper: Connection) -> None:
    said = verify()
    assert "The chain is whole: 5 events (" in said
    known = said.split()[-1]
    with program.database.transaction() as db:
        link = link_at(db, 5)
    assert link is not None
    assert known == f"5:{link.hex()}"
    program.append(LIST, ticks("f"), origin=Origin("home", "test"))
    assert "6 events" in verify("--known", known)
    tamper.execute("TRUNCATE log.witnesses, log.outbox, log.checkpoints, log.once")
    tamper.execute(CHANGED, (3,))
    tamper.execute(CHAIN_ANEW)
    assert "6 events" in verify(), "who changes all there is in the database is not found from inside of it"
    with pytest.raises(Permanent, match="position 5 has another link than"):
        verify("--known", known)
    with pytest.raises(Invalid, match="--known: 'x' is not like"):
        verify("--known", "x")


def test_the_command_notes_what_it_saw_and_finds_it_changed(program: EventStore, tamper: Connection) -> None:
    verify()
    tamper.execute(CHANGED, (3,))
    with pytest.raises(
        Permanent, match="the chain breaks at position 3: that event, or the one before it, is not what"
    ):
        verify()
    tamper.execute(CHAIN_ANEW)
    with pytest.raises(Permanent, match=r"position 5 or one before it is another event now; it was noted 20"):
        verify()


def test_an_empty_log_is_whole_and_has_no_link(
    store: EventStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEALS_DATABASE_URL", store.database.url)
    monkeypatch.setenv("MEALS_HOME", str(tmp_path))
    assert verify() == "The chain is whole: 0 events (0 events/s).\n"
