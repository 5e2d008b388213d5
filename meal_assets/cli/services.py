"""Starting Dagster beside the database, stopping it whatever happens, and clearing away what a crash left."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess  # Dagster's own programs, by this interpreter
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import psutil
from filelock import FileLock, Timeout

from meal_assets.errors import Unavailable

PROJECT = Path(__file__).parents[2]
FORK_SERVER, FORK_MODULE = "fork server", "meal_assets.platform.fork_server"
START_SECONDS = 90
STOP_SECONDS = 2
"""What all of them get to end by themselves; killing them loses nothing, for all that counts is in the database."""
TRIES_FOR_A_PORT = 50
LOCATION = "meal_assets"
LAUNCH = """
    mutation($asked: ExecutionParams!) {
        launchPipelineExecution(executionParams: $asked) { __typename ... on Error { message } }
    }
"""
MOST_DEATHS, DEATH_SECONDS = 5, 60.0
"""A service that ends so often in so short a time is not started again."""


@dataclass(slots=True)
class Services:
    """What `meals up` runs, each in a session of its own, so that Ctrl-C reaches only us."""

    home: Path
    database_url: str
    port: int
    api_port: int
    api_host: str = "127.0.0.1"
    open: bool = False
    """Whether the API lets everybody on this machine in."""
    others: Mapping[str, str] = field(default_factory=dict)
    """Further settings that they all begin with: made-up services of a demo, which its own commands know, too."""
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    commands: dict[str, tuple[str, ...]] = field(default_factory=dict)
    deaths: dict[str, list[float]] = field(default_factory=dict)
    groups: list[int] = field(default_factory=list)
    """Every process group that was ever started here."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_url(self) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.api_host, self.api_host)  # noqa: S104  # as it is set
        return f"http://{host}:{self.api_port}"

    def start(self, said: Callable[[str], None]) -> None:
        """Start API, code server, daemon and web server and wait until API and web server answer.

        Raises `Unavailable` with the end of its log when one of them ends or does not get ready.
        """
        folder = self.home / "dagster"
        folder.mkdir(parents=True, exist_ok=True)
        (self.home / "logs").mkdir(exist_ok=True)
        shutil.copyfile(PROJECT / "dagster.yaml", folder / "dagster.yaml")  # Dagster reads it in its own home only
        code = self.home / "code.sock"
        code.unlink(missing_ok=True)
        workspace = folder / "workspace.yaml"
        workspace.write_text(
            f"load_from:\n  - grpc_server:\n      socket: {json.dumps(str(code))}\n      location_name: {LOCATION}\n"
        )
        said("API, code server and web server")
        self._spawn("api", "meal_assets.api", "--port", str(self.api_port), *(["--open"] if self.open else []))
        self._spawn("code server", "dagster", "code-server", "start", "-f", "definitions.py", "-s", str(code))
        self._spawn("web server", "dagster_webserver", "-w", str(workspace), "-h", "127.0.0.1", "-p", str(self.port))
        self._until(code.exists, "code server")
        self._spawn("daemon", "dagster._daemon", "run", "-w", str(workspace))
        self._until(lambda: _lives(self.api_url), "api")
        self._until(lambda: _shows_our_code(self.url), "web server")
        self._spawn(FORK_SERVER, FORK_MODULE, "--stay")

    def check(self) -> None:
        """Raises `Unavailable` when one of them has ended by itself."""
        for name in self._ended():
            status = self.processes[name].returncode
            raise Unavailable(f"the {name} ended with status {status}:\n{self._end_of_log(name)}")

    def mend(self) -> list[str]:
        """Start again what has ended by itself; the names. Raises `Unavailable` where one ends again and again."""
        mended = self._ended()
        for name in mended:
            now = time.monotonic()
            self.deaths[name] = [t for t in self.deaths.get(name, []) if now - t < DEATH_SECONDS] + [now]
            if len(self.deaths[name]) >= MOST_DEATHS:
                self.check()
            if name != FORK_SERVER:  # the runs that it forked go on
                _signal_group(self.processes[name].pid, signal.SIGKILL)
            if name == "code server":
                (self.home / "code.sock").unlink(missing_ok=True)
            self._spawn(name, *self.commands[name])
        return mended

    def _ended(self) -> list[str]:
        return [name for name, process in self.processes.items() if process.poll() is not None]

    def stop(self, *, at_once: bool = False) -> None:
        """End them all, and their runs with them."""
        if not at_once:
            for process in self.processes.values():
                _signal_group(process.pid, signal.SIGTERM)
            deadline = time.monotonic() + STOP_SECONDS
            for process in self.processes.values():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.0, deadline - time.monotonic()))
        for group in self.groups:
            _signal_group(group, signal.SIGKILL)
        for process in self.processes.values():
            process.wait()
        _end_fork_servers(self.home)
        self.processes.clear()
        _state_file(self.home).unlink(missing_ok=True)

    def _spawn(self, name: str, module: str, *arguments: str) -> None:
        environment = os.environ | {
            "DAGSTER_HOME": str(self.home / "dagster"),
            "MEALS_HOME": str(self.home),
            "MEALS_DATABASE_URL": self.database_url,
            "DAGSTER_DISABLE_TELEMETRY": "1",
            "DAGSTER_EVENT_BATCH_SIZE": "100",  # the days of a backfill are written together
            **self.others,
        }
        self.commands[name] = (module, *arguments)
        with self._log(name).open("ab" if name in self.processes else "wb") as log:
            self.processes[name] = subprocess.Popen(  # noqa: S603  # our interpreter, our arguments
                [sys.executable, "-m", module, *arguments],
                cwd=PROJECT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.groups.append(self.processes[name].pid)
        running = {
            n: [p.pid, psutil.Process(p.pid).create_time()] for n, p in self.processes.items() if p.poll() is None
        }
        state = _state_file(self.home)
        written = state.with_suffix(".new")
        told = {
            "pid": os.getpid(),
            "url": self.url,
            "api": self.api_url,
            "processes": running,
            "others": dict(self.others),
        }
        written.write_text(json.dumps(told))
        written.replace(state)  # whoever reads it meanwhile reads the whole of it

    def _until(self, ready: Callable[[], bool], name: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise Unavailable(f"the {name} was not ready in {START_SECONDS} s:\n{self._end_of_log(name)}")
            time.sleep(0.1)

    def _log(self, name: str) -> Path:
        return self.home / "logs" / f"{name.replace(' ', '-')}.log"

    def _end_of_log(self, name: str) -> str:
        lines = self._log(name).read_text(errors="replace").splitlines()
        return "\n".join([*lines[-15:], f"(all of it: {self._log(name)})"])


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Held while `meals up` runs. Raises `Unavailable` when another one does; falls by itself if we die."""
    home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home / "up.lock")
    try:
        lock.acquire(timeout=1)
    except Timeout:
        where = running(home).get("url", "")
        raise Unavailable(f"meals is already up in {home}: {where}. `meals down` stops it.") from None
    try:
        clear_leftovers(home)
        yield
    finally:
        (home / "up.lock").unlink(missing_ok=True)  # before the release: who waits for it sees that it is gone
        lock.release()


def is_up(home: Path) -> bool:
    """Whether `meals up` runs for this home."""
    if not (home / "up.lock").exists():
        return False
    lock = FileLock(home / "up.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def running(home: Path) -> Mapping[str, object]:
    """What the running `meals up` wrote down: pid, url, processes, others; empty when there is none."""
    try:
        found: dict[str, object] = json.loads(_state_file(home).read_text())
    except (OSError, ValueError):
        return {}
    return found


def clear_leftovers(home: Path) -> list[str]:
    """End processes of an earlier `meals up` that died without ending them; their names."""
    ended = []
    processes = running(home).get("processes")
    for name, (pid, created) in dict(processes if isinstance(processes, dict) else {}).items():
        try:
            is_ours = abs(psutil.Process(pid).create_time() - created) < 1
        except psutil.NoSuchProcess:
            continue
        if is_ours:
            _signal_group(pid, signal.SIGKILL)
            ended.append(name)
    _end_fork_servers(home)
    _state_file(home).unlink(missing_ok=True)
    (home / "code.sock").unlink(missing_ok=True)
    return ended


def free_port(wanted: int) -> int:
    """`wanted`, or the next one that nobody listens on."""
    for port in range(wanted, min(wanted + TRIES_FOR_A_PORT, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Unavailable(f"no free port from {wanted} on: set MEALS_PORT")


def _end_fork_servers(home: Path) -> None:
    """End those that a launcher started while ours was dead, and their runs: they are nobody's children."""
    for process in psutil.process_iter(["cmdline"]):
        if FORK_MODULE in (process.info["cmdline"] or ()):
            with contextlib.suppress(psutil.Error, ProcessLookupError):
                if process.environ().get("DAGSTER_HOME") == str(home / "dagster"):
                    _signal_group(os.getpgid(process.pid), signal.SIGKILL)


def _state_file(home: Path) -> Path:
    return home / "up.json"


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _shows_our_code(url: str) -> bool:
    query = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"
    try:
        answer = _graphql(url, query)
    except (httpx.HTTPError, ValueError):
        return False
    return bool((answer.get("data") or {}).get("repositoriesOrError", {}).get("nodes"))


def _lives(url: str) -> bool:
    try:
        return httpx.get(f"{url}/livez", timeout=5).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def skip_greeting(url: str) -> None:
    """Keep Dagster's first-visit dialog from covering the page."""
    with contextlib.suppress(httpx.HTTPError, ValueError):
        _graphql(url, "mutation { setNuxSeen }")


def materialize_days(url: str, asset: Sequence[str], first: date, last: date) -> None:
    """Start a run for these days of an asset, as its page does. Raises `Unavailable` where Dagster does not."""
    tags = {"dagster/asset_partition_range_start": str(first), "dagster/asset_partition_range_end": str(last)}
    selector = {
        "repositoryName": "__repository__",
        "repositoryLocationName": LOCATION,
        "pipelineName": "__ASSET_JOB",
        "assetSelection": [{"path": [*asset]}],
        "assetCheckSelection": [],
    }
    asked = {
        "selector": selector,
        "mode": "default",
        "runConfigData": {},
        "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
    }
    try:
        told = _graphql(url, LAUNCH, asked=asked)["data"]["launchPipelineExecution"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise Unavailable(f"Dagster did not start a run of {'/'.join(asset)}: {error}") from error
    if told["__typename"] != "LaunchRunSuccess":
        raise Unavailable(f"Dagster did not start a run of {'/'.join(asset)}: {told.get('message', told)}")


def _graphql(url: str, query: str, **variables: object) -> dict[str, Any]:
    asked = {"query": query, "variables": variables}
    answer: dict[str, Any] = httpx.post(f"{url}/graphql", json=asked, timeout=5).json()
    return answer
