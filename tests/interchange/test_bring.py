"""What was exported comes back as it was; what is wrong with a file is told before anything is written."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from threading import Barrier
from typing import Any

import psycopg
import pytest

from meal_assets.consumers import CONSUMERS
from meal_assets.contracts import TOPICS
from meal_assets.contracts.shopping import ItemTicked
from meal_assets.errors import Invalid, Permanent
from meal_assets.event_store import EventStore, Origin
from meal_assets.event_store.checkpoints import checkpoints
from meal_assets.interchange import bring as bringing
from meal_assets.interchange.arriving import ROW, TABLE
from meal_assets.interchange.bring import bring
from meal_assets.interchange.export import export
from meal_assets.read_models import READ_MODELS, catch_up, rebuild
from tests.event_store.material import LIST, PATIENCE, ticks
from tests.read_models.conftest import rows_of

from .material import ENVELOPE, FORMATS, fill_quickly, rows

Line = dict[str, Any]


@pytest.fixture(scope="session")
def lines(full: EventStore, tmp_path_factory: pytest.TempPathFactory) -> list[Line]:
    """The hard log as it was exported."""
    path = tmp_path_factory.mktemp("lines") / "log.jsonl"
    export(full, path)
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def written(path: Path, lines: list[Line]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@FORMATS
def test_into_an_empty_log_it_comes_exactly_as_it_was(
    full: EventStore, other: EventStore, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"log{suffix}"
    export(full, path)
    done = bring(other, path)
    assert (done.exact, done.read, done.written, done.there_already) == (True, full.head(), full.head(), 0)
    assert rows(other) == rows(full)
    assert other.first_broken_link() is None
    assert [r.event for r in other.read(limit=full.head())] == [r.event for r in full.read(limit=full.head())]
    assert (bring(other, path).written, other.head()) == (0, full.head())


def test_read_models_of_a_restored_log_are_equal(full: EventStore, other: EventStore, tmp_path: Path) -> None:
    export(full, tmp_path / "log.jsonl")
    bring(other, tmp_path / "log.jsonl")
    for kind in READ_MODELS.values():
        rebuild(kind(), full)
        catch_up(kind(), other)
        assert rows_of(other, kind()) == rows_of(full, kind()), kind.name


def test_a_restored_log_goes_on_and_consumers_do_not_answer_again(
    full: EventStore, other: EventStore, tmp_path: Path, origin: Origin
) -> None:
    export(full, tmp_path / "log.jsonl")
    bring(other, tmp_path / "log.jsonl")
    assert other.append(LIST, ticks("new"), origin=origin).first == full.head() + 1
    assert other.first_broken_link() is None
    with other.database.transaction() as db:
        assert {checkpoints(db)[name].position for name in CONSUMERS} == {full.head()}


@FORMATS
def test_a_log_that_is_the_beginning_of_the_file_is_brought_up_to_it(
    full: EventStore, other: EventStore, tmp_path: Path, suffix: str
) -> None:
    export(full, tmp_path / f"all{suffix}")
    export(full, tmp_path / f"rest{suffix}", after=30)
    first = tmp_path / "first.jsonl"
    export(full, tmp_path / "all.jsonl") if suffix != ".jsonl" else None
    first.write_bytes(b"".join((tmp_path / "all.jsonl").read_bytes().splitlines(keepends=True)[:30]))
    assert bring(other, first).written == 30
    assert bring(other, tmp_path / f"rest{suffix}").exact
    assert rows(other) == rows(full)


def test_a_restore_that_was_interrupted_goes_on(
    full: EventStore, other: EventStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bringing, "CHUNK", 20)
    export(full, tmp_path / "log.jsonl")

    def stop(doing: str, n: int, _of: int | None) -> None:
        if doing == "Restoring" and n == 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring(other, tmp_path / "log.jsonl", progress=stop)
    assert other.head() == 40
    done = bring(other, tmp_path / "log.jsonl")
    assert (done.exact, done.there_already) == (True, 40)
    assert rows(other) == rows(full)


@FORMATS
def test_into_a_log_with_other_events_they_are_appended_once(
    full: EventStore, other: EventStore, tmp_path: Path, origin: Origin, suffix: str
) -> None:
    other.append(LIST, ticks("mine"), origin=origin)
    export(full, tmp_path / f"log{suffix}")
    done = bring(other, tmp_path / f"log{suffix}")
    assert (done.exact, done.written, done.conflicts) == (False, full.head(), [])
    assert rows(other, ENVELOPE)[1:] == rows(full, ENVELOPE)
    assert [r.event for r in other.read(1, limit=full.head())] == [r.event for r in full.read(limit=full.head())]
    versions = [r.stream_version for r in other.read_stream(LIST)]
    assert versions == list(range(1, len(full.read_stream(LIST)) + 2))
    assert other.first_broken_link() is None
    again = bring(other, tmp_path / f"log{suffix}")
    assert (again.written, again.there_already, again.conflicts) == (0, full.head(), [])


def test_two_imports_of_one_file_at_once_append_every_event_once(
    store: EventStore, other: EventStore, tmp_path: Path, origin: Origin
) -> None:
    fill_quickly(store, 400)
    export(store, tmp_path / "log.jsonl")
    other.append(LIST, ticks("mine"), origin=origin)
    both_checked = Barrier(2, timeout=PATIENCE)

    def meet(doing: str, _n: int, _of: int | None) -> None:
        if doing == "Checking":
            both_checked.wait()

    with ThreadPoolExecutor(2) as pool:
        brought = [pool.submit(bring, other, tmp_path / "log.jsonl", progress=meet) for _ in range(2)]
        assert sorted(b.result().written for b in brought) == [0, 400]
    assert rows(other, "event_id")[1:] == rows(store, "event_id")


def test_some_topics_of_a_log_are_appended_as_new_events(full: EventStore, other: EventStore, tmp_path: Path) -> None:
    export(full, tmp_path / "some.jsonl", types=TOPICS["shopping"])
    done = bring(other, tmp_path / "some.jsonl")
    assert not done.exact
    assert [r.event_id for r in other.read()] == [r.event_id for r in full.read(0, TOPICS["shopping"])]


def test_the_same_id_with_other_content_is_reported_and_left_out(
    other: EventStore, store: EventStore, tmp_path: Path, origin: Origin
) -> None:
    store.append(LIST, ticks("a", "b", "c"), origin=origin)
    export(store, tmp_path / "log.jsonl", types=(ItemTicked,))
    bring(other, tmp_path / "log.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    lines[1]["data"]["item"] = "something else"
    done = bring(other, written(tmp_path / "changed.jsonl", lines))
    assert [(c.line, str(c.event_id), c.position) for c in done.conflicts] == [(2, lines[1]["id"], 2)]
    assert (done.written, done.there_already) == (0, 2)
    assert other.head() == 3


@pytest.mark.parametrize("name", ["actor", "household", "subject", "time", "correlationid", "causationid"])
def test_another_envelope_is_other_content_too(store: EventStore, tmp_path: Path, origin: Origin, name: str) -> None:
    store.append(LIST, ticks("a"), origin=origin)
    export(store, tmp_path / "log.jsonl", types=(ItemTicked,))
    (line,) = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    line[name] = {"time": "2020-01-01T00:00:00Z"}.get(name, "00000000-0000-7000-8000-000000000000")
    assert len(bring(store, written(tmp_path / "changed.jsonl", [line])).conflicts) == 1


def changed(name: str, value: object) -> Callable[[list[Line]], None]:
    def change(lines: list[Line]) -> None:
        lines[6][name] = value

    return change


def without(name: str) -> Callable[[list[Line]], None]:
    return lambda lines: lines[6].pop(name)


BROKEN: dict[str, tuple[Callable[[list[Line]], None], str]] = {
    "an actor changed": (changed("actor", "mallory"), "line 7, hash"),
    "a time changed": (changed("time", "2020-01-01T00:00:00Z"), "line 7, hash"),
    "a version changed": (changed("streamversion", 77), "line 7, hash"),
    "a hash changed": (changed("hash", "0" * 64), "line 7, hash"),
    "a hash missing": (without("hash"), "line 7, hash"),
    "a line missing": (lambda lines: lines.pop(6), "line 7, position"),
    "a line twice": (lambda lines: lines.insert(6, lines[5]), "line 7, id"),
    "lines in another order": (lambda lines: lines.insert(6, lines.pop(7)), "line 7, position"),
    "the first line changed": (lambda lines: lines[0].update(actor="mallory"), "line 1, hash"),
    "a payload that breaks its contract": (changed("data", {"nothing": 1}), "line 7, data"),
    "an unknown type": (changed("type", "meal.Unknown"), "line 7, type"),
    "a version from the future": (
        lambda lines: lines[6].update(dataschema=f"{lines[6]['type']}/v9"),
        "line 7, dataschema",
    ),
    "no position": (without("position"), "line 7: "),
    "a time without a zone": (changed("time", "2020-01-01T00:00:00"), "line 7, time"),
    "a number for a time": (changed("time", 1_700_000_000), "line 7, time"),
    "a NUL in a name": (changed("actor", "a\0b"), "line 7, actor"),
    "another version of CloudEvents": (changed("specversion", "0.3"), "line 7, specversion"),
    "data that is no object": (changed("data", [1]), "line 7, data"),
}


@pytest.mark.parametrize("wrong", BROKEN)
@pytest.mark.parametrize("into", ["an empty log", "a log with events"])
def test_the_first_bad_line_is_named_and_nothing_is_written(
    store: EventStore, lines: list[Line], tmp_path: Path, origin: Origin, wrong: str, into: str
) -> None:
    if into == "a log with events":
        fill_quickly(store, 2)
    before = store.head()
    change, named = BROKEN[wrong]
    copied = json.loads(json.dumps(lines))
    change(copied)
    with pytest.raises(Invalid, match=named):
        bring(store, written(tmp_path / "log.jsonl", copied))
    assert store.head() == before


def test_what_only_postgresql_refuses_is_named_too(store: EventStore, tmp_path: Path, lines: list[Line]) -> None:
    surrogate = json.loads(json.dumps(lines[:3]))
    surrogate[2]["other"] = {"nul": "\0"}
    with pytest.raises(Invalid, match="line 3, data"):
        bring(store, written(tmp_path / "log.jsonl", surrogate))


@pytest.mark.parametrize("name", ["log.jsonl.gz", "log.parquet"])
def test_a_torn_file_is_refused(full: EventStore, store: EventStore, tmp_path: Path, name: str) -> None:
    export(full, tmp_path / name)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-20])
    with pytest.raises(Permanent, match="is not whole"):
        bring(store, tmp_path / name)
    assert store.head() == 0


def test_a_half_line_at_the_end_is_refused(full: EventStore, store: EventStore, tmp_path: Path) -> None:
    export(full, tmp_path / "log.jsonl")
    (tmp_path / "log.jsonl").write_bytes((tmp_path / "log.jsonl").read_bytes()[:-20])
    with pytest.raises(Invalid, match=f"line {full.head()}"):
        bring(store, tmp_path / "log.jsonl")


def test_defaults_that_another_program_left_out_are_filled_in(store: EventStore, tmp_path: Path) -> None:
    line = {
        "specversion": "1.0", "id": "0199f3a0-0000-7000-8000-000000000001", "source": "urn:elsewhere",
        "type": "profile.PreferencesSet", "subject": "home/preferences/ben", "time": "2026-11-23T18:30:00+01:00",
        "dataschema": "profile.PreferencesSet/v1", "household": "home", "actor": "form",
        "correlationid": "0199f3a0-0000-7000-8000-000000000002", "formnumber": 7, "data": {"person": "ben"},
    }  # fmt: skip
    assert bring(store, written(tmp_path / "form.jsonl", [line])).written == 1
    assert rows(store, "payload, occurred_at AT TIME ZONE 'UTC'") == [
        ({"person": "ben", "exclude": [], "diets": []}, datetime(2026, 11, 23, 17, 30))
    ]
    assert bring(store, tmp_path / "form.jsonl").there_already == 1


def test_the_database_itself_refuses_rows_that_do_not_continue_the_log(store: EventStore, origin: Origin) -> None:
    store.append(LIST, ticks("a", "b"), origin=origin)
    with store.database.dedicated() as db:
        db.execute(TABLE)
        db.execute(
            "INSERT INTO arriving SELECT 1, position + 2, gen_random_uuid(), 'home/x', 1, type, version, household,"
            " actor, correlation_id, NULL, occurred_at, recorded_at, hash, jsonb_build_object('data', payload), NULL"
            " FROM log.events WHERE position = 1"
        )
        for after, upto in ((2, 3), (1, 3), (2, 4), (0, 3)):
            with pytest.raises(psycopg.DatabaseError, match="the log") as refused:
                db.execute("SELECT log.restore(%s, %s)", (after, upto))
            assert refused.value.sqlstate == "ME003"
        db.execute(f"UPDATE arriving SET hash = log.link((SELECT hash FROM log.events WHERE position = 2), {ROW})")
        with pytest.raises(psycopg.DatabaseError, match="does not continue the log at 4"):
            db.execute("SELECT log.restore(2, 4)")
        assert store.head() == 2
        db.execute("SELECT log.restore(2, 3)")
    assert (store.head(), store.first_broken_link()) == (3, None)
