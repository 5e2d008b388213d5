"""From a request to a consumer's answer, and from a file of recipes to a planned week; stock Dagster beside it."""

import json
import statistics
import sys
import time
from datetime import date

from meal_assets.commands.plan import request_plan
from meal_assets.commands.profile import set_profile
from meal_assets.commands.recipes import request_recipes
from meal_assets.consumers.generate_plan import GeneratePlan
from meal_assets.contracts import Event
from meal_assets.contracts.plan import PlanGenerated, PlanRejected
from meal_assets.contracts.plan_request import PlanRules
from meal_assets.contracts.profile import GoalSet
from meal_assets.contracts.recipe import RecipesFetched
from meal_assets.event_store import EventStore, Origin
from meal_assets.starter import library
from tests.shared_data import FOLDER

from .figures import Figure
from .latency import PATIENCE, PROBES, quantile, stock_latency
from .platforms import ours, stock

MONDAY = date(2026, 11, 23)
REAL = FOLDER / "recipes-real.jsonl.gz"


def run() -> list[Figure]:
    with ours() as platform:
        store = platform.store
        answers = [_answer(store, number) for number in range(PROBES + 1)][1:]  # the first one finds all cold
        whole, solving = _week(store)
        with stock(store.database.url) as address:
            peer = [stock_latency(platform, address)[0] for _ in range(PROBES)]
    p50, p95 = statistics.median(answers), quantile(answers, 0.95)
    stock50 = statistics.median(peer)
    peer95 = quantile(peer, 0.95)
    name = "stock sensor + run"
    holds = p50 <= 700 and stock50 >= 8 * p50
    return [
        Figure("consumer answered, p50", p50, "ms", "≤ 700 ms, ≥ 8× better", holds, peer=stock50, peer_name=name),
        Figure("consumer answered, p95", p95, "ms", "≤ 1500 ms", p95 <= 1_500, peer=peer95, peer_name=name),
        Figure("file → plan, beyond solving", whole - solving, "s", "≤ 3 s", whole - solving <= 3),
    ]


def _answer(store: EventStore, number: int) -> float:
    """Milliseconds from the commit of a request to the answer of its consumer, which runs as a Dagster run."""
    recipe = json.dumps({"title": f"Soup {number}", "ingredients": ["1 leek"]}) + "\n"
    head = store.head()
    request_recipes(store, f"{number}.jsonl", recipe.encode(), _origin())
    began = time.perf_counter()
    _await(store, head, RecipesFetched)
    return (time.perf_counter() - began) * 1_000


def _week(store: EventStore) -> tuple[float, float]:
    """Seconds from the request of a file to the plan over it, and those that handling the plan's request took."""
    goal = GoalSet.model_validate(GoalSet.examples[0] | {"person": "ada"})
    set_profile(store, goal, _origin())
    file = REAL if REAL.exists() else library()
    head, began = store.head(), time.perf_counter()
    request_recipes(store, file.name, file.read_bytes(), _origin())
    _await(store, head, RecipesFetched)
    requested = request_plan(store, MONDAY, _origin(), persons=("ada",), rules=PlanRules())
    _await(store, requested.position, PlanGenerated, PlanRejected)
    whole = time.perf_counter() - began
    (asked,) = store.read(requested.position - 1, limit=1, until=requested.position)
    began = time.perf_counter()
    list(GeneratePlan().handle(asked, store))
    solving = time.perf_counter() - began
    print(f"{file.name}: {whole:.2f} s, of which planning by itself takes {solving:.2f} s", file=sys.stderr)
    return whole, solving


def _await(store: EventStore, after: int, *types: type[Event]) -> None:
    end = time.monotonic() + PATIENCE
    for batch in store.follow(after, types):
        if batch:
            return
        if time.monotonic() > end:
            raise TimeoutError


def _origin() -> Origin:
    return Origin("home", "bench")
