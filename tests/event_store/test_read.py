"""What a reader gets: in order, of the types it names, up to where it says; and never what it cannot understand."""

from collections.abc import Iterator
from datetime import date

import pytest

from meal_assets.commands.forgetting import forget_person
from meal_assets.contracts import EVENTS, Event
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.diary import DayClosed, MealLogged
from meal_assets.contracts.profile import GoalSet, ProfileSet
from meal_assets.contracts.shopping import ItemTicked, ItemUnticked
from meal_assets.errors import UnknownEvent
from meal_assets.event_store import Connection, EventStore, Origin, Recorded
from meal_assets.event_store.records import uuid7

from .material import LIST, WEEK, append_stored, shared_store, ticks

every_event = pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)


def positions(events: list[Recorded]) -> list[int]:
    return [r.position for r in events]


def goal(person: str, kcal: float) -> GoalSet:
    return GoalSet(person=person, kcal=kcal, protein_g=130, carbs_g=210, fat_g=70)


@pytest.fixture(scope="module")
def six(server_url: str) -> Iterator[EventStore]:
    """Three ticks, an untick, two ticks; for reading only."""
    with shared_store(server_url, "six") as store:
        for say in (*ticks("a", "b", "c"), ItemUnticked(week=WEEK, item="b"), *ticks("d", "e")):
            store.append(LIST, [say], origin=Origin("home", "test"))
        yield store


@pytest.fixture(scope="module")
def neighbours(server_url: str) -> Iterator[EventStore]:
    """Goals of two persons here and of one next door, and a weigh-in; for reading only."""
    weight = WeightRecorded.model_validate(WeightRecorded.examples[0])
    with shared_store(server_url, "neighbours") as store:
        for household, person, event in [
            ("home", "ada", goal("ada", 2000)),
            ("home", "ben", goal("ben", 2500)),
            ("home", "ada", goal("ada", 1900)),
            ("home", "ada", weight),
            ("next door", "ada", goal("ada", 1800)),
        ]:
            store.append(f"{household}/profile/{person}", [event], origin=Origin(household, "test"))
        yield store


@every_event
def test_an_event_is_read_as_it_was_said(library: EventStore, event: type[Event]) -> None:
    assert [r.event for r in library.read(types=[event])] == [event.model_validate(x) for x in event.examples]


def test_all_is_read_when_no_type_is_named(library: EventStore) -> None:
    everything = library.read()
    assert positions(everything) == list(range(1, library.head() + 1))
    assert {type(r.event) for r in everything} == set(EVENTS.values())


def test_several_types_come_in_the_order_of_the_log(library: EventStore) -> None:
    both = library.read(types=[ProfileSet, MealLogged])
    assert positions(both) == sorted(positions(both))
    assert len(both) == len(ProfileSet.examples) + len(MealLogged.examples)


@pytest.mark.parametrize(
    ("after", "until", "limit", "expected"),
    [
        (0, None, 100, [1, 2, 3, 5, 6]),
        (1, None, 100, [2, 3, 5, 6]),
        (3, None, 100, [5, 6]),
        (0, 5, 100, [1, 2, 3, 5]),
        (0, 4, 100, [1, 2, 3]),
        (1, 5, 2, [2, 3]),
        (0, None, 2, [1, 2]),
        (6, None, 100, []),
        (99, None, 100, []),
        (3, 3, 100, []),
    ],
)
def test_a_reader_gets_what_lies_after_and_until(
    six: EventStore, after: int, until: int | None, limit: int, expected: list[int]
) -> None:
    assert positions(six.read(after, [ItemTicked], limit, until)) == expected


@pytest.mark.parametrize(
    ("types", "limit", "expected"),
    [
        ((ItemTicked,), 2, [5, 6]),
        ((ItemUnticked,), 2, [4]),
        ((), 3, [4, 5, 6]),
        ((DayClosed,), 2, []),
        ((), 99, [*range(1, 7)]),
    ],
)
def test_the_newest_come_in_the_order_of_the_log(
    six: EventStore, types: tuple[type[Event], ...], limit: int, expected: list[int]
) -> None:
    assert positions(six.read_newest(types, limit)) == expected


def test_a_stream_is_read_alone_and_as_of_a_position(neighbours: EventStore) -> None:
    assert positions(neighbours.read_stream("home/profile/ada")) == [1, 3, 4]
    assert positions(neighbours.read_stream("home/profile/ada", until=3)) == [1, 3]
    assert positions(neighbours.read_stream("home/profile/ben", until=1)) == []
    assert neighbours.read_stream("home/profile") == []


