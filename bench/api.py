"""64 clients post meals to the API at once; then again with the database killed in the middle, and started anew.

Each client sends an Idempotency-Key, and sends the same request again where it got no answer or was told to come later.
Read models and consumers are followed by a `meals follow --consumers` meanwhile. Afterwards schemathesis asks every
route what it may be asked, and what not, for a while (`BENCH_FUZZ_SECONDS`).
"""

import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from meal_assets.cli.services import free_port
from meal_assets.event_store import Database, EventStore
from meal_assets.event_store.embedded import embedded_url, stop_embedded
from meal_assets.event_store.tokens import create_token
from meal_assets.settings import Settings
from meal_assets.subscriptions import standings
from tests.api.fuzz import ROLES, fuzzed

from .figures import Figure
from .latency import quantile

CLIENTS = 64
SECONDS = int(os.environ.get("BENCH_SECONDS", "60"))
FUZZ_SECONDS = int(os.environ.get("BENCH_FUZZ_SECONDS", "120"))
PATIENCE = 120.0
A_DAY = 8
"""Meals of a person's day, then comes the next."""
MEAL = {"meal": "snack", "food": "Apple", "nutrition": {"kcal": 78, "protein_g": 0, "carbs_g": 21, "fat_g": 0}}


@dataclass
class Told:
    """What the clients were told: command id -> key of the request, milliseconds of each 202, and all other answers."""

    accepted: dict[str, str] = field(default_factory=dict)
    milliseconds: list[float] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    unclear: list[str] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)


