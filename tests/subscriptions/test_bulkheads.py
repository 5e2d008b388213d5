"""One remote hangs, one is down, one consumer is paused and one read model stands still: nobody else is behind."""

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
import stamina
from pydantic import SecretStr

from meal_assets.clients.attempts import ATTEMPTS
from meal_assets.clients.outside import Outside
from meal_assets.commands.flags import pause
from meal_assets.commands.recipes import request_recipes
from meal_assets.consumers.announce import Announce
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.diary import DayClosed, MealLogged
from meal_assets.contracts.notification_request import NotificationRequested
from meal_assets.contracts.plan import PlanGenerated
from meal_assets.contracts.recipe import RecipesFetched
from meal_assets.contracts.recipe_request import RecipeSyncRequested
from meal_assets.event_store import EventStore, Origin, folds
from meal_assets.fakes.tandoor import FakeTandoor
from meal_assets.subscriptions import SUBSCRIBERS, Seen, flag_of, fold_all, follow, following, standings
from tests.event_store.material import PATIENCE
from tests.read_models.said import append, like
from tests.subscriptions.test_folding import ONE_RECIPE, locked

HELD_UP = {"deliver", "sync_tandoor", "announce", "weight_trend"}


@pytest.fixture(autouse=True)
def short_looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(folds, "BOUNDED", ("1min", "1min"))
    monkeypatch.delitem(SUBSCRIBERS, "compute_nutrition")  # it loads a parser for seconds
    with stamina.set_testing(True, attempts=ATTEMPTS, cap=True):
        yield


@pytest.fixture
def dumb() -> Iterator[socket.socket]:
    """A mail server that takes a call and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        yield server


def until_current(store: EventStore, follower: Iterator[Seen], but: set[str]) -> None:
    """Follow until nobody is behind but these."""
    for _, _ in zip(range(int(PATIENCE * 100)), follower, strict=False):
        if behind(store) <= but:
            return
    pytest.fail(f"{behind(store) - but} never came to the head")


def behind(store: EventStore) -> set[str]:
    return {s.subscriber.name for s in standings(store) if s.lag or s.lag_seconds}


@pytest.mark.slow
def test_nobody_is_behind_but_those_who_are_held_up(store: EventStore, origin: Origin, dumb: socket.socket) -> None:
    address = f"mailto://127.0.0.1:{dumb.getsockname()[1]}?from=meals@example.org&to=ada@example.org&mode=insecure"
    append(store, like(WeightRecorded))
    assert fold_all(store) == []
    pause(store, flag_of(Announce), origin)
    with FakeTandoor() as tandoor, locked(store, "LOCK TABLE read.weight_trend IN ACCESS EXCLUSIVE MODE"):
        tandoor.faults.down = True
        outside = Outside(tandoor.url, SecretStr(tandoor.space.token), {"ada": SecretStr(address)})
        append(store, like(NotificationRequested), like(RecipeSyncRequested), like(PlanGenerated), like(WeightRecorded))
        with closing(follow(store, consumers=outside)) as follower:
            next(follower)
            call, _ = dumb.accept()  # deliver waits for a word, from here on
            with call:
                for entry in "abc":
                    append(store, like(MealLogged, entry=entry), like(DayClosed))
                    request_recipes(store, "one.jsonl", ONE_RECIPE.replace(b"Soup", entry.encode()), origin)
                    until_current(store, follower, HELD_UP)
                assert behind(store) == HELD_UP
                assert len(store.read(types=(RecipesFetched,))) == 3
                assert tandoor.asked
