"""What every event promises, and what cannot even be defined."""

import json
import subprocess
import sys
from collections.abc import Iterator
from string import Formatter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from meal_assets.contracts import EVENTS, TOPICS, Event
from meal_assets.contracts.reconciliation import Deviation
from meal_assets.contracts.values import Nutrients

EXAMPLES = [pytest.param(e, x, id=f"{name}-{n}") for name, e in EVENTS.items() for n, x in enumerate(e.examples)]
every_event = pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
every_example = pytest.mark.parametrize(("event", "example"), EXAMPLES)


def holds(said: Any, example: Any) -> bool:
    """Whether all that the example says is said, whatever defaults were filled in beside it."""
    if isinstance(example, dict):
        return isinstance(said, dict) and all(k in said and holds(said[k], v) for k, v in example.items())
    if isinstance(example, list):
        return len(said) == len(example) and all(map(holds, said, example))
    return bool(said == example)


@every_example
def test_an_example_comes_back_from_json_as_it_was(event: type[Event], example: dict[str, Any]) -> None:
    first = event.model_validate(example)
    stored = json.loads(first.model_dump_json(exclude_none=True))
    assert holds(stored, example)
    assert event.from_stored(event.version, stored) == first


@every_example
def test_an_event_is_frozen_in_all_its_parts(event: type[Event], example: dict[str, Any]) -> None:
    said = event.model_validate(example)
    parts = [said, *(v for v in dict(said).values() if isinstance(v, BaseModel))]
    for part in parts:
        for name in type(part).model_fields:
            with pytest.raises(ValidationError, match="frozen"):
                setattr(part, name, getattr(part, name))


