"""A program that is too old for an event says so and stops before it: no wrong row, no lost event, no raw error."""

from collections.abc import Iterator
from typing import Any

import pytest
from psycopg import sql

from meal_assets.consumers import CONSUMERS, Consumer, Said, consume
from meal_assets.consumers.base import failed_attempts, is_too_new, replay
from meal_assets.contracts import EVENTS, Event
from meal_assets.contracts.base import Value
from meal_assets.contracts.shopping import ItemTicked
from meal_assets.contracts.system import DeadLettered
from meal_assets.errors import BrokenEvent, UnknownEvent
from meal_assets.event_store import EventStore, Origin
from meal_assets.event_store.batch import Batch
from meal_assets.event_store.database import migrate
from meal_assets.event_store.folds import next_batch
from meal_assets.event_store.known import note_fields
from meal_assets.platform.sensor import consumers_behind
from meal_assets.read_models import READ_MODELS, ReadModel, as_of, catch_up, rebuild
from meal_assets.read_models.base import refold_days
from meal_assets.subscriptions import SUBSCRIBERS, fold_all, settle, standings
from tests.event_store.material import LIST, append_stored, ticks


class Cup(Value):
    """What it was drunk from."""

    ml: int


class Sipped(Event, topic="test", stream="sip/{person}"):
    """As the old program knows it."""

    examples = [{"person": "ada", "day": "2026-11-23", "cup": {"ml": 200}}]
    person: str
    day: str
    cup: Cup


class NewCup(Value):
    """The old cup with a colour."""

    ml: int
    colour: str | None = None


def newer(base: type[Event] = Sipped) -> type[Event]:
    """The same event as the newer program knows it: with a field of its own, and one inside of a value."""

    class Sipped(Event, topic="test", stream="sip/{person}"):
        examples = [{"person": "ada", "day": "2026-11-23", "cup": {"ml": 200}}]
        person: str
        day: str
        cup: NewCup
        hot: bool | None = None

    return Sipped


class Sips(ReadModel):
    """How much each person drank in a day, summed up in the database."""

    listens_to = (Sipped,)
    partitioned_by = "day"
    tables = {"sips": "person text, day date, ml numeric NOT NULL, PRIMARY KEY (person, day)"}
    shows = "SELECT * FROM sips"

    def fold(self, batch: Batch) -> None:
        batch.db.execute(
            sql.SQL("""
                INSERT INTO sips AS s
                SELECT person, day::date, sum((cup->>'ml')::numeric) FROM {} AS sipped GROUP BY 1, 2
                ON CONFLICT (person, day) DO UPDATE SET ml = s.ml + excluded.ml
            """).format(batch.rows(Sipped))
        )


class Refill(Consumer):
    """Wants more."""

    listens_to = (Sipped,)
    says = (ItemTicked,)

    def handle(self, recorded: Any, log: EventStore) -> Iterator[Said]:
        yield Said(ItemTicked.model_validate({"week": "2026-11-23", "item": f"{recorded.event.cup.ml} ml"}))


@pytest.fixture(autouse=True)
def _old_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EVENTS, Sipped.type_name, Sipped)
    monkeypatch.setitem(READ_MODELS, "sips", Sips)
    monkeypatch.setitem(SUBSCRIBERS, "sips", Sips)
    monkeypatch.setitem(CONSUMERS, "refill", Refill)
    monkeypatch.setitem(SUBSCRIBERS, "refill", Refill)


