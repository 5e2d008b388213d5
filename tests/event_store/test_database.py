"""The one database: migrated once, reached as who may not change the log, and embedded where none is named."""

import subprocess
import sys
from collections.abc import Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

import psutil
import psycopg
import pytest

from meal_assets.errors import Unavailable
from meal_assets.event_store import Database, EventStore
from meal_assets.event_store.database import fetch_row, migrate, newest_migration, without_password
from meal_assets.event_store.embedded import embedded_url, stop_embedded
from meal_assets.settings import Settings
from tests.processes import forked, processes

from .material import PATIENCE, environment

NOBODY = 2**22 + 1
"""A pid that no Linux gives."""


@pytest.fixture
def empty_url(server_url: str) -> Iterator[str]:
    """A database that nobody has migrated."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE empty")
        yield server_url.replace("/postgres?", "/empty?", 1)
        connection.execute("DROP DATABASE empty WITH (FORCE)")


def migrate_together(url: str, together: Barrier) -> None:
    with psycopg.connect(url):  # all are imported and connected before the first begins
        together.wait(timeout=30)
    migrate(url)


@pytest.mark.slow
def test_of_four_that_start_at_once_one_migrates(empty_url: str) -> None:
    together = processes.Barrier(4)
    four = [forked(migrate_together, empty_url, together, daemon=True) for _ in range(4)]
    for process in four:
        process.start()
    for process in four:
        process.join(3 * PATIENCE)
    assert [p.exitcode for p in four] == [0] * 4
    with Database(empty_url) as database, database.transaction() as db:
        assert db.execute("SELECT version_num FROM log.alembic_version").fetchall() == [(newest_migration(),)]
        assert EventStore(database).head() == 0


def test_a_database_of_a_newer_program_is_refused_with_what_to_do(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE log.alembic_version SET version_num = '9999'")
    with pytest.raises(Unavailable, match=r"migration 9999.* update it"):
        migrate(database_url)


def test_a_migrated_database_is_left_alone(database_url: str) -> None:
    with psycopg.connect(database_url) as before:
        before.execute("LOCK TABLE log.events, log.alembic_version IN SHARE ROW EXCLUSIVE MODE")  # no DDL gets past
        migrate(database_url)


def test_a_database_is_opened_migrated(empty_url: str) -> None:
    with Database.open(Settings(database_url=empty_url)) as database:
        assert EventStore(database).head() == 0


def test_the_application_connects_as_who_may_not_change_the_log(database: Database) -> None:
    with database.transaction() as db:
        assert db.execute("SELECT current_user").fetchone() == ("meals_app",)
    with database.dedicated() as db:
        assert db.execute("SELECT current_user").fetchone() == ("meals_app",)


def test_the_application_may_make_tables_for_read_models_only(database: Database) -> None:
    with database.transaction() as db:
        db.execute("CREATE TABLE read.x (); CREATE TABLE shadow.x ()")
    for schema in ("log", "dagster"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction() as db:
            db.execute(f"CREATE TABLE {schema}.x ()")


def test_a_transaction_is_committed_unless_the_block_raises(database: Database) -> None:
    with database.transaction() as db:
        db.execute("CREATE TABLE read.kept ()")
    with pytest.raises(ZeroDivisionError), database.transaction() as db:
        db.execute(f"CREATE TABLE read.lost{1 // 0} ()")
    with database.transaction() as db:
        db.execute("CREATE TABLE read.lost ()")
        raise psycopg.Rollback
    with database.transaction() as db:
        assert fetch_row(db, "SELECT to_regclass('read.kept')::text, to_regclass('read.lost')") == ("read.kept", None)


def test_a_row_that_must_be_there_is_missed_loudly(database: Database) -> None:
    with database.transaction() as db, pytest.raises(LookupError, match="no row"):
        fetch_row(db, "SELECT 1 WHERE false")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ada:s3cret@127.0.0.1:1/meals",
        "postgresql://ada:s3cret@nowhere.invalid/meals",
        "postgresql://127.0.0.1:1/meals?user=ada&password=s3cret",
        "postgresql://ada:s3cret@127.0.0.1:port/meals",
        "ada:s3cret",
    ],
    ids=["nobody listens", "no such host", "password among the options", "no such port", "no url at all"],
)
def test_a_database_that_cannot_be_reached_says_what_to_do_and_no_secret(url: str) -> None:
    with pytest.raises(Unavailable, match=r"(?s)^no database at .*Check MEALS_DATABASE_URL\.$") as refused:
        Database.open(Settings(database_url=url))
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ada:s3cret@db.example:5433/meals", "postgresql://ada:***@db.example:5433/meals"),
        ("postgresql://ada:p%40ss%3Aword@db/meals?sslmode=require", "postgresql://ada:***@db/meals?sslmode=require"),
        ("postgresql://ada@db/meals", "postgresql://ada@db/meals"),
        ("postgresql://postgres:@/postgres?host=/tmp/x", "postgresql://postgres:***@/postgres?host=/tmp/x"),
        ("postgresql://db/meals?user=ada&password=s3cret", "postgresql://db/meals?user=ada&password=***"),
        ("postgresql://ada:ada@ada/ada", "postgresql://ada:***@ada/ada"),
        ("postgresql://ada:s3/c#r?t@db/meals", "postgresql://ada:***@db/meals"),
        ("postgresql://db:5433/meals", "postgresql://db:5433/meals"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_password(url) == shown


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A home with an embedded server that is not running."""
    with TemporaryDirectory(prefix="meals-") as folder:
        Path(folder).chmod(0o755)  # the server runs as another user when the tests run as root
        home = Path(folder) / "home"
        run_embedded(home)
        yield home


