"""`meals token` and `meals doctor`."""

from pathlib import Path

import psycopg
import pytest

from meal_assets.event_store import Database, EventStore
from meal_assets.event_store.tokens import find_token
from meal_assets.read_models import catch_up
from meal_assets.read_models.targets import Targets
from tests.processes import run_meals


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    return {"MEALS_DATABASE_URL": database_url, "MEALS_HOME": str(tmp_path), "MEALS_KEY": "5e" * 32, "COLUMNS": "300"}


def test_a_token_is_shown_once_and_can_be_taken_back(environment: dict[str, str], database: Database) -> None:
    told = run_meals(("token", "create", "phone", "--person", "ada", "--days", "2"), environment).stdout
    secret = told.split()[0]
    token = find_token(database, secret)
    assert token is not None
    assert (token.scope, token.person, token.household, token.name) == ("write", "ada", "home", "phone")
    listed = run_meals(("token", "list"), environment).stdout
    assert token.id in listed
    assert secret not in listed
    assert run_meals(("token", "revoke", token.id), environment).returncode == 0
    after = find_token(database, secret)
    assert after is not None
    assert not after.stands
    assert run_meals(("token", "revoke", "none"), environment).returncode == 1


@pytest.mark.parametrize("asked", [("--scope", "all"), ("--days", "0"), ("--days", "9999")], ids=" ".join)
def test_a_token_that_is_none_is_not_made(environment: dict[str, str], asked: tuple[str, ...]) -> None:
    assert run_meals(("token", "create", "phone", *asked), environment).returncode != 0
    assert "No token" in run_meals(("token", "list"), environment).stdout


def test_the_doctor_finds_what_shows_a_household_too_much(
    environment: dict[str, str], store: EventStore, database_url: str
) -> None:
    catch_up(Targets(), store)
    well = run_meals(("doctor",), environment)
    assert (well.returncode, "each sees its own rows only" in well.stdout) == (0, True), well.stdout
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute("ALTER TABLE read.targets DISABLE ROW LEVEL SECURITY")
    ill = run_meals(("doctor",), environment)
    assert (ill.returncode, "read.targets" in ill.stdout) == (1, True)


def test_the_doctor_finds_a_database_that_is_not_there(environment: dict[str, str]) -> None:
    ill = run_meals(("doctor",), {**environment, "MEALS_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"})
    assert (ill.returncode, "MEALS_DATABASE_URL" in ill.stdout) == (1, True)
