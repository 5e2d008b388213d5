"""A batch gives a subscriber the same events as objects, as typed columns and as a frame."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from psycopg import sql
from psycopg.postgres import types as postgres_types
from pydantic import BaseModel

from meal_assets.contracts import EVENTS, Event
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.diary import DayClosed, MealLogged
from meal_assets.contracts.profile import GoalSet, ProfileSet
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.contracts.reconciliation import DayReconciled
from meal_assets.contracts.shopping import ItemTicked
from meal_assets.contracts.system import DeadLettered
from meal_assets.event_store import Connection, EventStore, Origin
from meal_assets.event_store.batch import ENVELOPE, Batch

from .material import LIST, append_stored, ticks

EVERYTHING = tuple(EVENTS.values())
every_event = pytest.mark.parametrize("event", EVERYTHING, ids=EVENTS)


class Drunk(Event, topic="test", stream="water/{person}", version=3):
    """Once {person, litres}, then {person, ml}, now {person, ml, of}."""

    examples = [{"person": "ada", "ml": 250, "of": "water"}]
    person: str
    ml: float
    of: str
    note: str | None = None

    @classmethod
    def from_v1(cls, payload: dict[str, Any]) -> dict[str, Any]:
        payload["ml"] = payload.pop("litres") * 1000
        return payload

    @classmethod
    def from_v2(cls, payload: dict[str, Any]) -> dict[str, Any]:
        return {**payload, "of": "water"}


@pytest.fixture
def db(library: EventStore) -> Iterator[Connection]:
    with library.database.transaction() as db:
        yield db


def whole(db: Connection, *types: type[Event], **only: Any) -> Batch:
    return Batch(db, types or EVERYTHING, 0, 1_000_000, **only)


def rows(batch: Batch, event: type[Event]) -> list[dict[str, Any]]:
    cursor = batch.db.execute(sql.SQL("SELECT * FROM {} AS r ORDER BY position").format(batch.rows(event)))
    names = [c.name for c in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def column_types(batch: Batch, event: type[Event]) -> dict[str, str]:
    cursor = batch.db.execute(sql.SQL("SELECT * FROM {} AS r LIMIT 0").format(batch.rows(event)))
    return {c.name: postgres_types[c.type_code].name for c in cursor.description or ()}


def column(field: str) -> str:
    return "payload_position" if field == "position" else field


def in_database(value: Any) -> Any:
    """What a column holds for a field of this value."""
    match value:
        case None | bool() | int() | str() | date() | datetime():
            return value
        case float():
            return Decimal(repr(value))
        case BaseModel():
            return value.model_dump(mode="json", exclude_none=True)
        case dict():
            return dict(value)
        case tuple():
            return [in_database(v) for v in value]
        case _:
            raise TypeError(f"no column for {value!r}")


@every_event
def test_every_event_is_a_row_of_typed_columns(db: Connection, event: type[Event]) -> None:
    batch = whole(db)
    found = rows(batch, event)
    said = [r for r in batch.events if type(r.event) is event]
    assert len(found) == len(event.examples) == len(said)
    for row, recorded in zip(found, said, strict=True):
        envelope = {name: getattr(recorded, name) for name in ENVELOPE}
        assert row == envelope | {column(name): in_database(value) for name, value in recorded.event}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            MealLogged,
            {"entry": "text", "person": "text", "day": "date", "meal": "text", "food": "text", "recipe": "text"}
            | {"servings": "numeric", "grams": "numeric", "nutrition": "jsonb", "source": "text"},
        ),
        (GoalSet, {"person": "text", **dict.fromkeys(("kcal", "protein_g", "carbs_g", "fat_g", "fiber_g"), "numeric")}),
        (
            DayReconciled,
            {"person": "text", "day": "date", "eaten": "jsonb", "target": "jsonb", "average": "jsonb", "days": "int8"}
            | {"deviation": "jsonb", "within_tolerance": "bool", "kcal_within_tolerance": "bool"}
            | {"tolerance_pct": "numeric", "trend": "jsonb", "made_of": "jsonb", "goals_version": "int8"},
        ),
    ],
    ids=["meals", "goals", "days"],
)
def test_a_column_has_the_type_of_its_field(db: Connection, event: type[Event], expected: dict[str, str]) -> None:
    envelope = {"position": "int8", "event_id": "uuid", "household": "text", "actor": "text"}
    envelope |= {"correlation_id": "uuid", "causation_id": "uuid", "recorded_at": "timestamptz"}
    assert column_types(whole(db), event) == envelope | expected


def test_a_field_named_like_a_part_of_the_envelope_has_a_column_of_its_own(db: Connection) -> None:
    found = rows(whole(db), DeadLettered)
    assert [r["payload_position"] for r in found] == [x["position"] for x in DeadLettered.examples]
    assert [r["position"] for r in found] == [r.position for r in whole(db, DeadLettered).events]


def test_sums_of_a_column_are_exact(store: EventStore, origin: Origin) -> None:
    days = [date(2026, 11, n) for n in range(1, 11)]
    weights = [WeightRecorded(person="ada", day=day, weight_kg=60.1) for day in days]
    store.append("home/body/ada", weights, origin=origin)
    with store.database.transaction() as db:
        query = sql.SQL("SELECT sum(weight_kg) FROM {} AS r").format(whole(db).rows(WeightRecorded))
        assert db.execute(query).fetchone() == (Decimal("601.0"),)


@every_event
def test_a_frame_holds_floats_where_the_event_does(db: Connection, event: type[Event]) -> None:
    frame = whole(db).frame(event)
    assert list(frame.columns) == [*ENVELOPE, *map(column, event.model_fields)]
    assert list(frame["position"]) == sorted(frame["position"])
    said = [event.model_validate(x) for x in event.examples]
    assert len(frame) == len(said)
    for name in event.model_fields:
        values = [getattr(e, name) for e in said]
        if any(isinstance(v, float) for v in values):
            assert frame[name].dtype == "float64"
            assert list(frame[name]) == pytest.approx([float("nan") if v is None else v for v in values], nan_ok=True)


def test_a_frame_of_nothing_has_its_columns(db: Connection) -> None:
    frame = Batch(db, (GoalSet,), 0, 0).frame(GoalSet)
    assert frame.empty
    assert list(frame.columns) == [*ENVELOPE, *GoalSet.model_fields]
    assert frame["kcal"].dtype == "float64"


def test_a_batch_is_what_lies_after_and_up_to(store: EventStore, origin: Origin) -> None:
    store.append(LIST, ticks("a", "b", "c", "d"), origin=origin)
    with store.database.transaction() as db:
        batch = Batch(db, (ItemTicked,), 1, 3)
        assert [r.position for r in batch.events] == [2, 3]
        assert [r["item"] for r in rows(batch, ItemTicked)] == ["b", "c"]
        assert list(batch.frame(ItemTicked)["item"]) == ["b", "c"]
        assert batch.types() == {"shopping.ItemTicked": 2}


def test_a_batch_leaves_out_what_its_subscriber_does_not_listen_to(db: Connection) -> None:
    batch = whole(db, ProfileSet, DayClosed)
    assert {type(r.event) for r in batch.events} == {ProfileSet, DayClosed}
    assert [r.position for r in batch.events] == sorted(r.position for r in batch.events)
    expected = {"diary.DayClosed": len(DayClosed.examples), "profile.ProfileSet": len(ProfileSet.examples)}
    assert batch.types() == expected
    assert list(batch.types()) == sorted(expected)


def test_a_batch_of_some_days_holds_only_their_events(db: Connection) -> None:
    batch = whole(db, WeightRecorded, DayClosed, only=("day", ("2026-11-22", "2026-11-23")))
    days = {date(2026, 11, 22), date(2026, 11, 23)}
    assert {r["day"] for r in rows(batch, WeightRecorded)} == days
    assert {r.event.day for r in batch.events} == days
    assert set(batch.frame(WeightRecorded)["day"]) == days
    assert batch.types() == {"body.WeightRecorded": 2, "diary.DayClosed": 1}
    assert whole(db, RecipeFetched, only=("recipe", ("nothing",))).events == []


@pytest.fixture
def drunk(
    store: EventStore, superuser: Connection, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[EventStore, Connection]]:
    """A log with one event of each of three versions."""
    monkeypatch.setitem(EVENTS, Drunk.type_name, Drunk)
    append_stored(superuser, "home/water/ada", Drunk.type_name, 1, {"person": "ada", "litres": 0.25})
    append_stored(superuser, "home/water/ben", Drunk.type_name, 2, {"person": "ben", "ml": 500})
    append_stored(
        superuser, "home/water/ada", Drunk.type_name, 3, {"person": "ada", "ml": 200, "of": "tea", "note": "!"}
    )
    with store.database.transaction() as db:
        yield store, db


UPCAST = [("ada", 250.0, "water", None), ("ben", 500.0, "water", None), ("ada", 200.0, "tea", "!")]


def test_events_of_old_versions_come_as_todays(drunk: tuple[EventStore, Connection]) -> None:
    store, db = drunk
    batch = whole(db, Drunk)
    expected = [Drunk(person=p, ml=m, of=o, note=n) for p, m, o, n in UPCAST]
    assert [r.event for r in store.read(types=[Drunk])] == expected
    assert [r.event for r in batch.events] == expected
    for _ in range(2):  # a fold may ask for the same rows more than once
        assert [(r["person"], float(r["ml"]), r["of"], r["note"]) for r in rows(batch, Drunk)] == UPCAST
    assert list(batch.frame(Drunk)["ml"]) == [250.0, 500.0, 200.0]
    assert column_types(batch, Drunk)["ml"] == "numeric"
    assert {type(r["event_id"]) for r in rows(batch, Drunk)} == {UUID}


def test_upcasting_for_a_batch_changes_nothing_in_the_log(drunk: tuple[EventStore, Connection]) -> None:
    store, db = drunk
    rows(whole(db, Drunk), Drunk)
    stored = db.execute("SELECT version, payload FROM log.events ORDER BY position LIMIT 1").fetchone()
    assert stored == (1, {"person": "ada", "litres": 0.25})
    assert store.first_broken_link() is None


@pytest.mark.parametrize(("after", "upto", "expected"), [(0, 1, UPCAST[:1]), (1, 3, UPCAST[1:]), (2, 3, UPCAST[2:])])
def test_old_versions_are_upcast_in_a_batch_of_any_size(
    drunk: tuple[EventStore, Connection], after: int, upto: int, expected: list[tuple[Any, ...]]
) -> None:
    batch = Batch(drunk[1], (Drunk,), after, upto)
    assert [(r["person"], float(r["ml"]), r["of"], r["note"]) for r in rows(batch, Drunk)] == expected


def test_old_versions_are_upcast_among_the_chosen(drunk: tuple[EventStore, Connection]) -> None:
    batch = whole(drunk[1], Drunk, only=("person", ("ada",)))
    assert [(r["person"], float(r["ml"]), r["of"], r["note"]) for r in rows(batch, Drunk)] == [UPCAST[0], UPCAST[2]]