ASK = """
import sys, psycopg
from pathlib import Path
from meal_assets.event_store.embedded import embedded_url
url = embedded_url(Path(sys.argv[1]))
with psycopg.connect(url) as connection:
    print(connection.execute("SHOW server_version_num").fetchone()[0], flush=True)
sys.stdin.read()
"""


def start_embedded(home: Path) -> "subprocess.Popen[str]":
    """A process that uses the server of this home until its input ends; it has connected once."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", ASK, str(home)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip
    assert process.stdout is not None
    if not process.stdout.readline().startswith("18"):
        raise AssertionError(process.communicate()[1])
    return process


def run_embedded(home: Path) -> None:
    """One process that uses the server of this home and ends."""
    process = start_embedded(home)
    _, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")


def server_pid(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().split()[0])


def is_running(home: Path) -> bool:
    return (home / "postgres" / "postmaster.pid").exists()


def test_the_embedded_server_runs_as_long_as_somebody_uses_it(home: Path) -> None:
    one, two = start_embedded(home), start_embedded(home)
    assert is_running(home)
    one.communicate()
    assert is_running(home)
    two.communicate()
    assert not is_running(home)


def leave_pid_file(home: Path, pid: int) -> None:
    lines = [pid, home / "postgres", 1, 5432, home / "postgres", "", "1 1", "ready"]
    (home / "postgres" / "postmaster.pid").write_text("".join(f"{line}\n" for line in lines))


def test_a_pid_file_that_names_somebody_elses_process_is_healed(home: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as somebody:
        leave_pid_file(home, somebody.pid)
        run_embedded(home)
        assert somebody.poll() is None  # and the process that was named goes on
        assert not is_running(home)
        somebody.kill()


def test_a_pid_file_that_names_a_dead_server_nobody_has_buried_is_healed(home: Path, tmp_path: Path) -> None:
    (tmp_path / "postgres").symlink_to(str(which("sleep")))
    with subprocess.Popen([tmp_path / "postgres", "60"]) as buried_later:
        buried_later.kill()
        while psutil.Process(buried_later.pid).status() != psutil.STATUS_ZOMBIE:
            pass
        leave_pid_file(home, buried_later.pid)
        run_embedded(home)


@pytest.mark.parametrize("left", [f"[{NOBODY}, {NOBODY + 1}]", f"[{NOBODY}"], ids=["a list", "half a list"])
def test_users_that_died_do_not_keep_the_server_running(home: Path, left: str) -> None:
    (home / "postgres" / ".handle_pids.json").write_text(left)
    run_embedded(home)
    assert not is_running(home)


def test_a_pid_file_that_a_crash_left_empty_is_healed(home: Path) -> None:
    (home / "postgres" / "postmaster.pid").write_text("")
    run_embedded(home)


def test_a_server_that_was_killed_comes_back(home: Path) -> None:
    user = start_embedded(home)
    server = psutil.Process(server_pid(home))
    others = server.children()
    server.kill()
    psutil.wait_procs([server, *others], timeout=PATIENCE)
    assert is_running(home)
    run_embedded(home)
    user.communicate()


def test_whoever_started_the_embedded_server_it_can_be_stopped_and_started(home: Path) -> None:
    user = start_embedded(home)
    url = embedded_url(home)
    assert stop_embedded(home)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    assert not stop_embedded(home)
    user.communicate()
    with psycopg.connect(embedded_url(home)) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert stop_embedded(home)


@pytest.mark.parametrize("version", ["18", "15"])
def test_a_server_that_does_not_start_says_where_its_log_is(home: Path, version: str) -> None:
    damaged = home.parent / f"damaged-{version}"
    (damaged / "postgres").mkdir(parents=True)
    (damaged / "postgres" / "PG_VERSION").write_text(f"{version}\n")
    for _ in range(2):  # and says it again: nothing half-started is remembered
        with pytest.raises(Unavailable, match=r"does not start: .*postgres/log; or name a server of your own"):
            embedded_url(damaged)


def test_there_is_nothing_to_stop_where_nothing_was_started(tmp_path: Path) -> None:
    assert not stop_embedded(tmp_path / "nowhere")
