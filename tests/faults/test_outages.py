"""The server restarts, connections are cut, answers are lost, the disk is full: nothing is lost and nothing doubled."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random

import psycopg
import pytest

from meal_assets.errors import MealAssetsError
from meal_assets.event_store import Database, EventStore, Origin
from meal_assets.read_models import READ_MODELS, catch_up, rebuild
from meal_assets.read_models.event_statistics import EventStatistics

from .proof import differences, prove
from .proxy import Proxy
from .server import Server
from .storm import Crew
from .worker import Task, deed, say

pytestmark = pytest.mark.slow
SEED = 5
CUT_LOCK_HOLDERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_locks
WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


class Stop(Exception):
    """The process ends here."""


def stops(_: int) -> None:
    raise Stop


def findings(crew: Crew, *, more_than: int) -> tuple[str, ...]:
    """What is wrong after all; fails when so little happened that nothing could be."""
    with Database(crew.url) as database:
        proof = prove(EventStore(database), crew.appenders())
    assert proof.acknowledged > more_than
    return proof.findings


def test_a_server_restarted_under_load(frail: Server, tmp_path: Path) -> None:
    with Crew(frail.new_database(), tmp_path, SEED) as crew:
        crew.start_all()
        for _ in range(3):
            crew.lives["append-0"].until_at_work(10)
            frail.restart()
        crew.lives["append-0"].until_at_work(10)
    assert findings(crew, more_than=30) == ()


def test_connections_cut_in_the_middle_of_transactions(frail: Server, tmp_path: Path) -> None:
    with Crew(frail.new_database(), tmp_path, SEED) as crew:
        crew.start_all()
        cut = 0
        for _ in range(15):
            crew.lives["append-0"].until_at_work()
            cut += frail.cut(crew.url, most=2)
        crew.lives["append-0"].until_at_work(10)
    assert cut > 15
    assert findings(crew, more_than=20) == ()


def test_a_statement_timeout_that_hits_appends_and_folds(frail: Server, tmp_path: Path) -> None:
    url = frail.new_database()
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with Crew(url, tmp_path, SEED) as crew:
        crew.start_all()
        with frail.owner() as owner:
            owner.execute(f"ALTER DATABASE {name} SET statement_timeout = '5ms'")
            frail.cut(url, most=100)
            crew.lives["append-0"].until_at_work(20)
            owner.execute(f"ALTER DATABASE {name} RESET statement_timeout")
        frail.cut(url, most=100)
        crew.lives["append-0"].until_at_work(20)
    assert (frail.data / "log").read_text().count("canceling statement due to statement timeout") > 0
    assert findings(crew, more_than=40) == ()


def test_a_projector_stopped_with_a_checkpoint_locked_and_continued(frail: Server, tmp_path: Path) -> None:
    with Crew(frail.new_database(), tmp_path, SEED) as crew, psycopg.connect(crew.url, autocommit=True) as look:
        crew.start("append").until_at_work()
        crew.start("echo").until_at_work()
        folder = crew.start("fold")
        folder.until_at_work()
        pid = folder.process.pid
        assert pid is not None
        chance = Random(SEED)
        for _ in range(500):
            folder.process.join(chance.uniform(0, 0.02))
            os.kill(pid, signal.SIGSTOP)
            held = "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE state = 'idle in transaction'"
            held += " AND relation = to_regclass('log.checkpoints') AND mode = 'RowShareLock'"
            if look.execute(held).fetchone() == (1,):
                break
            os.kill(pid, signal.SIGCONT)
            folder.until_at_work()
        else:
            pytest.fail("it was never seen with a checkpoint locked")
        with Database(crew.url) as database:
            for n in range(20):  # nobody who appends waits for it
                say(EventStore(database), Task("visitor", "append", crew.url, SEED, tmp_path), n)
        other = crew.start("fold", 1)
        os.kill(pid, signal.SIGCONT)
        other.until_at_work()
        folder.until_at_work()
    assert findings(crew, more_than=20) == ()


def test_a_rebuild_that_loses_its_lock_to_another_one_folds_nothing_twice(database: Database, tmp_path: Path) -> None:
    store, task = EventStore(database), Task("append-0", "append", database.url, SEED, tmp_path)
    for n in range(20):
        say(store, task, n)
    model = EventStatistics()
    catch_up(model, store)
    cut = iter([True])

    def another_one_goes_on_with_it(_: int) -> None:
        if next(cut, False):
            with psycopg.connect(database.url, autocommit=True) as owner:
                owner.execute(CUT_LOCK_HOLDERS)
            with Database(database.url) as elsewhere, pytest.raises(Stop):
                rebuild(model, EventStore(elsewhere), batch=3, progress=stops)

    with suppress(psycopg.Error, MealAssetsError):
        rebuild(model, store, batch=3, progress=another_one_goes_on_with_it)
    assert next(cut, None) is None
    assert differences(store, model) == []


def test_an_append_whose_answer_is_lost_is_there_once_when_it_is_repeated(database: Database, tmp_path: Path) -> None:
    with Proxy(socket_of(database)) as proxy, Database(proxy.url(database.url)) as through:
        task = Task("append-0", "append", database.url, SEED, tmp_path)
        for n in range(3):
            proxy.lose_answer_to(b"log.append")
            with pytest.raises(psycopg.OperationalError):
                say(EventStore(through), task, n)
            answer = say(EventStore(through), task, n)
            assert answer.said_before
            task.journal.write(n, answer)
        assert proxy.lost == 3
    assert prove(EventStore(database), [task]).findings == ()


def test_a_fold_whose_commit_is_not_answered_is_folded_once(database: Database, tmp_path: Path) -> None:
    store, task = EventStore(database), Task("append-0", "append", database.url, SEED, tmp_path)
    with Proxy(socket_of(database)) as proxy, Database(proxy.url(database.url)) as through:
        for n, model in enumerate(READ_MODELS.values()):
            catch_up(model(), store)
            say(store, task, n)
            proxy.lose_answer_to(b"COMMIT")
            with pytest.raises(psycopg.OperationalError):
                catch_up(model(), EventStore(through))
            assert differences(EventStore(through), model()) == []
        assert proxy.lost == len(READ_MODELS)


def socket_of(database: Database) -> Path:
    folder = psycopg.conninfo.conninfo_to_dict(database.url)["host"]
    return Path(str(folder)) / ".s.PGSQL.5432"


def test_a_clock_that_goes_backwards_changes_no_order(store: EventStore, tmp_path: Path) -> None:
    began = datetime(2026, 11, 23, 12, tzinfo=UTC)
    for n in range(30):
        events = deed("append-0", SEED, n)
        store.append(
            events[0].stream_in("home"),
            events,
            origin=Origin("home", "test"),
            occurred_at=began - timedelta(hours=n),
        )
    read = store.read()
    assert [r.position for r in read] == list(range(1, len(read) + 1))
    assert read[0].occurred_at > read[-1].occurred_at
    assert store.first_broken_link() is None
    assert [found for model in READ_MODELS.values() for found in differences(store, model())] == []


def append_for_ever(store: EventStore, task: Task) -> None:
    for n in count(len(task.journal.entries())):
        task.journal.write(n, say(store, task, n))


@pytest.fixture
def small_disk(frail: Server) -> Iterator[Path]:
    """A disk of a few megabytes that the server may write to."""
    disk = frail.home / "small"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", disk], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"this process may not mount a small disk: {mounted.stderr.strip()}")
    subprocess.run(["chown", "--reference", frail.data, disk], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_refuses_appends_and_folds_and_all_goes_on_when_there_is_room(
    frail: Server, small_disk: Path, tmp_path: Path
) -> None:
    url = frail.new_database()
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with Crew(url, tmp_path, SEED) as crew:
        crew.start("append").until_at_work()
    with frail.owner() as owner:
        owner.execute(f"CREATE TABLESPACE small LOCATION '{small_disk}'")
        owner.execute(f"ALTER DATABASE {name} SET TABLESPACE small")
    with Database(url) as database:
        store = EventStore(database)
        (task,) = crew.appenders()
        fill = small_disk / "fill"
        with suppress(OSError), fill.open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        with pytest.raises(psycopg.errors.DiskFull):
            append_for_ever(store, task)
        with pytest.raises(psycopg.errors.DiskFull):
            catch_up(EventStatistics(), store)
        fill.unlink()
        subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
        assert prove(store, [task]).findings == ()
    with frail.owner() as owner:
        owner.execute(f"DROP DATABASE {name} WITH (FORCE)")
        owner.execute("DROP TABLESPACE small")