@every_example
def test_an_event_refuses_a_field_it_does_not_know(event: type[Event], example: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        event.model_validate({**example, "surprise": 1})


@every_example
def test_an_event_names_its_stream_below_the_household(event: type[Event], example: dict[str, Any]) -> None:
    stream = event.model_validate(example).stream_in("home")
    assert stream.startswith("home/")
    assert "{" not in stream
    assert "None" not in stream


@every_event
def test_a_stream_is_named_by_fields_that_are_always_there(event: type[Event]) -> None:
    fields = {field for _, field, _, _ in Formatter().parse(event.stream) if field is not None}
    assert fields
    assert fields <= {name for name, info in event.model_fields.items() if info.is_required()}


@every_event
def test_each_field_is_in_an_example_also_inside_of_values(event: type[Event]) -> None:
    """The examples are what a new version is proven to read: a field that is in none would be read by nobody."""
    schema = event.model_json_schema()
    shown = set().union(*(names_in(x) for x in event.examples))
    assert {*declared(schema, schema.get("$defs", {}))} <= shown


def declared(node: dict[str, Any], definitions: dict[str, Any], path: str = "") -> Iterator[str]:
    """The path of each field that a schema declares."""
    if "$ref" in node:
        node = definitions[node["$ref"].rpartition("/")[2]]
    for choice in node.get("anyOf", ()):
        yield from declared(choice, definitions, path)
    if "items" in node:
        yield from declared(node["items"], definitions, path)
    for name, field in node.get("properties", {}).items():
        yield f"{path}{name}"
        yield from declared(field, definitions, f"{path}{name}.")


def names_in(payload: Any, path: str = "") -> set[str]:
    if isinstance(payload, list):
        return set().union(*(names_in(one, path) for one in payload))
    if not isinstance(payload, dict):
        return set()
    below = (names_in(value, f"{path}{name}.") for name, value in payload.items())
    return {f"{path}{name}" for name in payload}.union(*below)


@every_event
def test_an_event_has_a_sentence_about_itself(event: type[Event]) -> None:
    assert event.__doc__
    assert event.__doc__.strip().endswith(".")


def test_type_names_are_unique_and_chosen() -> None:
    names = [e.type_name for events in TOPICS.values() for e in events]
    assert sorted(names) == sorted(EVENTS)
    assert len(set(names)) == len(names)
    assert all(name == f"{event.topic}.{event.__name__}" for name, event in EVENTS.items())


def test_a_topic_holds_requests_or_facts() -> None:
    requests = {topic for topic in TOPICS if topic.endswith("_request")}
    assert requests == {"notification_request", "plan_request", "recipe_request"}
    of_commands = requests - {"notification_request"}  # whether a person heard of it is no part of what was asked
    assert all(e.outcome == "working" for topic in of_commands for e in TOPICS[topic])


def test_a_version_without_its_upcaster_cannot_be_defined() -> None:
    with pytest.raises(TypeError, match="Tasted is version 3 but has no from_v2"):

        class Tasted(Event, topic="test", stream="taste/{dish}", version=3):
            examples = [{"dish": "soup"}]
            dish: str

            @classmethod
            def from_v1(cls, payload: dict[str, Any]) -> dict[str, Any]:
                return payload


def test_an_event_without_examples_cannot_be_defined() -> None:
    with pytest.raises(TypeError, match="Tasted has no examples"):

        class Tasted(Event, topic="test", stream="taste/{dish}"):
            dish: str


class Tasted(Event, topic="test", stream="taste/{dish}", version=3):
    """Once {name, stars}, then {dish, stars}, now {dish, points}."""

    examples = [{"dish": "soup", "points": 80}]
    dish: str
    points: int

    @classmethod
    def from_v1(cls, payload: dict[str, Any]) -> dict[str, Any]:
        payload["dish"] = payload.pop("name")
        return payload

    @classmethod
    def from_v2(cls, payload: dict[str, Any]) -> dict[str, Any]:
        payload["points"] = payload.pop("stars") * 20
        return payload


@pytest.mark.parametrize(
    ("version", "payload"),
    [(1, {"name": "soup", "stars": 4}), (2, {"dish": "soup", "stars": 4}), (3, {"dish": "soup", "points": 80})],
)
def test_a_stored_payload_is_upcast_one_version_at_a_time(version: int, payload: dict[str, Any]) -> None:
    before = dict(payload)
    assert Tasted.from_stored(version, payload) == Tasted(dish="soup", points=80)
    assert payload == before


def test_a_payload_of_a_newer_shape_under_an_old_version_is_refused() -> None:
    with pytest.raises(KeyError, match="name"):
        Tasted.from_stored(1, {"dish": "soup", "points": 80})


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -1.0, 1e9])
def test_an_amount_that_no_food_has_is_refused(number: float) -> None:
    with pytest.raises(ValidationError):
        Nutrients(kcal=100, protein_g=number, carbs_g=1, fat_g=1)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_not_even_a_number_without_bounds_may_be_none_at_all(number: float) -> None:
    with pytest.raises(ValidationError, match="finite number"):
        Deviation(kcal=number, protein_g=1, carbs_g=1, fat_g=1)


amounts = st.floats(0, 100_000)
nutrients = st.builds(
    Nutrients,
    kcal=amounts,
    protein_g=amounts,
    carbs_g=amounts,
    fat_g=amounts,
    fiber_g=st.none() | amounts,
    sodium_mg=st.none() | amounts,
)


@given(nutrients)
def test_nutrients_survive_json_to_the_last_digit(what: Nutrients) -> None:
    assert Nutrients.model_validate_json(what.model_dump_json(exclude_none=True)) == what


@given(st.lists(nutrients, min_size=1, max_size=5))
def test_what_is_unknown_in_one_part_is_unknown_in_the_sum(parts: list[Nutrients]) -> None:
    few = [Nutrients(**{k: None if v is None else v / 100 for k, v in part}) for part in parts]
    total = Nutrients.total(few)
    assert total.kcal == pytest.approx(sum(part.kcal for part in few))
    for name in ("fiber_g", "sodium_mg", "sugar_g"):
        assert (getattr(total, name) is None) == any(getattr(part, name) is None for part in few)


def test_contracts_load_neither_the_database_nor_anything_heavy() -> None:
    code = "import meal_assets.contracts, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "meal_assets.contracts.plan" in loaded
    unwanted = {"dagster", "pandas", "numpy", "psycopg", "sqlalchemy", "httpx", "meal_assets.event_store"}
    assert not unwanted & set(loaded)
