"""A whole service on several machines, which die: what was begun is finished elsewhere, once."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from meal_assets.commands.recipes import request_recipes
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.recipe import RecipeFetched, RecipesFetched
from meal_assets.event_store import Database, EventStore, Origin
from meal_assets.platform.keys import key_of
from meal_assets.read_models import READ_MODELS
from meal_assets.read_models.weight_trend import WeightTrend
from meal_assets.subscriptions import standings
from tests.faults.proof import differences

from .machines import PARTS, Machine, Site
from .servers import COMPOSE, free_port, postgres, redis

pytestmark = [pytest.mark.slow, pytest.mark.long]

RECIPES = 400
KILLED_AFTER = 50
PATIENCE = 150.0
"""Seconds after which something that should have happened never will."""


@dataclass(frozen=True, slots=True)
class Service:
    site: Site
    code: tuple[str, int]
    store: EventStore
    owner: "psycopg.Connection[tuple[object, ...]]"

    def until(self, condition: Callable[[], bool]) -> None:
        """Look again after each append, and a few times a second for what is no append."""
        deadline = time.monotonic() + PATIENCE
        with self.store.listen() as wait:
            while not condition():
                assert time.monotonic() < deadline, self.site.logs()
                wait(0.2)

    def machine_of(self, query: str, *arguments: str) -> Machine | None:
        """The machine at the other end of a database connection whose client port the query names.

        The query may name connections of this test too, which wait() has closed and PostgreSQL not yet.
        """
        ports = [port for (port,) in self.owner.execute(query, arguments).fetchall()]
        machines = self.site.machines.values()
        return next((m for port in ports for m in machines if m.connects_from(port)), None)  # type: ignore[arg-type]

    def count(self, event: type) -> int:
        with self.store.database.statement() as db:
            (count,) = db.execute("SELECT count(*) FROM log.events WHERE type = %s", (event.type_name,)).fetchone()
        return int(count)

    def shown(self) -> bool:
        """Whether everybody is at the head, and Dagster knows."""
        if any(s.behind for s in standings(self.store)):
            return False
        with self.store.database.statement() as db:
            return db.execute("SELECT FROM log.outbox WHERE reported_at IS NULL").fetchone() is None


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """PostgreSQL, Redis, two code servers, a daemon and two workers."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("postgres", "redis", "machines")}
    for folder in [folders["postgres"], *folders["postgres"].parents][:4]:
        folder.chmod(0o755)  # the server runs as another user when the tests run as root
    with ExitStack() as stack, ThreadPoolExecutor() as at_once:
        broker = stack.enter_context(redis(folders["redis"]))
        server = stack.enter_context(postgres(folders["postgres"]))
        site = Site(folders["machines"], server, broker)
        stack.callback(site.stop)
        site.migrate()
        port = free_port()
        serving = [
            at_once.submit(site.code_server, name, host, port)
            for name, host in (("code-a", "127.0.0.2"), ("code-b", "127.0.0.3"))
        ]
        for name in ("worker-1", "worker-2"):
            site.worker(name)
        for one in serving:
            one.result()
        # as gRPC resolves a name with two addresses: the first that answers, and the other when it does not
        code = (f"ipv4:127.0.0.2:{port},127.0.0.3", port)
        site.daemon("daemon", *code)
        database = stack.enter_context(Database(server.url_with_password("meals_service")))
        owner = stack.enter_context(psycopg.connect(server.url_with_password("postgres"), autocommit=True))
        yield Service(site, code, EventStore(database), owner)


