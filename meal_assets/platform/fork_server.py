"""The process that runs are forked from: it has imported everything once, so that a run starts in a tenth of a second.

`python -m meal_assets.platform.fork_server [SOCKET]` serves until nobody is connected any more; with `--stay`, until it
is told to stop. Without a socket it is that of DAGSTER_HOME. It has one thread and no connection to anything when it
forks, so a child inherits neither.
"""

import json
import os
import selectors
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

PROJECT = Path(__file__).parents[2]
MODULE = "meal_assets.platform.fork_server"
STAY, LISTENING = "--stay", "--listening="
LINGER_SECONDS = 5.0
"""How long it stays after the last connection ended: a daemon that is started anew finds it warm."""
LOOK_SECONDS = 1.0
LONGEST_PATH = 100
"""Of a socket, on every system."""
MAX_REQUEST = 1 << 20
"""Bytes of a request."""


class ForkServer:
    """Answers each line of JSON with one: {"run_id", "instance", "job"} with {"pid", "started"} or {"error"}."""

    def __init__(self, path: Path, listening: socket.socket, *, stay: bool) -> None:
        self._path, self._listening, self._stay = path, listening, stay
        self._inode = path.stat().st_ino
        self._made_of = sources()
        self._ready = selectors.DefaultSelector()
        self._buffers: dict[socket.socket, bytes] = {}
        self._stopping = False
        self._alone_since = time.monotonic()

    def serve(self) -> None:
        """Until it is told to stop, or nobody needs it; its children go on."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        self._ready.register(self._listening, selectors.EVENT_READ)
        while not self._stopping and not self._is_forgotten():
            for key, _ in self._ready.select(LOOK_SECONDS):
                if key.fileobj is self._listening:
                    self._welcome()
                elif isinstance(key.fileobj, socket.socket):
                    self._hear(key.fileobj)
            self._bury()
        with suppress(FileNotFoundError):
            if self._path.stat().st_ino == self._inode:  # else another server has taken the place
                self._path.unlink()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _is_forgotten(self) -> bool:
        if self._buffers:
            self._alone_since = time.monotonic()
        return not self._stay and time.monotonic() - self._alone_since > LINGER_SECONDS

    def _welcome(self) -> None:
        connection, _ = self._listening.accept()
        self._buffers[connection] = b""
        self._ready.register(connection, selectors.EVENT_READ)

    def _hear(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(65_536)
        except OSError:
            data = b""
        self._buffers[connection] += data
        if not data or len(self._buffers[connection]) > MAX_REQUEST:
            self._ready.unregister(connection)
            del self._buffers[connection]
            connection.close()
            return
        *lines, self._buffers[connection] = self._buffers[connection].split(b"\n")
        for line in lines:
            if sources() != self._made_of:
                self._become_new()
            with suppress(OSError):
                connection.sendall(json.dumps(self._answer(line)).encode() + b"\n")

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            asked = json.loads(line)
            if threading.active_count() > 1:  # a thread of the parent is missing in the child, its locks are not
                return {"error": f"{threading.active_count()} threads in a process that forks"}
            load_job(asked["job"])
            pid = fork(lambda: execute(asked), self._release)
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"}
        return {"pid": pid}

    def _release(self) -> None:
        """In a child: nothing of the parent's."""
        for key in list(self._ready.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._ready.close()

    def _bury(self) -> None:
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass

    def _become_new(self) -> NoReturn:
        """The code changed: begin again with it, as the same process and at the same socket, where callers wait."""
        self._listening.set_inheritable(True)
        again = [a for a in sys.argv[1:] if not a.startswith(LISTENING)] + [f"{LISTENING}{self._listening.fileno()}"]
        os.execv(sys.executable, [sys.executable, "-m", MODULE, *again])  # noqa: S606  # ourselves


def socket_path(root: Path) -> Path:
    """One server an instance: in its own folder, or, where that path is too long for a socket, in the temporary one."""
    path = root / "fork.sock"
    if len(str(path)) <= LONGEST_PATH:
        return path
    return Path(tempfile.gettempdir()) / f"meals-{os.getuid()}-{sha256(str(root).encode()).hexdigest()[:16]}.sock"


def bind(path: Path, *, take_over: bool) -> socket.socket:
    """Listen at the path; what a dead server left there is taken away.

    A living one stays and we end, or, to `take_over`, is left with the callers that it has.
    """
    with socket.socket(socket.AF_UNIX) as probe:
        if probe.connect_ex(str(path)) == 0 and not take_over:
            raise SystemExit(0)
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    mask = os.umask(0o177)  # nobody else's runs
    try:
        listening.bind(str(path))
    finally:
        os.umask(mask)
    listening.listen(64)
    return listening


def fork(act: Callable[[], None], release: Callable[[], None]) -> int:
    """The pid of a child that does it, and ends whatever comes; whoever ends our group ends it too."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.default_int_handler)
        release()
        act()
        status = 0
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def execute(asked: dict[str, Any]) -> None:
    """The run, as `dagster api execute_run` does it."""
    from dagster import DagsterInstance
    from dagster._cli.api import _execute_run_command_body
    from dagster._core.instance.ref import InstanceRef
    from dagster._serdes import deserialize_value
    from dagster._utils.interrupts import capture_interrupts

    with capture_interrupts(), DagsterInstance.from_ref(deserialize_value(asked["instance"], InstanceRef)) as instance:
        _execute_run_command_body(asked["run_id"], instance, lambda _: None, set_exit_code_on_failure=False)


def load_job(origin: str) -> None:
    """Load the job's definitions in the parent, once: what the child then asks for is there."""
    if origin in _loaded:
        return
    from dagster._core.origin import JobPythonOrigin
    from dagster._serdes import deserialize_value
    from dagster._utils.hosted_user_process import recon_job_from_origin

    recon_job_from_origin(deserialize_value(origin, JobPythonOrigin)).repository.get_definition()
    _loaded.add(origin)


_loaded: set[str] = set()


def sources() -> tuple[int, int]:
    """How many source files we are made of, and when the newest was written."""
    stamps = [p.stat().st_mtime_ns for p in (PROJECT / "meal_assets").rglob("*.py")]
    stamps.append((PROJECT / "definitions.py").stat().st_mtime_ns)
    return len(stamps), max(stamps)


def main() -> None:
    options = [a for a in sys.argv[1:] if a.startswith("--")]
    path = next((a for a in sys.argv[1:] if not a.startswith("--")), None)
    given = next((int(o.removeprefix(LISTENING)) for o in options if o.startswith(LISTENING)), None)
    stay = STAY in options
    if not stay and given is None and os.fork():
        os._exit(0)  # who started us has nothing to wait for or to bury
    place = Path(path) if path else socket_path(Path(os.environ["DAGSTER_HOME"]))
    # before the imports: who wants a run meanwhile waits for this server, and starts no other
    listening = bind(place, take_over=stay) if given is None else socket.socket(fileno=given)
    import dagster_postgres  # noqa: F401  # imported for the children, as is what the definitions do without
    import httpx  # noqa: F401

    from .storage import Storage

    Storage.is_there = True  # whoever launches a run has an instance, and with it the tables
    sys.path.insert(0, str(PROJECT))
    ForkServer(place, listening, stay=stay).serve()


if __name__ == "__main__":
    main()