def run(quick: bool = False) -> list[Figure]:
    seconds = 5 if quick else SECONDS
    with tempfile.TemporaryDirectory(prefix="meals-bench-api-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        try:
            figures = _measured(home, seconds)
        finally:
            stop_embedded(home)
    return figures


def _measured(home: Path, seconds: int) -> list[Figure]:
    settings = Settings(home=home)
    with Database.open(settings) as database:
        store = EventStore(database)
        tokens = [create_token(database, "home", "write", name=f"client {n}")[0] for n in range(CLIENTS)]
    with _program(home, "meal_assets.cli", "follow", "--consumers"), _served(home) as port:
        calm = _post(port, tokens, seconds)
        lag = _lag_of(settings)
        broken = _post(port, tokens, seconds, halfway=lambda: _kill_database(home))
        lag_after = _lag_of(settings)
        wrong = _fuzz(port, settings, 20 if seconds < SECONDS else FUZZ_SECONDS)
    with Database.open(settings) as database:
        store = EventStore(database)
        lost, lost_after = _not_once(store, calm), _not_once(store, broken)
        whole = store.first_broken_link() is None
    p99, rate = quantile(calm.milliseconds, 0.99), len(calm.accepted) / seconds
    unclear = sum(n for told, n in broken.others.items() if not told.startswith(("503", "409", "no answer")))
    print(f"calm: {len(calm.accepted):,} accepted, {dict(calm.others)}", file=sys.stderr)
    print(f"killed: {len(broken.accepted):,} accepted, {dict(broken.others)}; log whole: {whole}", file=sys.stderr)
    return [
        Figure("API: meals accepted", rate, "a second", "reported", rate > 0),
        Figure("API: POST, p50", quantile(calm.milliseconds, 0.5), "ms", "reported", True),
        Figure("API: POST, p99", p99, "ms", "reported", p99 > 0),
        Figure("API: 202 that are not in the log once", lost, "commands", "0", lost == 0 and not calm.others),
        Figure("API: lag back to 0 after", lag, "s", "≤ 10 s", lag <= 10),
        Figure("API: 202 not in the log once, database killed", lost_after, "commands", "0", lost_after == 0 and whole),
        Figure("API: unclear answers, database killed", unclear, "answers", "0", unclear == 0),
        Figure("API: lag back to 0 after, database killed", lag_after, "s", "≤ 10 s", lag_after <= 10),
        Figure("API: what schemathesis found", wrong, "failures", "0", wrong == 0),
    ]


@contextmanager
def _program(home: Path, module: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | {"MEALS_HOME": str(home), "MEALS_API_REQUESTS_A_MINUTE": "1000000"}
    with (home / f"{module}.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", module, *arguments], env=environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def _served(home: Path) -> Iterator[int]:
    port = free_port(38_000)
    with _program(home, "meal_assets.api", "--port", str(port)):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                if _ask(http.client.HTTPConnection("127.0.0.1", port), "GET", "/livez", {})[0] == 200:
                    break
            except OSError:
                time.sleep(0.1)
        yield port


def _post(port: int, tokens: list[str], seconds: float, halfway: Any = None) -> Told:
    told, over = Told(), time.monotonic() + seconds
    clients = [
        threading.Thread(target=_client, args=(port, token, f"p{n}-{int(over)}", over, told))
        for n, token in enumerate(tokens)
    ]
    for client in clients:
        client.start()
    if halfway:
        time.sleep(seconds / 2)
        halfway()
    for client in clients:
        client.join()
    return told


def _client(port: int, token: str, person: str, over: float, told: Told) -> None:
    """One meal after the other; each until it is accepted."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    number = 0
    while time.monotonic() < over:
        day = f"2026-{1 + number // A_DAY // 28 % 12:02}-{1 + number // A_DAY % 28:02}"
        number += 1
        key, end = secrets.token_hex(8), time.monotonic() + PATIENCE
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key, "Content-Type": "application/json"}
        while True:
            began = time.perf_counter()
            try:
                status, body = _ask(connection, "POST", f"/persons/{person}/diary/{day}/meals", headers, MEAL)
                what = str(status)
            except (OSError, http.client.HTTPException) as error:
                status, body, what = 0, {}, f"no answer: {type(error).__name__}"
                connection.close()
            took = (time.perf_counter() - began) * 1_000
            with told.lock:
                if status == 202:
                    told.accepted[body["command_id"]] = key
                    told.milliseconds.append(took)
                    break
                told.others[what] += 1
            if status not in (0, 409, 503) or time.monotonic() > end:
                break
            time.sleep(0.5)
    connection.close()


def _ask(
    connection: http.client.HTTPConnection, method: str, path: str, headers: dict[str, str], body: Any = None
) -> tuple[int, Any]:
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def _kill_database(home: Path) -> None:
    postmaster = int((home / "postgres" / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    time.sleep(2)
    embedded_url(home)


def _lag_of(settings: Settings) -> float:
    """Seconds until nobody is behind any more."""
    began = time.monotonic()
    with Database.open(settings) as database:
        store = EventStore(database)
        while any(s.due for s in standings(store)) and time.monotonic() - began < PATIENCE:
            time.sleep(0.05)
    return time.monotonic() - began


def _fuzz(port: int, settings: Settings, seconds: int) -> int:
    wrong = 0
    for role, (scope, household) in ROLES.items():
        with Database.open(settings) as database:
            secret, _ = create_token(database, household, scope, name=role)
        found = fuzzed(
            f"http://127.0.0.1:{port}",
            secret,
            examples=100_000,
            seed=1,
            phases="examples,coverage,fuzzing,stateful",
            seconds=seconds,
        )
        wrong += bool(found)
        print(*found, sep="\n", file=sys.stderr)
    return wrong


def _not_once(store: EventStore, told: Told) -> int:
    """Accepted commands of which the log has not exactly one event, and keys that were accepted twice."""
    with psycopg.connect(store.database.url) as db:
        rows = db.execute(
            "SELECT correlation_id, count(*) FROM log.events WHERE type = 'diary.MealLogged' GROUP BY 1"
        ).fetchall()
    found = {UUID(str(command)): int(count) for command, count in rows}
    twice = len(told.accepted) - len(set(told.accepted.values()))
    return twice + sum(found.get(UUID(command), 0) != 1 for command in told.accepted)
