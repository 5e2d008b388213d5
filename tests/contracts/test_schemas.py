"""The committed schemas are what other programs read: they say what the events are, and old versions stay."""

import json
from pathlib import Path

import pytest

from meal_assets.contracts import EVENTS, Event
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.schema import DIALECT, FOLDER, schema_file, schema_of, what_changed, write_schema

every_event = pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)


def variant(**keywords: object) -> type[Event]:
    """The weigh-in as somebody edited it: another field, the same name."""

    class WeightRecorded(Event, topic="body", stream="body/{person}", **keywords):
        examples = [{"person": "ada", "weight_g": 64_200}]
        person: str
        weight_g: int

        @classmethod
        def from_v1(cls, payload: dict[str, object]) -> dict[str, object]:
            return payload

    return WeightRecorded


@every_event
def test_an_event_is_what_its_committed_schema_says(event: type[Event]) -> None:
    assert what_changed(event) is None


def test_a_changed_event_without_a_new_version_is_told_what_to_do(tmp_path: Path) -> None:
    write_schema(WeightRecorded, tmp_path)
    message = what_changed(variant(), tmp_path)
    assert message is not None
    for said in (
        "body.WeightRecorded",
        "body.WeightRecorded.v1.json",
        "set version=2",
        "write from_v1",
        "-m meal_assets",
    ):
        assert said in message


def test_a_changed_event_with_a_new_version_leaves_the_old_schema_alone(tmp_path: Path) -> None:
    write_schema(WeightRecorded, tmp_path)
    before = schema_file(WeightRecorded, tmp_path).read_bytes()
    second = variant(version=2)
    assert "has no body.WeightRecorded.v2.json" in str(what_changed(second, tmp_path))
    write_schema(second, tmp_path)
    assert what_changed(second, tmp_path) is None
    assert schema_file(WeightRecorded, tmp_path).read_bytes() == before


@pytest.mark.parametrize(
    ("field", "committed"),
    [
        ("weight_kg", {"title": "Weight Kg", "type": "number", "minimum": 20, "maximum": 500}),
        ("fat_pct", {"title": "Fat Pct", "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 100}),
        ("note", {"title": "Note", "type": "string"}),
    ],
    ids=["a bound", "what may be left out", "a field"],
)
def test_even_a_small_change_is_seen(tmp_path: Path, field: str, committed: dict[str, object]) -> None:
    write_schema(WeightRecorded, tmp_path)
    assert what_changed(WeightRecorded, tmp_path) is None
    path = schema_file(WeightRecorded, tmp_path)
    schema = json.loads(path.read_text(encoding="utf-8"))
    schema["properties"][field] = committed
    path.write_text(json.dumps(schema), encoding="utf-8")
    assert what_changed(WeightRecorded, tmp_path) is not None


def test_there_is_no_schema_without_its_event() -> None:
    wanted = {f"{e.type_name}.v{n}.json" for e in EVENTS.values() for n in range(1, e.version + 1)}
    assert {p.name for p in FOLDER.iterdir()} == wanted


@every_event
def test_a_schema_names_its_dialect_its_event_and_examples(event: type[Event]) -> None:
    schema = json.loads(schema_file(event).read_text(encoding="utf-8"))
    assert schema["$schema"] == DIALECT
    assert schema["$id"] == f"{event.type_name}/v{event.version}"
    assert schema["title"] == event.__name__
    assert schema["description"] == event.__doc__
    assert schema["additionalProperties"] is False
    for example in schema["examples"]:
        assert set(schema["required"]) <= set(example) <= set(schema["properties"])
        assert event.model_validate(example).model_dump(mode="json").keys() == schema["properties"].keys()


def test_a_written_schema_is_made_for_reading_diffs(tmp_path: Path) -> None:
    write_schema(WeightRecorded, tmp_path)
    text = schema_file(WeightRecorded, tmp_path).read_text(encoding="utf-8")
    assert text.endswith("}\n")
    assert text == json.dumps(schema_of(WeightRecorded), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert schema_file(WeightRecorded).read_text(encoding="utf-8") == text