def test_the_days_of_a_person_are_read_together_since_they_were_forgotten(store: EventStore) -> None:
    weight = WeightRecorded.model_validate(WeightRecorded.examples[0])
    closed = DayClosed(person="ada", day=weight.day)
    other_day = weight.model_copy(update={"day": date(2026, 11, 21)})
    for household, event in [
        ("home", weight),
        ("home", closed),
        ("home", weight.model_copy(update={"person": "ben"})),
        ("home", other_day),
        ("next door", weight),
        ("home", MealLogged.model_validate(MealLogged.examples[0] | {"day": str(weight.day)})),
        ("home", weight.model_copy(update={"weight_kg": 63.0})),
    ]:
        store.append(event.stream_in(household), [event], origin=Origin(household, "test"))

    def read(*days: date, until: int = 99) -> list[int]:
        return positions(
            store.read_days((WeightRecorded, DayClosed), days, household="home", person="ada", until=until)
        )

    assert read(weight.day) == [1, 2, 7]
    assert read(weight.day, until=6) == [1, 2]
    assert read(weight.day, other_day.day) == [1, 2, 4, 7]
    assert read() == []
    forget_person(store, "ada", Origin("home", "test"))
    assert read(weight.day) == []
    assert read(weight.day, until=7) == [1, 2, 7]


def test_all_that_followed_from_a_command_is_read_together(store: EventStore, origin: Origin) -> None:
    other = Origin("home", "test")
    store.append(LIST, ticks("a"), origin=origin)
    store.append(LIST, ticks("b"), origin=other)
    (cause,) = store.read(limit=1)
    store.append("home/other", ticks("c"), origin=cause.origin_of_reaction("consumer/x"))
    assert positions(store.read_correlation(origin.correlation_id)) == [1, 3]
    assert positions(store.read_correlation(origin.correlation_id, after=1)) == [3]
    assert positions(store.read_correlation(other.correlation_id)) == [2]
    assert store.read_correlation(uuid7()) == []


@pytest.mark.parametrize(
    ("types", "household", "until", "expected"),
    [
        ((GoalSet,), "home", 99, {"home/profile/ada": 3, "home/profile/ben": 2}),
        ((GoalSet,), "home", 2, {"home/profile/ada": 1, "home/profile/ben": 2}),
        ((GoalSet,), "home", 1, {"home/profile/ada": 1}),
        ((GoalSet,), "home", 0, {}),
        ((GoalSet,), "next door", 99, {"next door/profile/ada": 5}),
        ((WeightRecorded,), "home", 99, {"home/profile/ada": 4}),
        ((GoalSet, WeightRecorded), "home", 99, {"home/profile/ada": 4, "home/profile/ben": 2}),
    ],
)
def test_the_latest_of_each_stream_is_as_of_a_position_and_of_one_household(
    neighbours: EventStore, types: tuple[type[Event], ...], household: str, until: int, expected: dict[str, int]
) -> None:
    found = neighbours.latest(types, household=household, until=until)
    assert {r.stream: r.position for r in found} == expected
    assert [r.stream for r in found] == sorted(expected)


def test_an_event_of_a_type_nobody_knows_stops_the_reader_and_says_where(
    store: EventStore, superuser: Connection
) -> None:
    append_stored(superuser, "home/x", "future.Teleported", 1, {})
    with pytest.raises(UnknownEvent, match=r"position 1 holds future\.Teleported version 1, .* update it"):
        store.read()


def test_an_event_of_a_newer_version_stops_the_reader_and_says_where(
    store: EventStore, superuser: Connection, origin: Origin
) -> None:
    store.append(LIST, ticks("a"), origin=origin)
    append_stored(superuser, LIST, "shopping.ItemTicked", 2, {"week": "2026-11-23", "item": "b", "aisle": 4})
    with pytest.raises(UnknownEvent, match=r"position 2 holds shopping\.ItemTicked version 2, .* update it"):
        store.read()


def test_who_names_the_types_it_knows_reads_past_those_it_does_not(
    store: EventStore, superuser: Connection, origin: Origin
) -> None:
    append_stored(superuser, "home/x", "future.Teleported", 1, {})
    store.append(LIST, ticks("a"), origin=origin)
    assert positions(store.read(types=[ItemTicked])) == [2]
    assert positions(store.read_newest()) == [2]
