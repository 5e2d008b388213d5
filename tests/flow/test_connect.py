"""`meals connect fatsecret` at a terminal: the page's address comes out, the code goes in."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from meal_assets.clients.fatsecret_answers import NAME, day_number
from meal_assets.event_store import Database
from meal_assets.event_store.connections import Connections
from meal_assets.fakes.fatsecret import FakeFatSecret, a_food, verifier_of
from meal_assets.settings import Settings
from tests.processes import PROJECT

from .conftest import environment

DAY = date(2026, 11, 23)
OATS = {"calories": 379.0, "carbohydrate": 67.7, "protein": 13.2, "fat": 6.5}


@pytest.fixture
def fake() -> Iterator[FakeFatSecret]:
    with FakeFatSecret() as fake:
        yield fake


def meals(settings: Settings, fake: FakeFatSecret, *arguments: str) -> "subprocess.Popen[str]":
    known = {
        "MEALS_DATABASE_URL": settings.database_url or "",
        "MEALS_FATSECRET_URL": fake.url,
        "MEALS_FATSECRET_KEY": fake.service.key,
        "MEALS_FATSECRET_SECRET": fake.service.secret,
    }
    command = [sys.executable, "-m", "meal_assets.cli", *arguments]
    pipe = subprocess.PIPE
    given = environment(settings.home) | known
    return subprocess.Popen(command, cwd=PROJECT, env=given, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def test_a_person_connects_at_the_terminal_and_lets_go_again(settings: Settings, fake: FakeFatSecret) -> None:
    with meals(settings, fake, "connect", "fatsecret", "ada") as connecting:
        assert connecting.stdout is not None
        page = next(line for line in connecting.stdout if "oauth_token=" in line).strip()
        assert page.startswith(f"{fake.url}/oauth/authorize?")
        out, err = connecting.communicate(f"wrong\n{verifier_of(page.partition('oauth_token=')[2])}\n")
    assert connecting.returncode == 0, err
    assert "the code was not accepted" in out
    assert "ada is connected to the FatSecret account with goal 60 kg, height 168 cm" in out
    ((token, account),) = fake.service.accounts.items()
    assert not {token, account.secret, fake.service.secret} & {*out.split(), *err.split()}
    told = []
    for arguments in (["connect"], ["disconnect", "fatsecret", "ada"], ["connect"]):
        with meals(settings, fake, *arguments) as command:
            told.append(command.communicate()[0])
    begins = ("ada: fatsecret, since", "ada is not connected", "Nobody is connected")
    assert [text[: len(begin)] for text, begin in zip(told, begins, strict=True)] == [*begins]


def test_a_diary_is_read_from_the_command_line_and_shown(settings: Settings, fake: FakeFatSecret) -> None:
    fake.service.foods = {"33691": a_food("33691", "Rolled oats", OATS)}
    token, secret = fake.service.connect()
    with Database.open(settings) as database:
        Connections(database, settings.household, NAME).keep("ada", (token, secret))
    for n in range(3):
        fake.service.eat(token, day_number(DAY) - n, "33691", 100)
    asked = ("sync", "fatsecret", "--from", str(DAY - timedelta(days=9)), "--to", str(DAY))
    for told in ("10 days read, 3 of them new or changed.", "10 days read, 0 of them new or changed."):
        with meals(settings, fake, *asked) as command:
            out, err = command.communicate()
        assert told in out, err
    with meals(settings, fake, "day", "ada", "--day", str(DAY)) as command:
        assert command.communicate()[0].count("379") == 3
    fake.service.accounts.clear()
    with meals(settings, fake, *asked) as command:
        out, err = command.communicate()
    assert command.returncode == 1
    assert "`meals connect fatsecret ada` makes a new one" in err
    assert token not in out + err
