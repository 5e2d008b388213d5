"""`meals connect fatsecret` at a terminal: the page's address comes out, the code goes in."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from meal_assets.fakes.fatsecret import FakeFatSecret, verifier_of
from meal_assets.settings import Settings
from tests.processes import PROJECT

from .conftest import environment


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
