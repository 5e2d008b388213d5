"""Bringing the library in line with a Tandoor of 500 recipes: what is said, also when it is killed, failed or down.

The Tandoor is the fake of the package, over HTTP on loopback; who is killed is a process.
"""

import random
import subprocess
import sys
import time
from collections import Counter
from datetime import date, timedelta

import httpx
import stamina
from pydantic import SecretStr

from meal_assets.clients.attempts import ATTEMPTS
from meal_assets.clients.breaker import FAILURES, states
from meal_assets.clients.outside import Outside
from meal_assets.commands.recipes import request_sync
from meal_assets.consumers import consume
from meal_assets.consumers.sync_tandoor import SyncTandoor
from meal_assets.contracts import Event
from meal_assets.contracts.diary import DayClosed
from meal_assets.contracts.recipe import RecipeFetched, RecipeRemoved, RecipesSynced
from meal_assets.event_store import EventStore, Origin
from meal_assets.fakes.server import Asked, Faulty, Reply
from meal_assets.fakes.tandoor import FakeTandoor, starter_space
from meal_assets.read_models import catch_up
from meal_assets.read_models.recipe_catalogue import RecipeCatalogue
from meal_assets.subscriptions import follow, settle, standings

from .figures import SEED, Figure
from .scratch import scratch_store

RECIPES = 500
KILLS = 10
FEWEST, MOST_REQUESTS = 1, 60
"""Answered to one process before it is killed."""
FAULTS = 0.3
DAYS = 50
RECOVERY_SECONDS = 60.0
CONSUMING = """
import sys
from pydantic import SecretStr
from meal_assets.clients.outside import Outside
from meal_assets.consumers import consume
from meal_assets.consumers.sync_tandoor import SyncTandoor
from meal_assets.event_store import Database, EventStore
with Database(sys.argv[1]) as database:
    failed = consume(SyncTandoor(Outside(sys.argv[2], SecretStr(sys.argv[3]))), EventStore(database), wait=True).failed
    sys.exit(0 if failed is None else 3 if failed.startswith("Waiting: tandoor is left alone") else 4)
"""


class Deadly(FakeTandoor):
    """Kills who asks when it has asked `left` times."""

    victim: "subprocess.Popen[bytes] | None" = None
    left = 0

    def answer(self, asked: Asked) -> Reply:
        self.left -= 1
        if self.left == 0 and self.victim:
            self.victim.kill()
        return super().answer(asked)


def run() -> list[Figure]:
    return [*in_line(), *killed(), *failing(), *down()]


def in_line() -> list[Figure]:
    """First all of it, then nothing, then what four people did."""
    with scratch_store() as store, FakeTandoor(starter_space(RECIPES)) as fake:
        began = time.perf_counter()
        first = sync(store, fake)
        took = time.perf_counter() - began
        whole = differences(store, fake)
        second = sync(store, fake)
        fake.space.edit(1, steps=[{**fake.space.recipes[1]["steps"][0], "instruction": "Do nothing."}])
        fake.space.edit(2, name="Renamed")
        fake.space.remove(3)
        fake.space.private.add(4)
        third = sync(store, fake)
        wanted = {"Renamed", fake.space.recipes[1]["name"], "tandoor-3 deleted", "tandoor-4 private"}
        wrong = len(wanted ^ {*told(third)}) + abs(len(told(third)) - len(wanted))
        bare = time.perf_counter()
        with httpx.Client(headers={"Authorization": f"Bearer {fake.space.token}"}, trust_env=False) as client:
            for number in fake.space.recipes:
                client.get(f"{fake.url}/api/recipe/{number}/")
        bare = time.perf_counter() - bare
    found = len(told(first))
    return [
        Figure(f"sync: first, {RECIPES} recipes", found / took, "recipes/s", f"all {RECIPES}",
               found == RECIPES and not whole, limit=RECIPES / bare, limit_name="bare GETs"),
        Figure("sync: second, new events", len(second), "events", "0", not second),
        Figure("sync: edited, renamed, deleted, private", len(told(third)), "events", "those 4", wrong == 0),
    ]  # fmt: skip


def killed() -> list[Figure]:
    """SIGKILL after a random number of requests, ten times in one sync; then it is let through."""
    chance = random.Random(SEED)
    with scratch_store() as store, Deadly(starter_space(RECIPES)) as fake:
        request_sync(store, outside(fake), Origin("home", "bench"))
        points = []
        for _ in range(KILLS):
            fake.left = chance.randint(FEWEST, MOST_REQUESTS)
            points.append(fake.left)
            fake.victim = consuming(store, fake)
            if fake.victim.wait() != -9:
                raise RuntimeError(f"it was through before it was killed: {points}")
        fake.victim, before = None, len(fake.asked)
        began = time.perf_counter()
        status = consuming(store, fake).wait()
        took = time.perf_counter() - began
        ends = len(store.read(types=[RecipesSynced]))
        twice, wrong = repeated(store), differences(store, fake)
        print(f"killed after {points} requests (seed {SEED}); then {len(fake.asked) - before} more", file=sys.stderr)
    done = status == 0 and ends == 1 and not wrong
    return [
        Figure(f"sync: {KILLS} kills, events said twice", twice, "events", "0", twice == 0),
        Figure(f"sync: {KILLS} kills, recipes that differ", wrong, "recipes", "0, and it ends", done),
        Figure(f"sync: the last part after {KILLS} kills", took, "s", "told", True),
    ]


