"""The harness finds what it is there for: bugs planted on purpose."""

import os
import signal
from pathlib import Path

import pytest

from meal_assets.event_store import Database, EventStore
from meal_assets.event_store.batch import Batch
from meal_assets.read_models import catch_up
from meal_assets.read_models.event_statistics import EventStatistics
from tests.processes import forked

from .proof import Proof, differences, prove
from .server import Server
from .storm import Crew
from .worker import Task, say

pytestmark = pytest.mark.slow
SEED = 4


def after_unanswered_appends(server: Server, folder: Path, *, once: bool) -> Proof:
    """What is found when an appender dies three times between a commit and writing it down."""
    url = server.new_database()
    with Crew(url, folder, SEED, once=once) as crew:
        for dies_at in (3, 1, 5):
            life = crew.start("append", dies_at=dies_at)
            while life.until_at_work():
                pass
        crew.start("append").until_at_work()
    with Database(url) as database:
        return prove(EventStore(database), crew.appenders())


def test_it_finds_the_doubles_when_an_unanswered_append_is_repeated_without_its_key(
    frail: Server, tmp_path: Path
) -> None:
    proof = after_unanswered_appends(frail, tmp_path, once=False)
    assert [found.split(" ")[0] for found in proof.doubled[:2]] == ["append-0:2", "append-0:6"]
    assert proof.lost == ()


def test_it_finds_nothing_when_an_unanswered_append_is_repeated_with_its_key(frail: Server, tmp_path: Path) -> None:
    proof = after_unanswered_appends(frail, tmp_path, once=True)
    assert (proof.findings, proof.acknowledged > 6) == ((), True)


def test_it_finds_an_acknowledged_append_that_is_not_there(database: Database, tmp_path: Path) -> None:
    store = EventStore(database)
    task = Task("append-0", "append", database.url, SEED, tmp_path)
    for n in range(2):
        answer = say(store, task, n)
        task.journal.write(n, answer)
    task.journal.write(2, answer)
    proof = prove(store, [task])
    assert [found.split(" ")[0] for found in proof.lost] == ["append-0:2"]


def fold_then_die(url: str) -> None:
    """A fold whose rows are committed before its checkpoint is, killed in between."""
    with Database(url) as database:
        store = EventStore(database)
        with database.transaction() as db:
            db.execute("SET LOCAL search_path TO read")
            model = EventStatistics()
            model.fold(Batch(db, model.listens_to, 0, store.head()))
        os.kill(os.getpid(), signal.SIGKILL)


def test_it_finds_rows_that_were_committed_without_their_checkpoint(database: Database, tmp_path: Path) -> None:
    store = EventStore(database)
    catch_up(EventStatistics(), store)
    say(store, Task("append-0", "append", database.url, SEED, tmp_path), 0)
    killed = forked(fold_then_die, database.url)
    killed.start()
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    (found,) = differences(store, EventStatistics())
    assert found.startswith("event_statistics as folded differs from zero")
