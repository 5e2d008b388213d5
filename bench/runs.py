"""Runs a minute where they are forked from a warm process, beside the launcher that Dagster brings, on one machine.

Real runs of one step: a consumer that has nothing to do. They are asked for one after the other, as a sensor does.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import yaml

from meal_assets.event_store.database import migrate
from meal_assets.event_store.embedded import embedded_url, stop_embedded
from tests.deploy.servers import PROJECT, await_port, free_port

from .figures import Figure
from .runs_celery import launching, minute

ROUNDS = 3
BY_DEFAULT, BY_FORK = 5, 60
"""Runs of a round."""
AIM = 5.0


def run() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="meals-bench-", dir="/tmp") as name, ExitStack() as stack:
        home = Path(name)
        home.chmod(0o755)
        url = embedded_url(home)
        stack.callback(stop_embedded, home)
        migrate(url)
        config = yaml.safe_load((PROJECT / "dagster.yaml").read_text())
        ours_home, stock_home = home / "fork", home / "stock"
        for folder in (ours_home, stock_home):
            folder.mkdir()
            (folder / "dagster.yaml").write_text(yaml.safe_dump(config))
            config.pop("run_launcher", None)  # the second one has what Dagster has when none is named
        os.environ |= {"MEALS_DATABASE_URL": url, "MEALS_HOME": str(home), "DAGSTER_HOME": str(ours_home)}
        code = stack.enter_context(code_server())
        forking = stack.enter_context(launching(ours_home, code))
        one = stack.enter_context(launching(stock_home, code))
        minute(forking, 1, "warm-up")
        minute(one, 1, "warm-up by default")
        rates = [
            (minute(forking, BY_FORK, f"fork {n}"), minute(one, BY_DEFAULT, f"default {n}")) for n in range(ROUNDS)
        ]
        ours, theirs = (sorted(each)[ROUNDS // 2] for each in zip(*rates, strict=True))
    aim = f"≥ {AIM:g}× the default launcher"
    holds = ours >= AIM * theirs
    return [Figure("runs, forked", ours, "runs/min", aim, holds, peer=theirs, peer_name="default launcher")]


@contextmanager
def code_server() -> Iterator[int]:
    """A code server with our definitions; its port."""
    port = free_port()
    command = [sys.executable, "-m", "dagster", "api", "grpc", "-f", "definitions.py", "-p", str(port)]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        await_port(port, process)
        yield port
    finally:
        process.kill()
        process.wait()
