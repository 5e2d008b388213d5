"""Services outside, made up, as tests call them. Import what is needed: a fixture works in the module that names it."""

import subprocess
from collections.abc import Iterator

import pytest
import stamina
from pydantic import SecretStr

from meal_assets.clients.attempts import ATTEMPTS
from meal_assets.clients.outside import Outside
from meal_assets.fakes.fatsecret import FakeFatSecret, a_food
from meal_assets.fakes.server import Asked, Reply
from meal_assets.fakes.tandoor import FakeTandoor

OATS = {"calories": 379.0, "carbohydrate": 67.7, "protein": 13.2, "fat": 6.5, "fiber": 10.1, "sodium": 6.0}
BUTTER = {"calories": 717.0, "carbohydrate": 0.1, "protein": 0.9, "fat": 81.1}


@pytest.fixture(autouse=True)
def no_pauses() -> Iterator[None]:
    """As many attempts as ever, one right after the other."""
    with stamina.set_testing(True, attempts=ATTEMPTS, cap=True):
        yield


@pytest.fixture
def fatsecret() -> Iterator[FakeFatSecret]:
    """One with three foods."""
    with FakeFatSecret() as made_up:
        made_up.service.foods = {
            "12": a_food("12", "Oats in butter", BUTTER),
            "33691": a_food("33691", "Rolled oats", OATS, cup=81.0),
            "4417": a_food("4417", "Apple", OATS),
        }
        yield made_up


@pytest.fixture
def outside(fatsecret: FakeFatSecret) -> Outside:
    """Who knows it."""
    return Outside(
        fatsecret_key=SecretStr(fatsecret.service.key),
        fatsecret_secret=SecretStr(fatsecret.service.secret),
        fatsecret_url=fatsecret.url,
        fatsecret_calls_a_second=1_000,
    )


class Deadly(FakeTandoor):
    """Kills the `victim` when it has done `dies_after` calls like `(method, path)`, whose answer then is lost."""

    victim: "subprocess.Popen[bytes] | None" = None
    call = ("", "")
    dies_after = 0

    def answer(self, asked: Asked) -> Reply:
        reply = super().answer(asked)
        self.dies_after -= (asked.method, asked.path) == self.call
        if self.dies_after == 0 and self.victim:
            self.victim.kill()
        return reply
