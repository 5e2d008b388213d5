"""Followers as processes of their own: several of them fold each event once, and consumers react beside them."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from threading import Event as Signal
from threading import Semaphore

import pytest
from pydantic import SecretStr

from meal_assets.clients.outside import Outside
from meal_assets.commands.flags import pause
from meal_assets.commands.recipes import request_recipes
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.notification_request import NotificationRequested
from meal_assets.contracts.recipe import RecipesFetched
from meal_assets.contracts.system import DeadLettered
from meal_assets.event_store import EventStore, Origin
from meal_assets.event_store.checkpoints import take_unreported
from meal_assets.read_models import READ_MODELS, ReadModel, wait_until
from meal_assets.read_models.weight_trend import WeightTrend
from meal_assets.subscriptions import SUBSCRIBERS, Seen, flag_of, follow, following, standings
from tests.event_store.material import PATIENCE

ONE_RECIPE = b'{"title": "Soup", "ingredients": ["1 leek"]}\n'
EVENTS = 60


def weigh(store: EventStore, n: int) -> int:
    said = WeightRecorded.model_validate({"person": "ada", "day": "2026-11-23", "weight_kg": 60 + n / 1000})
    return store.append(said.stream_in("home"), [said], origin=Origin("home", "test")).last


def current(store: EventStore, model: type[WeightTrend] = WeightTrend) -> bool:
    return not next(s for s in standings(store) if s.subscriber is model).behind


def broken(*_: object) -> None:
    raise ZeroDivisionError("here")


def looks(store: EventStore, *, consumers: Outside | None = None) -> Iterator[Seen]:
    """What a follower sees, for as long as anybody may have patience."""
    with closing(follow(store, consumers=consumers)) as follower:
        for _, seen in zip(range(int(PATIENCE * 100)), follower, strict=False):
            yield seen
    pytest.fail("it never came true")


@pytest.fixture(autouse=True)
def short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.01)


def test_what_comes_while_it_follows_is_folded_and_counted(store: EventStore) -> None:
    weigh(store, 0)
    folded = Counter[str]()
    for n, seen in enumerate(looks(store), 1):
        folded += Counter(seen.folded)
        if n < 4:
            weigh(store, n)
        elif folded["weight_trend"] == 4:
            break
    assert current(store)


def test_two_followers_at_once_fold_each_event_once(store: EventStore) -> None:
    over, ready = Signal(), Semaphore(0)

    def run() -> int:
        mine = 0
        with closing(follow(store)) as follower:
            for n, seen in enumerate(follower):
                assert seen.failures == {}
                mine += seen.folded.get("weight_trend", 0)
                if n == 0:
                    ready.release()
                if over.is_set():
                    break
        return mine

    with ThreadPoolExecutor() as pool:
        followers = [pool.submit(run) for _ in range(2)]
        assert ready.acquire(timeout=PATIENCE)
        assert ready.acquire(timeout=PATIENCE)
        for n in range(EVENTS):
            weigh(store, n)
        wait_until(store, WeightTrend, store.head(), PATIENCE)
        over.set()
        shares = [f.result(PATIENCE) for f in followers]
    with store.database.transaction() as db:
        done = [d for d in take_unreported(db) if d.subscriber == "weight_trend" and d.types]
    assert sum(sum(d.types.values()) for d in done) == EVENTS
    assert sum(shares) <= EVENTS
    assert all(one.to <= next_one.after for one, next_one in pairwise(done)), "no stretch is folded twice"


def test_consumers_react_only_where_that_is_asked_for(
    store: EventStore, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(SUBSCRIBERS, "compute_nutrition")  # it loads a parser for seconds
    request_recipes(store, "one.jsonl", ONE_RECIPE, origin)
    for seen in looks(store):
        assert seen.consumed == {}
        if not any(s.due for s in standings(store) if s.subscriber.name in ("command_status", "recipe_catalogue")):
            break
    assert store.read(types=[RecipesFetched]) == []
    consumed = Counter[str]()
    for seen in looks(store, consumers=Outside()):
        consumed += Counter({name: done.handled for name, done in seen.consumed.items()})
        if not any(s.due for s in standings(store)):
            break
    assert consumed["fetch_recipes"] == 1
    assert len(store.read(types=[RecipesFetched])) == 1


def test_a_paused_read_model_rests(store: EventStore, origin: Origin) -> None:
    pause(store, flag_of(WeightTrend), origin)
    weigh(store, 0)
    for seen in looks(store):
        assert "weight_trend" not in seen.folded
        if not any(s.due for s in standings(store) if s.subscriber.name in READ_MODELS):
            break
    assert not current(store)


def test_consumers_know_whom_they_were_told_outside(store: EventStore) -> None:
    wanted = NotificationRequested.model_validate(NotificationRequested.examples[0])
    store.append(wanted.stream_in("home"), [wanted], origin=Origin("home", "test"))
    nowhere = Outside(notify_urls={wanted.person: SecretStr("nowhere://")})
    for _ in looks(store, consumers=nowhere):
        if letters := store.read(types=[DeadLettered]):
            assert "nowhere address" in str(letters[0].event)
            break


def test_a_read_model_that_fails_is_told_and_the_others_follow(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WeightTrend, "fold", broken)
    weigh(store, 0)
    failures = dict[str, str]()
    for seen in looks(store):
        failures |= {name: str(error) for name, error in seen.failures.items()}
        due = [s.subscriber for s in standings(store) if s.due and issubclass(s.subscriber, ReadModel)]
        if failures and due == [WeightTrend]:
            break
    assert failures == {"weight_trend": "here"}
