"""Processes of their own that start at once: forked from a server that has imported what they need."""

import atexit
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
PATIENCE_SECONDS = 120.0
IMPORTED = ["meal_assets.cli.session", "meal_assets.commands", "meal_assets.subscriptions", "tests.faults.worker"]

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["__main__", "alembic.command", "pandas", *IMPORTED])


def forked(
    target: Callable[..., None], *args: Any, environment: Mapping[str, str] | None = None, daemon: bool = False
) -> BaseProcess:
    """One that is to do this with these settings, ours as they are now without; the server that it is forked from may
    have begun with others."""
    given = dict(os.environ if environment is None else environment)
    return processes.Process(target=_with, args=(given, target, args), daemon=daemon)


def _with(environment: Mapping[str, str], target: Callable[..., None], args: tuple[Any, ...]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    target(*args)


def run_meals(
    arguments: tuple[str, ...], environment: dict[str, str], timeout: float = PATIENCE_SECONDS
) -> "subprocess.CompletedProcess[str]":
    """`meals …` with nothing but these settings, run to its end."""
    with tempfile.TemporaryDirectory(prefix="meals-told-") as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        child = forked(_main, arguments, out, err, environment=environment)
        child.start()
        child.join(timeout)
        if child.exitcode is None:
            child.kill()
            child.join()
            raise subprocess.TimeoutExpired(["meals", *arguments], timeout, out.read_text(), err.read_text())
        return subprocess.CompletedProcess(["meals", *arguments], child.exitcode, out.read_text(), err.read_text())


def _main(arguments: tuple[str, ...], out: Path, err: Path) -> None:
    from meal_assets.cli import main

    os.chdir(PROJECT)
    for path, stream in ((out, sys.stdout), (err, sys.stderr)):
        with path.open("w") as file:
            os.dup2(file.fileno(), stream.fileno())
    sys.argv = ["meals", *arguments]
    try:
        main()
    finally:
        atexit._run_exitfuncs()  # which multiprocessing leaves out
