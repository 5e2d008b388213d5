"""Processes of their own that start at once: forked from a server that has imported what they need."""

import atexit
import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).parents[1]
PATIENCE_SECONDS = 120.0
IMPORTED = ["meal_assets.cli.session", "meal_assets.commands", "meal_assets.subscriptions", "tests.faults.worker"]

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["__main__", "alembic.command", "pandas", *IMPORTED])


def run_meals(
    arguments: tuple[str, ...], environment: dict[str, str], timeout: float = PATIENCE_SECONDS
) -> "subprocess.CompletedProcess[str]":
    """`meals …` with nothing but these settings, run to its end."""
    with tempfile.TemporaryDirectory(prefix="meals-told-") as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        child = processes.Process(target=_main, args=(arguments, environment, out, err))
        child.start()
        child.join(timeout)
        if child.exitcode is None:
            child.kill()
            child.join()
            raise subprocess.TimeoutExpired(["meals", *arguments], timeout, out.read_text(), err.read_text())
        return subprocess.CompletedProcess(["meals", *arguments], child.exitcode, out.read_text(), err.read_text())


def _main(arguments: tuple[str, ...], environment: dict[str, str], out: Path, err: Path) -> None:
    from meal_assets.cli import main

    os.environ.clear()
    os.environ.update(environment)
    os.chdir(PROJECT)
    for path, stream in ((out, sys.stdout), (err, sys.stderr)):
        with path.open("w") as file:
            os.dup2(file.fileno(), stream.fileno())
    sys.argv = ["meals", *arguments]
    try:
        main()
    finally:
        atexit._run_exitfuncs()  # which multiprocessing leaves out
