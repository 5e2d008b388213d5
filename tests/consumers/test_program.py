"""Consumers in other languages, run through the kit: what they get, what they may say, and how each misdeed ends."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from meal_assets.consumers import consume
from meal_assets.consumers.base import Program, failed_attempts, processes, program
from meal_assets.contracts.shopping import ItemTicked, ItemUnticked
from meal_assets.contracts.system import DeadLettered
from meal_assets.event_store import Database, EventStore
from tests.processes import forked

from .test_kit import said, tick, unticked

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "needed-again.sh"
PATIENCE = 20.0
SAYS = '{"type":"shopping.ItemUnticked","payload":{"week":"2026-11-23","item":"tea"}}'


class NeededAgain(Program):
    """Puts staples back on the list."""

    command = (str(EXAMPLE),)
    listens_to = (ItemTicked,)
    says = (ItemUnticked,)


def shell(script: str, seconds: float = 20.0) -> Program:
    """A consumer that is this script."""

    class Scripted(Program):
        """A script."""

        command = ("sh", "-c", script)
        listens_to = (ItemTicked,)
        says = (ItemUnticked,)

    Scripted.seconds = seconds
    return Scripted()


def letter(store: EventStore) -> Any:
    (found,) = said(store, DeadLettered)
    return found


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)


def test_the_example_in_plain_sh_hears_and_says_any_text(store: EventStore) -> None:
    odd = 'a "quoted", "item":"x" \\ thing — käse'
    tick(store, "salt", "milk", odd, "oil")
    done = consume(NeededAgain(), store)
    assert (done.handled, done.set_aside, done.failed) == (4, 0, None)
    assert unticked(store) == ["salt", "oil"]
    salt, _, _, _, answer, _ = store.read()
    assert (answer.causation_id, answer.actor) == (salt.event_id, "consumer/needed_again")


def test_it_reads_the_envelope_and_the_payload_and_ends_of_itself(store: EventStore, tmp_path: Path) -> None:
    tick(store, "tea")
    assert consume(shell(f"cat > {tmp_path}/read"), store).handled == 1
    (recorded,) = store.read()
    read = json.loads((tmp_path / "read").read_text())
    assert read == {
        "position": 1,
        "event_id": str(recorded.event_id),
        "stream": recorded.stream,
        "household": "home",
        "actor": "test",
        "correlation_id": str(recorded.correlation_id),
        "occurred_at": recorded.occurred_at.isoformat(),
        "recorded_at": recorded.recorded_at.isoformat(),
        "type": "shopping.ItemTicked",
        "version": 1,
        "payload": {"week": "2026-11-23", "item": "tea"},
    }


def test_nothing_of_our_environment_but_the_few_and_nothing_of_our_files_reach_it(
    store: EventStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEALS_DATABASE_URL", "postgresql://me:secret@host/meals")
    monkeypatch.setenv("PGPASSWORD", "secret")
    tick(store, "tea", "milk")
    script = shell(
        f"cd {tmp_path}; env > env; ls -A $HOME > ls; ls /proc/self/fd > fds; touch $HOME/left; echo $HOME >> homes"
    )
    type(script).environment = {"MINE": "yes"}
    assert consume(script, store).handled == 2
    names = {line.partition("=")[0] for line in (tmp_path / "env").read_text().splitlines()}
    assert "secret" not in (tmp_path / "env").read_text()
    assert names - {"PWD", "OLDPWD", "SHLVL", "_"} <= {*processes.INHERITED, "HOME", "TMPDIR", "MINE"}
    assert {"PATH", "HOME", "MINE"} <= names
    assert (tmp_path / "ls").read_text() == "", "what another run left is not there"
    assert len((tmp_path / "fds").read_text().split()) <= 4
    first, second = (tmp_path / "homes").read_text().split()
    assert first != second
    assert not Path(first).exists()


def test_many_lines_are_said_in_order_and_a_repeat_says_nothing_new(store: EventStore) -> None:
    tick(store, "tea")
    script = f"for n in 1 2 3; do echo '{SAYS}' | sed s/tea/$n/; echo; done"
    consume(shell(script), store)
    with store.database.transaction() as db:
        db.execute("UPDATE log.checkpoints SET position = 0 WHERE subscriber = 'scripted'")
    assert consume(shell(script), store).handled == 1
    assert unticked(store) == ["1", "2", "3"]


def test_an_older_version_of_what_it_says_is_read_as_todays(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ItemUnticked, "version", 2)
    monkeypatch.setattr(ItemUnticked, "from_v1", lambda old: old | {"item": "upcast " + old["item"]}, raising=False)
    tick(store, "tea", "milk")
    old = SAYS.replace('"payload"', '"version":1,"payload"')
    consume(shell(f"grep -q tea && echo '{old}' || echo '{SAYS}'"), store)
    assert unticked(store) == ["upcast tea", "tea"]


@pytest.mark.parametrize(
    ("written", "error"),
    [
        ("hello", "line 2: is not JSON"),
        ("[" * 100_000, "line 2: is not JSON"),
        ("[1]", "line 2: is no object with type and payload"),
        (SAYS + "\n" + SAYS.replace("{", '{"more":1,', 1), "line 3: is no object with type and payload, and at most"),
        (SAYS.replace("ItemUnticked", "ItemTicked"), "its type is none of shopping.ItemUnticked"),
        (SAYS.replace('"tea"', '""'), "ItemUnticked\nitem: String should have at least 1 character"),
        (SAYS.replace('"tea"', '"tea","more":"abc"'), "more: Extra inputs are not permitted"),
        (SAYS.replace('"tea"', "NaN"), "line 2: is not JSON"),
        (SAYS.replace('"payload"', '"version":2,"payload"'), "shopping.ItemUnticked has versions 1 to 1"),
        (SAYS.replace('"payload"', '"key":7,"payload"'), "key a text"),
        (SAYS.replace('"tea"', '"\udce4"'), "line 2: is not JSON"),
    ],
    ids=["words", "deep", "array", "unknown field", "type", "value", "extra", "NaN", "version", "key", "not UTF-8"],
)
def test_what_no_contract_allows_is_never_said_and_the_event_is_set_aside(
    store: EventStore, tmp_path: Path, written: str, error: str
) -> None:
    (tmp_path / "out").write_bytes(f"{SAYS}\n{written}\n".encode(errors="surrogateescape"))
    tick(store, "tea", "milk")
    done = consume(shell(f"grep -q tea && cat {tmp_path}/out || true"), store)
    assert (done.handled, done.set_aside, done.failed) == (1, 1, None)
    assert unticked(store) == [], "not even the good line before it"
    assert error in letter(store).message
    assert "abc" not in letter(store).message


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("echo reason >&2; exit 3", "sh ended with status 3: reason"),
        ("kill -SEGV $$", "sh crashed with SIGSEGV"),
        ("yes tea", f"sh wrote more than {processes.MAX_OUTPUT:,} bytes"),
        (
            f"yes '' | head -c 5000; yes '{SAYS}' | head -n {program.MAX_LINES + 1}",
            "sh wrote 1,001 lines, 1,000 are allowed",
        ),
        ("echo password=abc >&2; exit 1", "sh ended with status 1: password=***"),
    ],
    ids=["status", "crash", "huge output", "many lines", "secret"],
)
def test_a_program_that_fails_leaves_a_dead_letter_and_the_next_event_goes_on(
    store: EventStore, script: str, error: str
) -> None:
    tick(store, "tea", "milk")
    done = consume(shell(f"if grep -q tea; then {script}; else echo '{SAYS}'; fi"), store)
    assert (done.handled, done.set_aside) == (1, 1)
    assert letter(store).message.startswith(error)
    assert (letter(store).error_class, letter(store).position, letter(store).attempts) == ("Permanent", 1, 1)
    assert unticked(store) == ["tea"]


def test_of_what_it_complains_about_only_the_end_is_kept(store: EventStore) -> None:
    tick(store, "tea")
    consume(shell("yes word | head -c 10000000 >&2; echo the end >&2; exit 1"), store)
    assert letter(store).message.endswith("word\nthe end")
    assert len(letter(store).message) < processes.MAX_STDERR + 100


@pytest.mark.parametrize("script", ["exit 75", "kill -KILL $$", "kill -TERM $$"])
def test_what_may_succeed_later_is_tried_again(store: EventStore, script: str) -> None:
    tick(store, "tea")
    assert "sh " in (consume(shell(f"echo busy >&2; {script}"), store).failed or "")
    assert failed_attempts(store)["scripted"].error.endswith("busy")
    assert said(store, DeadLettered) == []
    assert consume(shell(f"echo '{SAYS}'"), store).handled == 1


def test_one_that_hangs_is_ended_with_its_children_and_tried_again(store: EventStore, tmp_path: Path) -> None:
    tick(store, "tea")
    pids = tmp_path / "pids"
    script = f"sleep 600 & echo $! >> {pids}; setsid sleep 600 & echo $! >> {pids}; echo $$ >> {pids}; wait"
    done = consume(shell(script, seconds=1.0), store)
    assert "sh took longer than 1 s and was ended" in (done.failed or "")
    until(lambda: all(gone(int(pid)) for pid in pids.read_text().split()))  # killed, and dying


def test_children_that_it_leaves_behind_are_ended_and_do_not_keep_it(store: EventStore, tmp_path: Path) -> None:
    tick(store, "tea")
    done = consume(shell(f"sleep 600 & echo $! > {tmp_path}/pid; echo '{SAYS}'"), store)
    assert (done.handled, unticked(store)) == (1, ["tea"])
    until(lambda: gone(int((tmp_path / "pid").read_text())))


def test_one_that_reads_nothing_and_one_that_closes_its_output_are_no_trouble(store: EventStore) -> None:
    tick(store, "x" * 2_000)
    assert consume(shell("exec 0<&-; sleep 0.1; exec 1>&- 2>&-; sleep 0.1"), store).handled == 1


def test_a_program_that_is_not_there_is_named(store: EventStore) -> None:
    class Missing(Program):
        """Is not installed."""

        command = ("no-such-program",)
        listens_to = (ItemTicked,)
        says = (ItemUnticked,)

    tick(store, "tea")
    consume(Missing(), store)
    assert letter(store).message.startswith("there is no program no-such-program")


def consume_for_ever(url: str, script: str) -> None:
    with Database(url) as database:
        consume(shell(script, seconds=1.0), EventStore(database))


@pytest.mark.skipif(sys.platform != "linux", reason="timeout of GNU")
def test_it_does_not_outlive_a_process_that_was_killed_for_long(
    store: EventStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tick(store, "tea")
    script = f"echo $$ > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/pid; sleep 600"
    child = forked(consume_for_ever, store.database.url, script)
    child.start()
    until((tmp_path / "pid").exists)
    assert child.pid
    os.kill(child.pid, signal.SIGKILL)
    child.join(PATIENCE)
    until(lambda: gone(int((tmp_path / "pid").read_text())))
