"""The committed schemas are what other programs read: they say what the events are, and old versions stay."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import field_validator

import meal_assets
from meal_assets.contracts import EVENTS, Event
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.profile import GoalSet
from meal_assets.contracts.schema import DIALECT, FOLDER, UPCAST, schema_file, schema_of, what_changed, write_schema
from meal_assets.errors import Permanent

every_event = pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)


@every_event
def test_an_event_is_what_its_committed_schema_says(event: type[Event]) -> None:
    assert what_changed(event) is None


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
    assert write_schema(WeightRecorded, tmp_path) is False


Payload = dict[str, Any]


def first() -> type[Event]:
    class Tasted(Event, topic="test", stream="taste/{dish}"):
        """A verdict."""

        examples = [{"dish": "soup", "stars": 4}, {"dish": "cake", "stars": 5}]
        dish: str
        stars: int

    return Tasted


def with_a_note() -> type[Event]:
    class Tasted(Event, topic="test", stream="taste/{dish}"):
        """What somebody thought of a dish."""

        examples = [{"dish": "soup", "stars": 4, "note": "salty"}]
        dish: str
        stars: int
        note: str | None = None

    return Tasted


def never_bad() -> type[Event]:
    class Tasted(Event, topic="test", stream="taste/{dish}"):
        examples = [{"dish": "cake", "stars": 5}]
        dish: str
        stars: int

        @field_validator("stars")
        @classmethod
        def _good(cls, stars: int) -> int:
            if stars < 5:
                raise ValueError("is not good")
            return stars

    return Tasted


def in_points(version: int, per_star: int = 20) -> type[Event]:
    class Tasted(Event, topic="test", stream="taste/{dish}", version=version):
        examples = [{"dish": "soup", "points": 80}]
        dish: str
        points: int

        @classmethod
        def from_v1(cls, payload: Payload) -> Payload:
            return {"dish": payload["dish"], "points": payload["stars"] * per_star}

    return Tasted


def in_points_by_somebody() -> type[Event]:
    class Tasted(Event, topic="test", stream="taste/{dish}", version=2):
        examples = [{"dish": "soup", "points": 80, "by": "ada"}]
        dish: str
        points: int
        by: str = "somebody"

        @classmethod
        def from_v1(cls, payload: Payload) -> Payload:
            return {"dish": payload["dish"], "points": payload["stars"] * 20}

    return Tasted


def in_words() -> type[Event]:
    class Tasted(Event, topic="test", stream="taste/{dish}", version=3):
        examples = [{"dish": "soup", "verdict": "good"}]
        dish: str
        verdict: str

        @classmethod
        def from_v1(cls, payload: Payload) -> Payload:
            return {"dish": payload["dish"], "points": payload["stars"] * 20}

        @classmethod
        def from_v2(cls, payload: Payload) -> Payload:
            return {"dish": payload["dish"], "verdict": "good" if payload["points"] > 90 else "bad"}

    return Tasted


FIRST, SECOND, THIRD = first(), in_points(2), in_words()


def committed(event: type[Event], folder: Path) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(schema_file(event, folder).read_text(encoding="utf-8"))
    return schema


def said(event: type[Event], folder: Path) -> str:
    """Why the event is refused, and that nothing was written."""
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    with pytest.raises(Permanent) as refused:
        write_schema(event, folder)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    assert what_changed(event, folder) == str(refused.value)
    return str(refused.value)


def test_words_and_a_field_that_may_be_left_out_are_just_written(tmp_path: Path) -> None:
    write_schema(FIRST, tmp_path)
    told = what_changed(with_a_note(), tmp_path)
    assert told is not None
    assert "test.Tasted.v1.json is out of date" in told
    assert "run `python -m meal_assets.contracts`" in told
    assert write_schema(with_a_note(), tmp_path)
    assert what_changed(with_a_note(), tmp_path) is None
    assert committed(FIRST, tmp_path)["properties"].keys() == {"dish", "stars", "note"}


def test_an_incompatible_change_is_refused_with_its_paths_and_what_to_do(tmp_path: Path) -> None:
    write_schema(FIRST, tmp_path)
    told = said(in_points(1), tmp_path)
    assert told.splitlines()[:3] == [
        "test.Tasted is not what test.Tasted.v1.json says, but stored events are:",
        "  points: is new and cannot be left out",
        "  stars: is gone",
    ]
    assert "set version=2, write from_v1, and run `python -m meal_assets.contracts`" in told


def test_a_new_version_leaves_the_old_schema_alone_and_keeps_what_its_examples_are_read_as(tmp_path: Path) -> None:
    write_schema(FIRST, tmp_path)
    before = schema_file(FIRST, tmp_path).read_bytes()
    assert "has no test.Tasted.v2.json" in str(what_changed(SECOND, tmp_path))
    write_schema(SECOND, tmp_path)
    assert what_changed(SECOND, tmp_path) is None
    assert schema_file(FIRST, tmp_path).read_bytes() == before
    now = [{"dish": "soup", "points": 80}, {"dish": "cake", "points": 100}]
    assert committed(SECOND, tmp_path)[UPCAST] == {"1": now}


def test_examples_of_every_old_version_are_kept_as_the_newest_reads_them(tmp_path: Path) -> None:
    for event in (FIRST, SECOND, THIRD):
        write_schema(event, tmp_path)
    expected = {"1": ["bad", "good"], "2": ["bad"]}
    upcast = committed(THIRD, tmp_path)[UPCAST]
    assert {version: [x["verdict"] for x in each] for version, each in upcast.items()} == expected
    assert what_changed(THIRD, tmp_path) is None


def test_an_upcaster_that_gives_something_else_than_committed_is_refused(tmp_path: Path) -> None:
    for event in (FIRST, SECOND):
        write_schema(event, tmp_path)
    told = said(in_points(2, per_star=25), tmp_path)
    assert "test.Tasted version 2 does not read stored events as committed" in told
    assert 'example 1 of version 1 was {"dish": "soup", "points": 80}, is {"dish": "soup", "points": 100}' in told


def test_an_upcaster_that_cannot_read_what_was_stored_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    write_schema(in_points(1), tmp_path)
    assert "example 1 of version 1 is refused: KeyError 'stars'" in said(SECOND, tmp_path)


def test_a_field_added_to_a_new_version_is_no_other_reading_of_old_payloads(tmp_path: Path) -> None:
    for event in (FIRST, SECOND):
        write_schema(event, tmp_path)
    assert "out of date" in str(what_changed(in_points_by_somebody(), tmp_path))
    write_schema(in_points_by_somebody(), tmp_path)
    assert committed(SECOND, tmp_path)[UPCAST]["1"][0] == {"dish": "soup", "points": 80, "by": "somebody"}


def test_a_new_version_without_the_examples_of_the_old_one_is_refused(tmp_path: Path) -> None:
    for event in (FIRST, SECOND, THIRD):
        write_schema(event, tmp_path)
    schema_file(SECOND, tmp_path).unlink()
    told = said(THIRD, tmp_path)
    assert "test.Tasted version 3 is without test.Tasted.v2.json" in told
    assert "bring it back as it was last committed" in told


def test_an_old_example_taken_away_is_missed(tmp_path: Path) -> None:
    for event in (FIRST, SECOND):
        write_schema(event, tmp_path)
    schema = committed(FIRST, tmp_path)
    del schema["examples"][1]
    schema_file(FIRST, tmp_path).write_text(json.dumps(schema), encoding="utf-8")
    assert "version 1 has 1 examples, of which 2 were committed as upcast" in said(SECOND, tmp_path)


def test_a_validator_that_refuses_what_was_stored_is_seen_though_no_schema_shows_it(tmp_path: Path) -> None:
    write_schema(FIRST, tmp_path)
    told = said(never_bad(), tmp_path)
    assert "example 1 of version 1 is refused: ValidationError" in told
    assert "is not good" in told


def test_the_command_writes_what_it_may_and_tells_what_it_may_not(tmp_path: Path) -> None:
    """The real ones, in a copy: one was edited in its words, one in a bound."""
    shutil.copytree(Path(meal_assets.__file__).parent, tmp_path / "meal_assets")
    folder = tmp_path / "meal_assets" / "contracts" / "schemas"
    edit(schema_file(WeightRecorded, folder), "A weigh-in.", "A weight.")
    edit(schema_file(GoalSet, folder), '"minimum": 0', '"minimum": 1')
    refused = schema_file(GoalSet, folder).read_bytes()
    command = [sys.executable, "-m", "meal_assets.contracts"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "wrote body.WeightRecorded.v1.json\n")
    assert "profile.GoalSet is not what profile.GoalSet.v1.json says" in done.stderr
    assert "minimum was 1, is 0" in done.stderr
    assert schema_file(GoalSet, folder).read_bytes() == refused
    assert schema_file(WeightRecorded, folder).read_bytes() == schema_file(WeightRecorded).read_bytes()


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
