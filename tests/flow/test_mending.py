"""Whatever `meals up` runs may be killed while people work: it comes back, and nothing is lost or said twice."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from meal_assets.commands.recipes import request_recipes
from meal_assets.contracts.recipe import RecipesFetched
from meal_assets.event_store import Database, EventStore, Origin
from meal_assets.platform.run_launcher import PID_TAG
from meal_assets.settings import Settings
from meal_assets.subscriptions import standings

from .conftest import Meals
from .test_up import graphql, processes_of, read_until, up

pytestmark = pytest.mark.slow
PATIENCE = 180.0
SERVICES = ("code server", "daemon", "web server", "fork server")


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.1)


def ask(store: EventStore, number: int) -> None:
    recipe = json.dumps({"title": f"Soup {number}", "ingredients": ["1 leek"]}) + "\n"
    request_recipes(store, f"{number}.jsonl", recipe.encode(), Origin("home", "test"))


def answers(store: EventStore) -> Counter[str]:
    """How often each request was answered."""
    return Counter(r.event.sha256 for r in store.read(types=(RecipesFetched,)) if isinstance(r.event, RecipesFetched))


def answers_at(url: str) -> bool:
    try:
        return httpx.get(f"{url}/server_info", timeout=5).is_success
    except httpx.HTTPError:
        return False


def up_json(home: Path) -> dict[str, dict[str, list[float]]]:
    found: dict[str, dict[str, list[float]]] = json.loads((home / "up.json").read_text())
    return found


def test_each_service_and_a_run_are_killed_under_load_and_come_back(home: Path, alone: Meals) -> None:
    with up(home) as process:
        read_until(process, "Ctrl-C")
        with Database.open(Settings(home=home)) as database:
            store = EventStore(database)
            for number, name in enumerate(SERVICES):
                ask(store, 10 * number)
                pid = int(up_json(home)["processes"][name][0])
                os.kill(pid, signal.SIGKILL)
                ask(store, 10 * number + 1)
                until(lambda name=name, pid=pid: up_json(home)["processes"].get(name, [pid])[0] != pid)
                until(lambda number=number: len(answers(store)) == 2 * number + 2)
            ask(store, 1_000)
            url = str(up_json(home)["url"])
            until(lambda: answers_at(url))
            runs = "{ runsOrError(limit: 1) { ... on Runs { results { status tags { key value } } } } }"
            (run,) = graphql(url, runs)["runsOrError"]["results"]  # type: ignore[index,call-overload]
            pids = [int(t["value"]) for t in run["tags"] if t["key"] == PID_TAG]
            for pid in pids if run["status"] != "SUCCESS" else ():
                os.kill(pid, signal.SIGKILL)
            until(lambda: len(answers(store)) == 2 * len(SERVICES) + 1)
            until(lambda: not [s for s in standings(store) if s.behind])
            assert set(answers(store).values()) == {1}
            assert store.first_broken_link() is None
        process.kill()
        process.wait(30)
        assert processes_of(home)
        done = alone("down")
        assert done.returncode == 0
        assert "left behind" in done.stdout
    left = [p for p in processes_of(home) if "postgres" not in p]  # which this process has asked for, too
    assert left == []