def failing() -> list[Figure]:
    """Mixed faults on 30 % of the calls, without the pauses in between."""
    with scratch_store() as store, FakeTandoor(starter_space(RECIPES)) as fake:
        fake.faults = Faulty(FAULTS, SEED)
        request_sync(store, outside(fake), Origin("home", "bench"))
        goes = 1
        with stamina.set_testing(True, attempts=ATTEMPTS, cap=True):
            while consume(SyncTandoor(outside(fake)), store).failed:
                goes += 1
        wrong, twice = differences(store, fake), repeated(store)
        print(f"{len(fake.asked):,} calls in {goes} goes, {FAULTS:.0%} of them failed", file=sys.stderr)
    ok = wrong == twice == 0
    return [Figure(f"sync: {FAULTS:.0%} of calls fail, recipes that differ", wrong, "recipes", "0, nothing twice", ok)]


def down() -> list[Figure]:
    """Two processes find the breaker open that a third one opened; others go on; it comes back by itself."""
    with scratch_store() as store, FakeTandoor(starter_space(RECIPES // 10)) as fake:
        fake.faults.down = True
        request_sync(store, outside(fake), Origin("home", "bench"))
        with stamina.set_testing(True, attempts=ATTEMPTS, cap=True):
            for _ in range(FAILURES):
                consume(SyncTandoor(outside(fake)), store)
        asked = len(fake.asked)
        others = [consuming(store, fake).wait() for _ in range(2)]
        calls = len(fake.asked) - asked
        is_open = others == [3, 3] and [s.state for s in states(store.database)] == ["open"]
        for n in range(DAYS):
            closed = DayClosed.model_validate({**DayClosed.examples[0], "day": date(2026, 1, 1) + timedelta(n)})
            store.append(closed.stream_in("home"), [closed], origin=Origin("home", "bench"))
        settle(store, outside(fake))
        behind = {s.subscriber.name: s.lag for s in standings(store) if s.lag}
        behind.pop("sync_tandoor", None)
        fake.faults.down = False
        began = time.perf_counter()
        for _ in follow(store, consumers=outside(fake)):
            took = time.perf_counter() - began
            if took > RECOVERY_SECONDS or not any(s.lag for s in standings(store)):
                break
        back = not differences(store, fake)
    return [
        Figure("sync down: calls of two processes that find it open", calls, "calls", "0", calls == 0 and is_open),
        Figure("sync down: other subscribers behind", len(behind), "subscribers", "0", not behind),
        Figure("sync down: back by itself after", took, "s", f"≤ {RECOVERY_SECONDS:g} s", back),
    ]


def outside(fake: FakeTandoor) -> Outside:
    return Outside(fake.url, SecretStr(fake.space.token))


def consuming(store: EventStore, fake: FakeTandoor) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", CONSUMING, store.database.url, fake.url, fake.space.token]
    return subprocess.Popen(command)


def sync(store: EventStore, fake: FakeTandoor) -> list[Event]:
    """What was said because of one sync, but for the request."""
    before = store.head()
    asked = request_sync(store, outside(fake), Origin("home", "bench"))
    if consume(SyncTandoor(outside(fake)), store).failed:
        raise RuntimeError("the sync failed")
    return [r.event for r in store.read(before + (1 if asked else 0))]


def told(said: list[Event]) -> list[str]:
    """Recipes fetched by their title, and those removed with the reason."""
    return [
        e.title if isinstance(e, RecipeFetched) else f"{e.recipe} {e.reason}"
        for e in said
        if isinstance(e, RecipeFetched | RecipeRemoved)
    ]


def differences(store: EventStore, fake: FakeTandoor) -> int:
    """Recipes of the catalogue that are not as there."""
    catch_up(RecipeCatalogue(), store)
    with store.database.transaction() as db:
        ours = dict(db.execute("SELECT recipe, title FROM read.recipe_catalogue").fetchall())
    space = fake.space
    there = {f"tandoor-{n}": r["name"] for n, r in space.recipes.items() if n not in space.private}
    return len(ours.items() ^ there.items())


def repeated(store: EventStore) -> int:
    """Events that say what was said before."""
    said = Counter(
        (r.event.recipe, r.event.content_hash)
        for r in store.read(types=[RecipeFetched], limit=10 * RECIPES)
        if isinstance(r.event, RecipeFetched)
    )
    return sum(said.values()) - len(said)
