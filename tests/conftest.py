"""One embedded PostgreSQL a test process; a test that asks gets a database of its own, copied from a migrated one."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest

from meal_assets.event_store import Database, EventStore, Origin
from meal_assets.event_store.database import migrate
from meal_assets.event_store.embedded import embedded_url, stop_embedded

os.environ["MEALS_KEY"] = "5e" * 32
"""Of all databases here; who wants a key file of its own takes it away."""
os.environ["COLUMNS"] = "200"
"""Of what the program prints: its console takes the width of when it was made."""
numbers = count(1)
ENOUGH_BYTES = 6 << 30
PURE = ("contracts", "domain", "starter")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need no database and no patience: `pytest -m pure` runs them in seconds.

    Files with slow tests come first, so that no worker begins one when the others are done.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    for item in items:
        if item.path.relative_to(Path(__file__).parent).parts[0] in PURE and not item.get_closest_marker("slow"):
            item.add_marker("pure")
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """URL of the server's own database; the server stops with the test process."""
    with tempfile.TemporaryDirectory(prefix="meals-test-", dir=_in_memory()) as home:
        Path(home).chmod(0o755)  # the server runs as another user when the tests run as root
        url = embedded_url(Path(home))
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")  # nothing here outlives the machine
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("CREATE DATABASE migrated")
        migrate(_database(url, "migrated"))
        yield url
        stop_embedded(Path(home))


@contextmanager
def copied(server_url: str, template: str) -> Iterator[str]:
    """URL of a copy of a database that nobody is connected to."""
    name = f"test_{next(numbers)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        yield _database(server_url, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(server_url: str) -> Iterator[str]:
    """A migrated database for one test."""
    with copied(server_url, "migrated") as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with Database(database_url) as database:
        yield database


@pytest.fixture
def store(database: Database) -> EventStore:
    return EventStore(database)


@pytest.fixture
def origin() -> Origin:
    return Origin("home", "test")


def _in_memory() -> str | None:
    """Where a copy of a database takes a fifth of the time; None where there is too little of it."""
    shared = Path("/dev/shm")
    return str(shared) if shared.is_dir() and shutil.disk_usage(shared).free > ENOUGH_BYTES else None


def _database(url: str, name: str) -> str:
    return url.replace("/postgres?", f"/{name}?", 1)
