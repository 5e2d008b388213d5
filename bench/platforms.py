"""Two running platforms on one PostgreSQL: ours as `meals up` starts it, and stock Dagster with a sensor and a run."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import psycopg

from meal_assets.cli.services import Services, free_port
from meal_assets.event_store import Database, EventStore
from meal_assets.event_store.embedded import embedded_url, stop_embedded

READY_SECONDS = 120.0

STOCK = '''
import os
import dagster as dg
import psycopg

URL = os.environ["BENCH_URL"]

def ask(query, arguments=()):
    with psycopg.connect(URL) as connection:
        cursor = connection.execute(query, arguments)
        return cursor.fetchone() if cursor.description else None

@dg.asset
def rows() -> dg.MaterializeResult:
    """What a plain read model does: fold what is new, and show how far it came."""
    (head,) = ask("SELECT coalesce(max(position), 0) FROM stock.events")
    ask("INSERT INTO stock.rows VALUES (%s) ON CONFLICT DO NOTHING", (head,))
    return dg.MaterializeResult(metadata={"to_position": int(head)})

@dg.sensor(target=[rows], minimum_interval_seconds=1, default_status=dg.DefaultSensorStatus.RUNNING)
def new_rows(context):
    (head,) = ask("SELECT coalesce(max(position), 0) FROM stock.events")
    if head > int(context.cursor or 0):
        context.update_cursor(str(head))
        return dg.RunRequest(run_key=str(head))
    return dg.SkipReason("nothing new")

defs = dg.Definitions(assets=[rows], sensors=[new_rows])
'''
STOCK_YAML = """
storage:
  postgres:
    postgres_url: {env: BENCH_DAGSTER_URL}
telemetry: {enabled: false}
"""
TABLES = """
CREATE SCHEMA stock;
CREATE TABLE stock.events (position bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE stock.rows (position bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp());
"""


@dataclass(frozen=True, slots=True)
class Ours:
    """A running `meals up` without its screen."""

    store: EventStore
    url: str
    services: Services
    start_seconds: float

    def processes(self) -> list[psutil.Process]:
        """Everything that runs, but for the database."""
        own = [psutil.Process(p.pid) for p in self.services.processes.values()]
        return own + [child for process in own for child in process.children(recursive=True)]


@contextmanager
def ours() -> Iterator[Ours]:
    with tempfile.TemporaryDirectory(prefix="meals-bench-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        home = Path(folder) / "home"
        url = embedded_url(home)
        services = Services(home, url, free_port(39_000), free_port(39_500))
        with Database(_migrated(url)) as database:
            began = time.perf_counter()
            try:
                services.start(lambda _: None)
                yield Ours(EventStore(database), services.url, services, time.perf_counter() - began)
            finally:
                services.stop(at_once=True)
        stop_embedded(home)


@contextmanager
def stock(url: str) -> Iterator[str]:
    """`dagster dev` as it comes, with its storage in the database of `url`; the address of its web server."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLES)
    with tempfile.TemporaryDirectory(prefix="stock-") as folder:
        (Path(folder) / "definitions.py").write_text(STOCK)
        (Path(folder) / "dagster.yaml").write_text(STOCK_YAML)
        port = free_port(39_500)
        options = "options=-csearch_path%3Dstock"
        dagster_url = url.replace("postgresql://", "postgresql+psycopg2://", 1) + ("&" if "?" in url else "?") + options
        environment = os.environ | {"DAGSTER_HOME": folder, "BENCH_URL": url, "BENCH_DAGSTER_URL": dagster_url}
        command = [sys.executable, "-m", "dagster", "dev", "-f", "definitions.py", "-p", str(port)]
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(lambda: _answers(address), READY_SECONDS)
            yield address
        finally:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
            process.wait()


def materialized(address: str, *path: str) -> int:
    """The position that the newest materialization of an asset shows; 0 when there is none."""
    key = ", ".join(f'"{part}"' for part in path)
    query = (
        f"{{ assetNodeOrError(assetKey: {{path: [{key}]}}) {{ ... on AssetNode {{ assetMaterializations(limit: 1) {{"
        " metadataEntries { label ... on IntMetadataEntry { intValue } } } } } }"
    )
    answer = httpx.post(f"{address}/graphql", json={"query": query}, timeout=30).json()
    made = (answer["data"]["assetNodeOrError"] or {}).get("assetMaterializations") or [{"metadataEntries": []}]
    return next((int(e["intValue"]) for e in made[0]["metadataEntries"] if e["label"] == "to_position"), 0)


def wait_for(true: Callable[[], object], seconds: float, look: float = 0.01) -> None:
    """Raises TimeoutError when it does not come true."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(look)


def _answers(address: str) -> bool:
    query = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"
    try:
        answer = httpx.post(f"{address}/graphql", json={"query": query}, timeout=5).json()
    except (httpx.HTTPError, ValueError):
        return False
    return bool((answer.get("data") or {}).get("repositoriesOrError", {}).get("nodes"))


def _migrated(url: str) -> str:
    from meal_assets.event_store.database import migrate

    migrate(url)
    return url