@pytest.fixture
def old(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> EventStore:
    """The log as the old program knows it, with one event, to which all have reacted; then a newer one opens it."""
    migrate(store.database.url)
    sip(store)
    settle(store)
    with monkeypatch.context() as elsewhere:
        elsewhere.setitem(EVENTS, Sipped.type_name, newer())
        migrate(store.database.url)
    return store


def sip(store: EventStore, version: int = 1, **more: Any) -> int:
    """An event as some program wrote it; its position."""
    payload = {"person": "ada", "day": "2026-11-23", "cup": {"ml": 200}} | more
    with store.database.transaction() as db:
        return append_stored(db, "home/sip/ada", Sipped.type_name, version, payload)


def rows(store: EventStore) -> list[tuple[Any, ...]]:
    with store.database.transaction() as db:
        return db.execute("SELECT person, ml FROM read.sips").fetchall()


def standing(store: EventStore, name: str) -> Any:
    return next(s for s in standings(store) if s.subscriber.name == name)


UNKNOWN = [
    pytest.param({"version": 2}, "test.Sipped version 2, which", id="a version"),
    pytest.param({"hot": True}, "test.Sipped version 1 with hot, which", id="a field"),
    pytest.param(
        {"cup": {"ml": 1, "colour": "red"}}, "test.Sipped version 1 with cup.colour, which", id="one of a value"
    ),
]
unknown = pytest.mark.parametrize(("said", "told"), UNKNOWN)


@unknown
def test_a_reader_is_told_position_type_version_and_what_to_do(old: EventStore, said: Any, told: str) -> None:
    position = sip(old, **said)
    with pytest.raises(UnknownEvent) as refused:
        old.read()
    assert str(refused.value) == f"position {position} holds {told} this program does not know: update it"


@unknown
def test_a_fold_in_the_database_stops_before_it_and_says_why(old: EventStore, said: Any, told: str) -> None:
    good, bad = sip(old), sip(old, **said)
    before = rows(old)
    for fold in (catch_up, rebuild):
        with pytest.raises(UnknownEvent, match=f"position {bad} holds {told}"):
            fold(Sips(), old)
        assert rows(old) == before
    with pytest.raises(UnknownEvent, match=f"position {bad} holds {told}"):
        as_of(Sips(), old, bad)
    assert as_of(Sips(), old, good)["sips"][0][2] == 400
    assert standing(old, "sips").stopped_because.startswith(f"UnknownEvent: position {bad} holds {told}")


@unknown
def test_the_other_read_models_and_consumers_go_on(old: EventStore, said: Any, told: str) -> None:
    bad = sip(old, **said)
    old.append(LIST, ticks("milk"), origin=Origin("home", "test"))
    (failure,) = fold_all(old)
    assert f"position {bad} holds {told}" in str(failure)
    stopped = {s.subscriber.name for s in standings(old) if s.behind}
    assert stopped == {"sips", "refill"}


@unknown
def test_a_consumer_stops_before_it_and_makes_no_dead_letter(old: EventStore, said: Any, told: str) -> None:
    position, bad = sip(old), sip(old, **said)
    sip(old)
    for _ in range(10):
        done = consume(Refill(), old)
        assert (done.position, done.set_aside) == (position, 0)
        assert done.failed is not None
        assert done.failed.startswith(f"UnknownEvent: position {bad} holds {told}")
    assert old.read(types=[DeadLettered]) == []
    assert failed_attempts(old) == {}, "a newer program begins with all its attempts"
    assert standing(old, "refill").stopped_because == done.failed
    with pytest.raises(UnknownEvent, match=f"position {bad}"):
        replay(Refill(), old)


@unknown
def test_no_run_is_asked_for_that_could_only_fail(old: EventStore, said: Any, told: str) -> None:
    sip(old, **said)
    assert list(consumers_behind(old)) == ["refill"]
    consume(Refill(), old)
    assert is_too_new(Refill(), old, 1)
    assert consumers_behind(old) == {}


def test_updated_everybody_goes_on_where_they_stopped(old: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    sip(old, hot=True, cup={"ml": 100, "colour": "red"})
    sip(old)
    with pytest.raises(UnknownEvent):
        settle(old)
    event = newer()
    monkeypatch.setitem(EVENTS, Sipped.type_name, event)
    monkeypatch.setattr(Sips, "listens_to", (event,))
    monkeypatch.setattr(Sips, "fold", lambda self, batch: fold_of(event, batch))
    monkeypatch.setattr(Refill, "listens_to", (event,))
    assert list(consumers_behind(old)) == ["refill"]
    settle(old)
    assert rows(old) == [("ada", 500)]
    assert [r.event.item for r in old.read(types=[ItemTicked])] == ["200 ml", "100 ml", "200 ml"]  # type: ignore[attr-defined]
    assert [s.subscriber.name for s in standings(old) if s.behind or s.stopped_because] == []


def fold_of(event: type[Event], batch: Batch) -> None:
    batch.db.execute(
        sql.SQL("UPDATE sips SET ml = ml + (SELECT sum((cup->>'ml')::numeric) FROM {} AS s)").format(batch.rows(event))
    )


def test_events_of_a_newer_program_without_its_new_fields_are_folded_as_ever(old: EventStore) -> None:
    sip(old)
    with old.database.transaction() as db:
        at = next_batch(db, "sips", (Sipped,), 10, "read")
        assert at is not None
        assert at.unknown, "it is looked at twice"
    settle(old)
    assert rows(old) == [("ada", 400)]


def test_what_lies_before_the_newer_program_is_not_looked_at_twice(old: EventStore) -> None:
    with old.database.transaction() as db:
        db.execute("UPDATE log.checkpoints SET position = 0 WHERE subscriber = 'sips'")
        at = next_batch(db, "sips", (Sipped,), 10, "read")
        assert at is not None
        assert (at.upto, at.unknown) == (1, False)


def test_days_are_not_summed_up_anew_over_an_event_that_is_too_new(old: EventStore) -> None:
    bad = sip(old, hot=True)
    with old.database.transaction() as db:
        db.execute("UPDATE log.checkpoints SET position = %s WHERE subscriber = 'sips'", (bad,))
    with pytest.raises(UnknownEvent, match=f"position {bad}"):
        refold_days(Sips(), old, ["2026-11-23"])
    assert rows(old) == [("ada", 200)]


def test_a_program_that_knows_all_the_fields_is_never_in_doubt(
    old: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = newer()
    monkeypatch.setitem(EVENTS, Sipped.type_name, event)
    sip(old, hot=True)
    with old.database.transaction() as db:
        note_fields(db)
        at = next_batch(db, "sips", (event,), 10, "read")
        assert at is not None
        assert (at.count, at.unknown) == (1, False)


def test_a_field_that_went_with_its_version_puts_nobody_in_doubt(
    old: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Sipped(Event, topic="test", stream="sip/{person}", version=2):
        examples = [{"person": "ada"}]
        person: str

        @classmethod
        def from_v1(cls, payload: dict[str, Any]) -> dict[str, Any]:
            return {"person": payload["person"]}

    monkeypatch.setitem(EVENTS, Sipped.type_name, Sipped)
    migrate(old.database.url)
    sip(old, hot=True)
    with old.database.transaction() as db:
        at = next_batch(db, "sips", (Sipped,), 10, "read")
        assert at is not None
        assert (at.count, at.unknown) == (1, False)
        assert [r.event for r in Batch(db, (Sipped,), 0, 9).events] == [Sipped(person="ada")] * 2


def test_an_event_that_its_contract_refuses_is_told_without_its_values(old: EventStore) -> None:
    position = sip(old, cup={"ml": "secret"})
    with pytest.raises(BrokenEvent) as refused:
        old.read()
    told = f"position {position} holds test.Sipped version 1, which is not what its contract says: cup.ml: "
    assert str(refused.value).startswith(told)
    assert "secret" not in str(refused.value)
