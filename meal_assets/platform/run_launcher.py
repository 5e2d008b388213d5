"""Launches runs by forking them from a warm process; where that cannot be had, in a fresh one.

In dagster.yaml: `run_launcher: {module: meal_assets.platform.run_launcher, class: ForkRunLauncher}`.
"""

import json
import signal
import socket
import subprocess  # the fork server and fresh runs, by this interpreter
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from dagster._core.code_pointer import FileCodePointer
from dagster._core.launcher.base import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from dagster._core.storage.dagster_run import DagsterRun
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import serialize_value
from filelock import FileLock

from .fork_server import MODULE, PROJECT, socket_path

PID_TAG, STARTED_TAG = "meals/pid", "meals/pid_started"
"""A run's process, and when that began: a number alone may be another process's by now."""
START_SECONDS = 30.0
"""How long a fork server may take to get ready; it takes two or three."""
ANSWER_SECONDS = 20.0
KILL_SECONDS = 10.0
"""What a run that is told to stop gets to do so by itself."""
LOOK_SECONDS = 0.02


class ForkRunLauncher(DefaultRunLauncher):
    """One child process a run: isolated like any other, without the second that imports take."""

    code_pointer = FileCodePointer(str(PROJECT / "definitions.py"), "defs", str(PROJECT))

    def __init__(self, inst_data: Any = None) -> None:
        super().__init__(inst_data)
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None

    def launch_run(self, context: LaunchRunContext) -> None:
        run = context.dagster_run
        try:
            pid = self._fork(run)
        except (OSError, ValueError, RuntimeError) as error:
            self._instance.report_engine_event(
                f"No fork server ({error}): this run starts in a fresh process, which takes a second longer.", run
            )
            pid = self._begin(run)
        with suppress(psutil.NoSuchProcess):
            started = psutil.Process(pid).create_time()
            self._instance.add_run_tags(run.run_id, {PID_TAG: str(pid), STARTED_TAG: repr(started)})

    def terminate(self, run_id: str) -> bool:
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        if PID_TAG not in run.tags:
            return bool(super().terminate(run_id))  # type: ignore[no-untyped-call]
        self._instance.report_run_canceling(run)
        process = process_of(run)
        if process is None:
            return False
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGINT)
        killer = threading.Timer(KILL_SECONDS, _kill, (process,))  # a run may hang where no signal is heard
        killer.daemon = True
        killer.start()
        return True

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        if PID_TAG not in run.tags:
            # begun this moment: one that is not known to run would be called failed
            return CheckRunHealthResult(WorkerStatus.RUNNING, "its process is not known")
        if process_of(run) is None:
            return CheckRunHealthResult(WorkerStatus.FAILED, f"process {run.tags[PID_TAG]} is gone")
        return CheckRunHealthResult(WorkerStatus.RUNNING)

    def dispose(self) -> None:
        with self._lock:
            self._hang_up()

    def _fork(self, run: DagsterRun) -> int:
        """The pid of the run's process. Raises OSError, ValueError or RuntimeError when there is none."""
        asked = {
            "run_id": run.run_id,
            "instance": serialize_value(self._instance.get_ref()),
            "job": serialize_value(run.job_code_origin),
        }
        line = json.dumps(asked).encode() + b"\n"
        with self._lock:
            try:
                answer = self._ask(line)
            except (OSError, ValueError):  # it ended, or became new: nothing was forked for this line
                self._hang_up()
                answer = self._ask(line)
        if "pid" not in answer:
            raise RuntimeError(answer.get("error", "no answer"))
        return int(answer["pid"])

    def _begin(self, run: DagsterRun) -> int:
        """The pid of a fresh process for the run; who ends our group ends it too."""
        assert run.job_code_origin is not None
        asked = ExecuteRunArgs(run.job_code_origin, run.run_id, self._instance.get_ref())
        command = [sys.executable, "-m", "dagster", "api", "execute_run", serialize_value(asked)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603  # our interpreter
        threading.Thread(target=process.wait, name=f"run {run.run_id}", daemon=True).start()  # nobody else buries it
        return process.pid

    def _ask(self, line: bytes) -> dict[str, Any]:
        if self._connection is None:
            self._connection = connect(socket_path(Path(self._instance.root_directory)))
        self._connection.sendall(line)
        told = b""
        while not told.endswith(b"\n"):
            data = self._connection.recv(65_536)
            if not data:
                raise ConnectionResetError("the fork server hung up")
            told += data
        answer: dict[str, Any] = json.loads(told)
        return answer

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _kill(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):  # psutil looks whether it still is that process
        process.kill()


def process_of(run: DagsterRun) -> psutil.Process | None:
    """The run's process, if it still is that one."""
    try:
        process = psutil.Process(int(run.tags[PID_TAG]))
        is_it = abs(process.create_time() - float(run.tags[STARTED_TAG])) < 1
        return process if is_it and process.status() != psutil.STATUS_ZOMBIE else None
    except (psutil.NoSuchProcess, KeyError, ValueError):
        return None


def connect(path: Path) -> socket.socket:
    """A connection to the server there, which is started when there is none."""
    connection = _connected(path)
    if connection is not None:
        return connection
    with FileLock(f"{path}.lock"):
        connection = _connected(path)
        if connection is not None:
            return connection
        ended = start(path).wait(START_SECONDS)
        deadline = time.monotonic() + START_SECONDS
        while (connection := _connected(path)) is None:
            if ended or time.monotonic() > deadline:
                raise ConnectionRefusedError(f"it does not get ready; what it said is in {path}.log")
            time.sleep(LOOK_SECONDS)
        return connection


def start(path: Path) -> "subprocess.Popen[bytes]":
    """What starts a server and ends. That is of a session of its own, so Ctrl-C does not reach it."""
    with path.with_name(f"{path.name}.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603  # our interpreter, our arguments
            [sys.executable, "-m", MODULE, str(path)],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _connected(path: Path) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        return None
    connection.settimeout(ANSWER_SECONDS)
    return connection
