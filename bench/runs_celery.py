"""Runs a minute where Celery workers take them, beside the launcher that Dagster brings, which starts a process a run.

Real runs of one step: a consumer that has nothing to do. They are asked for one after the other, as a sensor does.
"""

import os
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter
from dagster._core.instance.ref import InstanceRef
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import GrpcServerTarget
from dagster_graphql.test.utils import execute_dagster_graphql

from tests.deploy.machines import Site
from tests.deploy.servers import PROJECT, free_port, postgres, redis

from .figures import Figure

ROUNDS = 3
BY_DEFAULT, BY_CELERY = 5, 60
"""Runs of a round."""
WORKERS = 2
AIM = 6.0
PATIENCE = 300.0
LAUNCH = """
mutation ($asked: ExecutionParams!) {
  launchPipelineExecution(executionParams: $asked) { __typename ... on PythonError { message } }
}
"""


def run() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="meals-bench-", dir="/tmp") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("postgres", "redis", "machines", "stock"):
            (folder / part).mkdir()
        server = stack.enter_context(postgres(folder / "postgres"))
        broker = stack.enter_context(redis(folder / "redis"))
        os.environ.setdefault("MEALS_KEY", secrets.token_hex(32))
        site = Site(folder / "machines", server, broker)
        stack.callback(site.stop)
        site.migrate()
        code = free_port()
        site.code_server("code", "127.0.0.1", code)
        for n in range(WORKERS):
            site.worker(f"worker-{n}")
        os.environ.update(site.machines["code"].environment)
        several = stack.enter_context(launching(PROJECT / "deploy", code))
        (folder / "stock" / "dagster.yaml").write_text(stock())
        one = stack.enter_context(launching(folder / "stock", code))
        minute(several, WORKERS, "warm-up")
        minute(one, 1, "warm-up")
        rates = [
            (minute(several, BY_CELERY, f"celery {n}"), minute(one, BY_DEFAULT, f"default {n}")) for n in range(ROUNDS)
        ]
        ours, theirs = (sorted(each)[ROUNDS // 2] for each in zip(*rates, strict=True))
    return [
        Figure(
            f"runs, Celery, {WORKERS} workers",
            ours,
            "runs/min",
            f"≥ {AIM:g}× the default launcher",
            ours >= AIM * theirs,
            peer=theirs,
            peer_name="default launcher",
        )
    ]


def stock() -> str:
    """Our instance with the launcher that Dagster has when none is named."""
    config = yaml.safe_load((PROJECT / "deploy" / "dagster.yaml").read_text())
    del config["run_launcher"]
    return yaml.safe_dump(config)


@contextmanager
def launching(home: Path, port: int) -> Iterator[Any]:
    """What a web server or a daemon has to launch runs with."""
    target = GrpcServerTarget(host="127.0.0.1", port=port, socket=None, location_name="meal_assets")
    with (
        DagsterInstance.from_ref(InstanceRef.from_dir(str(home))) as instance,
        WorkspaceProcessContext(instance, target) as process,
    ):
        yield process


def minute(process: Any, runs: int, name: str) -> float:
    """Ask for so many runs; how many a minute ended, from the first asked for to the last at its end."""
    selection = {
        "repositoryLocationName": "meal_assets",
        "repositoryName": "__repository__",
        "pipelineName": "__ASSET_JOB",
        "assetSelection": [{"path": ["consumer", "reconcile"]}],
        "assetCheckSelection": [],
    }
    tags = [{"key": "bench", "value": name}]
    asked = {"selector": selection, "mode": "default", "executionMetadata": {"tags": tags}}
    context = process.create_request_context()
    began = time.time()
    for _ in range(runs):
        said = execute_dagster_graphql(context, LAUNCH, variables={"asked": asked}).data["launchPipelineExecution"]
        if said["__typename"] != "LaunchRunSuccess":
            raise RuntimeError(f"not launched: {said}")
    ended = RunsFilter(tags={"bench": name}, statuses=[DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE])
    while process.instance.get_runs_count(ended) < runs:
        if time.time() - began > PATIENCE:
            raise RuntimeError(f"{name}: not all runs ended in {PATIENCE:g} s")
        time.sleep(0.1)
    records = process.instance.get_run_records(ended)
    if any(r.dagster_run.status != DagsterRunStatus.SUCCESS for r in records):
        raise RuntimeError(f"{name}: a run failed")
    rate = 60 * runs / (max(r.end_time for r in records) - began)
    print(f"{name}: {rate:.0f} runs/min", file=sys.stderr)
    return rate