@pytest.fixture
def instance(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """The instance that all machines share, as one of them sees it."""
    for name, value in service.site.machines["daemon"].environment.items():
        if name.startswith(("MEALS_", "DAGSTER_", "PG")):
            monkeypatch.setenv(name, value)
    with dg.DagsterInstance.get() as instance:
        yield instance


WORKS = (
    "SELECT a.client_port FROM pg_stat_activity a JOIN pg_locks l USING (pid)"
    " WHERE l.locktype = 'advisory' AND l.granted"
    " AND (l.classid::bigint << 32 | l.objid::bigint) = hashtext(%s)::bigint"
)
FOLLOWS = "SELECT client_port FROM pg_stat_activity WHERE query = 'LISTEN meals_log' AND usename = 'meals_service'"


def test_a_run_whose_machine_dies_is_finished_by_another_one_once(
    service: Service, instance: dg.DagsterInstance
) -> None:
    recipes = [{"title": f"Soup {n}", "ingredients": [f"{n + 1} leeks"]} for n in range(RECIPES)]
    content = "".join(json.dumps(r) + "\n" for r in recipes).encode()
    request_recipes(service.store, "soups.jsonl", content, Origin("home", "test"))
    service.until(lambda: service.count(RecipeFetched) >= KILLED_AFTER)
    worker = service.machine_of(WORKS, "consumer/fetch_recipes")
    assert worker in [service.site.machines[name] for name in ("worker-1", "worker-2")]
    worker.kill()
    assert service.count(RecipeFetched) < RECIPES
    service.until(lambda: service.count(RecipesFetched) == 1 and service.shown())

    fetched = [r.event.recipe for r in service.store.read(types=(RecipeFetched,))]  # type: ignore[attr-defined]
    assert len(fetched) == len(set(fetched)) == RECIPES
    assert service.count(RecipesFetched) == 1
    assert service.store.first_broken_link() is None
    for model in READ_MODELS.values():
        assert differences(service.store, model()) == []

    def ended() -> bool:
        return all(run.is_finished for run in instance.get_runs())

    service.until(ended)
    statuses = [run.status for run in instance.get_runs()]  # the newest first
    assert statuses[-1] == dg.DagsterRunStatus.FAILURE
    assert statuses[0] == dg.DagsterRunStatus.SUCCESS
    (why,) = [e.message for e in instance.all_logs(instance.get_runs()[-1].run_id) if "no Celery worker" in e.message][
        :1
    ]
    assert "FAILED" in why


def test_when_the_code_server_dies_the_other_one_follows_the_log(service: Service) -> None:
    server = service.machine_of(FOLLOWS)
    assert server in [service.site.machines[name] for name in ("code-a", "code-b")]
    server.kill()
    said = WeightRecorded.model_validate({"person": "ada", "day": "2026-11-23", "weight_kg": 62})
    service.store.append(said.stream_in("home"), [said], origin=Origin("home", "test"))
    request_recipes(service.store, "late.jsonl", b'{"title": "Pie", "ingredients": ["1 egg"]}', Origin("home", "test"))
    service.until(lambda: service.count(RecipesFetched) == 2 and service.shown())
    assert service.machine_of(FOLLOWS) not in (None, server)


def test_two_daemons_fold_and_show_each_event_once(service: Service, instance: dg.DagsterInstance) -> None:
    service.site.daemon("daemon-2", *service.code)
    service.until(lambda: len(service.owner.execute(FOLLOWS).fetchall()) > 1)
    before = service.store.head()
    for n in range(100):
        said = WeightRecorded.model_validate({"person": "ada", "day": "2026-11-24", "weight_kg": 62 + n / 100})
        service.store.append(said.stream_in("home"), [said], origin=Origin("home", "test"))
    service.until(service.shown)
    shown = [
        (m.metadata["from_position"].value, m.metadata["to_position"].value, m.metadata["events"].value)
        for r in instance.fetch_materializations(key_of(WeightTrend), limit=200).records
        if (m := r.asset_materialization) and m.metadata["to_position"].value > before  # type: ignore[operator]
    ]
    assert sum(events for *_, events in shown) == 100  # type: ignore[misc]
    assert differences(service.store, WeightTrend()) == []


def test_the_health_checks_tell_who_works_from_who_does_not(service: Service) -> None:
    host, port = service.code
    alive = host.rpartition(",")[2]
    machine = service.site.machines["code-b"]
    assert machine.healthy("code", **{"127.0.0.1:4000": f"{alive}:{port}"}) != machine.healthy(
        "code", **{"127.0.0.1:4000": f"127.0.0.2:{port}"}
    )
    assert service.site.machines["daemon"].healthy("daemon")
    (worker,) = [name for name in ("worker-1", "worker-2") if service.site.machines[name].processes]
    ping = COMPOSE["services"]["worker"]["healthcheck"]["test"][-1]
    answers = [
        service.site.machines[name].healthy("worker", **{ping: ping.replace("worker@", f"{name}@")})
        for name in ("worker-1", "worker-2")
    ]
    assert answers == [name == worker for name in ("worker-1", "worker-2")]


@dg.job
def never_handed_to_a_worker() -> None:
    """A run of it waits at the broker, as far as anybody knows."""


def test_a_run_that_is_terminated_ends_itself_and_its_worker_goes_on(
    service: Service, instance: dg.DagsterInstance
) -> None:
    recipes = [{"title": f"Stew {n}", "ingredients": [f"{n + 1} leeks"]} for n in range(RECIPES)]
    content = "".join(json.dumps(r) + "\n" for r in recipes).encode()
    before = service.count(RecipeFetched)
    request_recipes(service.store, "stews.jsonl", content, Origin("home", "test"))
    service.until(lambda: service.count(RecipeFetched) >= before + KILLED_AFTER)
    (run,) = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
    worker = service.machine_of(WORKS, "consumer/fetch_recipes")
    assert worker is not None
    waiting = instance.create_run_for_job(never_handed_to_a_worker, status=dg.DagsterRunStatus.STARTING)
    assert instance.run_launcher.terminate(run.run_id)
    canceled = dg.RunsFilter(run_ids=[run.run_id], statuses=[dg.DagsterRunStatus.CANCELED])
    service.until(lambda: bool(instance.get_runs(canceled)))
    assert worker.processes[0].poll() is None
    assert not instance.run_launcher.terminate(run.run_id)
    assert instance.run_launcher.terminate(waiting.run_id)
    ended = instance.get_run_by_id(waiting.run_id)
    assert ended is not None
    assert ended.status == dg.DagsterRunStatus.CANCELED


def test_nothing_is_kept_on_a_machine(service: Service) -> None:
    for machine in service.site.machines.values():
        left = {p.relative_to(machine.folder) for p in machine.folder.rglob("*") if p.is_file() and p.suffix != ".pyc"}
        assert {p for p in left if p.parts[:1] != ("app",) or p.parts[1] not in PARTS} == {Path("log")}
