"""`meals connect fatsecret` at a terminal: the page's address comes out, the code goes in."""

import subprocess
import sys
from datetime import date, timedelta

from meal_assets.clients.fatsecret_answers import NAME, day_number
from meal_assets.event_store import Database
from meal_assets.event_store.connections import Connections
from meal_assets.fakes.fatsecret import FakeFatSecret, verifier_of
from meal_assets.settings import Settings
from tests.processes import PROJECT
from tests.remotes import fatsecret

from .conftest import environment

__all__ = ["fatsecret"]

DAY = date(2026, 11, 23)


def meals(settings: Settings, fatsecret: FakeFatSecret, *arguments: str) -> "subprocess.Popen[str]":
    known = {
        "MEALS_DATABASE_URL": settings.database_url or "",
        "MEALS_FATSECRET_URL": fatsecret.url,
        "MEALS_FATSECRET_KEY": fatsecret.service.key,
        "MEALS_FATSECRET_SECRET": fatsecret.service.secret,
    }
    command = [sys.executable, "-m", "meal_assets.cli", *arguments]
    pipe = subprocess.PIPE
    given = environment(settings.home) | known
    return subprocess.Popen(command, cwd=PROJECT, env=given, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def test_a_person_connects_at_the_terminal_and_lets_go_again(settings: Settings, fatsecret: FakeFatSecret) -> None:
    with meals(settings, fatsecret, "connect", "fatsecret", "ada") as connecting:
        assert connecting.stdout is not None
        page = next(line for line in connecting.stdout if "oauth_token=" in line).strip()
        assert page.startswith(f"{fatsecret.url}/oauth/authorize?")
        out, err = connecting.communicate(f"wrong\n{verifier_of(page.partition('oauth_token=')[2])}\n")
    assert connecting.returncode == 0, err
    assert "the code was not accepted" in out
    assert "ada is connected to the FatSecret account with goal 60 kg, height 168 cm" in out
    ((token, account),) = fatsecret.service.accounts.items()
    assert not {token, account.secret, fatsecret.service.secret} & {*out.split(), *err.split()}
    told = []
    for arguments in (["connect"], ["disconnect", "fatsecret", "ada"], ["connect"]):
        with meals(settings, fatsecret, *arguments) as command:
            told.append(command.communicate()[0])
    begins = ("ada: fatsecret, since", "ada is not connected", "Nobody is connected")
    assert [text[: len(begin)] for text, begin in zip(told, begins, strict=True)] == [*begins]


def test_a_diary_is_read_from_the_command_line_and_shown(settings: Settings, fatsecret: FakeFatSecret) -> None:
    token, secret = fatsecret.service.connect()
    with Database.open(settings) as database:
        Connections(database, settings.household, NAME).keep("ada", (token, secret))
    for n in range(3):
        fatsecret.service.eat(token, day_number(DAY) - n, "33691", 100)
    asked = ("sync", "fatsecret", "--from", str(DAY - timedelta(days=9)), "--to", str(DAY))
    for told in ("10 days read, 3 of them new or changed.", "10 days read, 0 of them new or changed."):
        with meals(settings, fatsecret, *asked) as command:
            out, err = command.communicate()
        assert told in out, err
    with meals(settings, fatsecret, "day", "ada", "--day", str(DAY)) as command:
        assert command.communicate()[0].count("379") == 3
    fatsecret.service.accounts.clear()
    with meals(settings, fatsecret, *asked) as command:
        out, err = command.communicate()
    assert command.returncode == 1
    assert "`meals connect fatsecret ada` makes a new one" in err
    assert token not in out + err
