"""A person is forgotten: what they wrote is found nowhere any more, and all else stands."""

import re
import subprocess
from pathlib import Path

import psycopg
import pytest

from meal_assets.event_store import Database, EventStore
from meal_assets.event_store.embedded import embedded_server
from meal_assets.platform.shown import metadata_of
from meal_assets.read_models import READ_MODELS
from meal_assets.settings import Settings

from .conftest import Meals

pytestmark = pytest.mark.slow
NAME, FOOD, NEVER = "Aurelia Quintessa", "Zwieback of the blue monastery", "wolpertinger"
SECRETS = [NAME, FOOD, NEVER]
NUTRITION = ("--kcal", "310", "--protein", "9", "--carbs", "58", "--fat", "4")


def whole_database(settings: Settings) -> str:
    """All schemas, Dagster's too, as a backup holds them."""
    programs = Path(str(embedded_server().__file__)).parent.glob("pginstall*/bin/pg_dump")
    with Database.open(settings) as database:
        dumped = subprocess.run([max(programs), database.url], check=True, capture_output=True, timeout=120)
    text = dumped.stdout.decode()
    assert "log.events" in text
    return text


def found_in(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret.lower() in text.lower()]


def run(meals: Meals, *arguments: str) -> str:
    done = meals(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def exports(meals: Meals, folder: Path) -> str:
    """What an export says in each format; Parquet by importing it elsewhere is the same lines."""
    folder.mkdir()
    for suffix in ("jsonl", "parquet"):
        run(meals, "events", "export", str(folder / f"log.{suffix}"))
    import pyarrow.parquet as pq

    table = pq.read_table(folder / "log.parquet")
    assert table.num_rows == len((folder / "log.jsonl").read_text().splitlines())
    return (folder / "log.jsonl").read_text() + str(table.to_pylist())


def test_of_a_forgotten_person_nothing_they_wrote_is_found_and_all_else_stands(
    meals: Meals, settings: Settings, tmp_path: Path
) -> None:
    recipe = tmp_path / "mine.jsonl"
    recipe.write_text(f'{{"title": "Roast {NEVER}", "ingredients": ["1 egg"], "servings": 2}}\n')
    shown = run(meals, "profile", "ada", "--name", NAME, "--weight", "64", "--never", NEVER)
    assert found_in(shown) == [NAME, NEVER]
    run(meals, "profile", "ben", "--name", "Ben", "--weight", "82")
    for day in ("2026-11-23", "2026-11-24"):
        run(meals, "log", "ada", "snack", "--food", FOOD, *NUTRITION, "--day", day, "--close")
    run(meals, "log", "ben", "snack", "--food", "Apple", *NUTRITION, "--day", "2026-11-23")
    run(meals, "weigh", "ada", "64", "--day", "2026-11-23")
    assert (settings.home / "key").stat().st_mode & 0o777 == 0o600
    assert found_in(run(meals, "events")) == SECRETS
    assert FOOD in run(meals, "as-of", "9999", "food_log")
    assert FOOD[:9] in run(meals, "audit", "food_log", "ada", "2026-11-23")
    assert found_in(exports(meals, tmp_path / "before")) == SECRETS
    assert found_in(whole_database(settings)) == [], "rows and log hold nothing but what is encrypted"

    asked = meals("person", "forget", "ada")
    assert asked.returncode != 0, "nobody answered"
    assert "the key to their name" in asked.stdout
    assert FOOD in run(meals, "as-of", "9999", "food_log")
    run(meals, "person", "forget", "ada", "--yes")

    assert found_in(whole_database(settings)) == []
    left = run(meals, "events")
    assert (found_in(left), "(forgotten)" in left) == ([], True)
    after = exports(meals, tmp_path / "after")
    assert (found_in(after), "(forgotten)" in after) == ([], True)
    assert "The chain is whole" in run(meals, "events", "verify")
    targets = run(meals, "goals")
    assert "Ben" in targets
    assert not re.search(r"\bada\b", targets)
    with Database.open(settings) as database, database.transaction() as db:
        for model in READ_MODELS.values():
            for table in model.of_persons:
                assert db.execute(f"SELECT FROM read.{table} WHERE person = 'ada'").rowcount == 0
        assert db.execute("SELECT FROM read.food_log WHERE person = 'ben'").rowcount == 1
        kept_by_dagster = str(metadata_of(db, READ_MODELS["food_log"], None))
        assert "(personal)" in kept_by_dagster
        assert "Apple" not in kept_by_dagster
    for name in ("food_log", "daily_nutrition", "targets", "weight_trend"):
        assert "were not what the log says" not in run(meals, "rebuild", name)
    assert "nothing is known of nobody" in meals("person", "forget", "nobody", "--yes").stderr

    run(meals, "profile", "ada", "--name", "A new name", "--weight", "60")
    assert "A new name" in run(meals, "goals"), "a person may begin anew"
    assert found_in(run(meals, "events")) == []


def test_an_export_is_restored_with_its_keys_and_says_what_is_missing_without(
    meals: Meals, settings: Settings, tmp_path: Path
) -> None:
    run(meals, "log", "ada", "snack", "--food", FOOD, *NUTRITION, "--day", "2026-11-23")
    run(meals, "events", "export", str(tmp_path / "log.jsonl"))
    with Database.open(settings) as database:
        stored = [r.event for r in EventStore(database).read()]
        with psycopg.connect(database.url, autocommit=True) as owner:
            here = owner.info.dbname
            owner.execute(f"CREATE DATABASE {here}_restored")
    elsewhere = {"MEALS_DATABASE_URL": database.url.replace(f"/{here}?", f"/{here}_restored?", 1)}
    wrong = meals("events", "import", str(tmp_path / "log.jsonl"), other=elsewhere | {"MEALS_KEY": "0f" * 32})
    assert "is not the one that texts of persons are encrypted with" in wrong.stderr
    right = meals("events", "import", str(tmp_path / "log.jsonl"), other=elsewhere)
    assert "restored as they were" in right.stdout, right.stderr
    with Database.open(Settings(home=settings.home, database_url=elsewhere["MEALS_DATABASE_URL"])) as database:
        assert [r.event for r in EventStore(database).read()][: len(stored)] == stored
        assert EventStore(database).first_broken_link() is None
