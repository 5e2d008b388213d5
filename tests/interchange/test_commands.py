"""`meals events …` in processes of its own, some of them killed."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from meal_assets.cli.app import app
from meal_assets.event_store import EventStore, Origin
from tests.event_store.material import LIST, environment, ticks
from tests.test_docs import WRITTEN

from .material import FORMATS, fill_quickly, finish, kill_when, rows, start

COMMANDS = typer.main.get_command(app).commands["events"].commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented_and_teaches_itself(name: str) -> None:
    assert f"meals events {name}" in WRITTEN
    assert COMMANDS[name].help
    assert all(parameter.help for parameter in COMMANDS[name].params)


def test_events_are_still_shown(store: EventStore, origin: Origin) -> None:
    store.append(LIST, ticks("a", "b", "c"), origin=origin)
    assert [line.split()[0] for line in finish(store, "events", "--limit", "2").splitlines()] == ["2", "3"]


def test_there_and_back_again(store: EventStore, other: EventStore, tmp_path: Path, origin: Origin) -> None:
    store.append(LIST, ticks("a", "b"), origin=origin)
    path = tmp_path / "log.jsonl.gz"
    assert "2 events written" in finish(store, "events", "export", path)
    assert "2 read, 2 restored as they were, 0 there already" in finish(other, "events", "import", path)
    assert rows(other) == rows(store)


def test_a_conflict_is_printed_and_ends_with_status_1(store: EventStore, tmp_path: Path, origin: Origin) -> None:
    store.append(LIST, ticks("a", "b"), origin=origin)
    finish(store, "events", "export", tmp_path / "some.jsonl", "--topic", "shopping", "--after", "1")
    line = json.loads((tmp_path / "some.jsonl").read_text())
    line["actor"] = "somebody else"
    (tmp_path / "some.jsonl").write_text(json.dumps(line))
    process = start(store, "events", "import", tmp_path / "some.jsonl")
    out, _ = process.communicate()
    assert process.returncode == 1
    assert f"line 1, id: {line['id']} is something else at position 2" in out.decode()


def test_stdout_holds_events_and_nothing_else(store: EventStore, origin: Origin) -> None:
    store.append(LIST, ticks("a", "b"), origin=origin)
    said = [json.loads(line) for line in finish(store, "events", "relay", "stdout:", "--once").splitlines()]
    assert [line["position"] for line in said] == [1, 2]


def test_a_reader_that_goes_away_ends_a_relay_with_a_word(store: EventStore) -> None:
    fill_quickly(store, 2_000)
    with start(store, "events", "relay", "stdout:") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read().decode().startswith("Unavailable: nobody reads our output")
    assert process.returncode == 1


def test_ctrl_c_ends_a_relay_without_a_traceback(store: EventStore, origin: Origin) -> None:
    store.append(LIST, ticks("a"), origin=origin)
    process = start(store, "events", "relay", "stdout:")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["position"] == 1
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, b"")


@pytest.mark.parametrize(
    ("package", "extra", "command"),
    [("pyarrow", "parquet", ["export", "log.parquet"]), ("nats", "nats", ["relay", "nats://127.0.0.1:1"])],
)
def test_an_extra_that_is_not_installed_is_told_with_its_name(
    store: EventStore, tmp_path: Path, package: str, extra: str, command: list[str]
) -> None:
    program = f"import sys; sys.modules[{package!r}] = None; from meal_assets.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "events", *command],
        env=environment(MEALS_DATABASE_URL=store.database.url), cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr.startswith("Unavailable: ")) == (1, True), done.stderr
    assert f"pip install meal-assets[{extra}]" in done.stderr


@pytest.mark.slow
@FORMATS
def test_an_export_that_is_killed_goes_on(store: EventStore, tmp_path: Path, suffix: str) -> None:
    fill_quickly(store, 30_000 if suffix == ".parquet" else 15_000)
    path, partial = tmp_path / f"log{suffix}", tmp_path / f"log{suffix}.partial"

    def is_going() -> bool:
        return any(partial.glob("*.parquet")) if suffix == ".parquet" else size(partial) > 0

    kill_when(start(store, "events", "export", path), is_going)
    assert not path.exists()
    assert "Went on after position" in finish(store, "events", "export", path)
    finish(store, "events", "export", tmp_path / f"whole{suffix}")
    assert path.read_bytes() == (tmp_path / f"whole{suffix}").read_bytes()


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


@pytest.mark.slow
@pytest.mark.parametrize("exact", [True, False], ids=["exactly", "as new events"])
def test_an_import_that_is_killed_goes_on(
    store: EventStore, other: EventStore, tmp_path: Path, origin: Origin, exact: bool
) -> None:
    fill_quickly(store, 11_000)
    finish(store, "events", "export", tmp_path / "log.jsonl")
    if not exact:
        other.append(LIST, ticks("mine"), origin=origin)
    kill_when(start(other, "events", "import", tmp_path / "log.jsonl"), lambda: other.head() > 1)
    assert 1 < other.head() < store.head(), "it was through before it was killed"
    told = finish(other, "events", "import", tmp_path / "log.jsonl")
    assert ("restored as they were" in told) is exact
    assert " 0 there already" not in told
    if exact:
        assert rows(other) == rows(store)
    else:
        assert rows(other, "event_id")[1:] == rows(store, "event_id")
    assert other.first_broken_link() is None
