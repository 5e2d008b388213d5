"""A household's journey on the command line alone, over real files, without Dagster running."""

import csv
import gzip
import json
from collections import defaultdict
from pathlib import Path

import pytest

from meal_assets.event_store import Database, EventStore
from meal_assets.settings import Settings
from tests.shared_data import shared_data

from .conftest import Meals

pytestmark = pytest.mark.slow


def head(meals: Meals) -> int:
    """The newest position, as `meals events` shows it."""
    lines = meals("events", "--limit", "1").stdout.split()
    return int(lines[0]) if lines else 0


def test_every_real_recipe_comes_in_or_is_reported_once_and_makes_weeks_that_keep_every_tolerance(
    meals: Meals, settings: Settings
) -> None:
    file = shared_data("recipes-real.jsonl.gz")
    done = meals("import", "recipes", str(file))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("277 read: ")
    new, unchanged, left_out = [int(word) for word in done.stdout.split("\n")[0].split() if word.isdigit()][1:]
    assert new + unchanged + left_out == 277
    before = head(meals)
    again = meals("import", "recipes", str(file))
    assert "nothing new" in again.stdout
    assert head(meals) == before

    meals("goals", "ada", "--kcal", "1500", "--protein", "400", "--carbs", "10", "--fat", "10")
    shown = meals("plan", "2026-11-23").stdout
    assert "These rules cannot hold together" in shown
    assert "protein of ada" in shown

    meals("goals", "ada", "--kcal", "2000", "--protein", "130", "--carbs", "210", "--fat", "70")
    meals("goals", "cyd", "--kcal", "1600", "--protein", "110", "--carbs", "150", "--fat", "60")
    plans = []
    for _ in range(2):
        done = meals("plan", "2026-11-23")
        assert done.returncode == 0, done.stderr
        with Database.open(settings) as database:
            said = EventStore(database).read_stream("home/plan/2026-11-23")[-1].event
        plans.append(json.loads(said.model_dump_json(exclude={"library_position"})))
    assert plans[0] == plans[1]
    assert len(plans[0]["days"]) == 14
    for day in plans[0]["days"]:
        for name, percent in (("kcal", 5), ("protein_g", 10), ("carbs_g", 10), ("fat_g", 10)):
            assert day["planned"][name] == pytest.approx(day["target"][name], rel=percent / 100)


def test_a_bad_line_is_reported_and_the_rest_goes_in(meals: Meals, tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text('{"title": "Soup", "ingredients": ["1 leek"]}\nnot json\n{"ingredients": ["1 egg"]}\n')
    shown = meals("import", "recipes", str(file)).stdout
    assert shown.startswith("3 read: 1 new or changed, 0 unchanged, 2 left out")
    assert "line 2" in shown
    assert "line 3" in shown


def test_every_day_of_a_real_diary_adds_up_also_after_a_rebuild(meals: Meals, settings: Settings) -> None:
    file = shared_data("food-diary.csv.gz")
    wanted: defaultdict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0] * 4)
    with gzip.open(file, "rt") as rows:
        for row in csv.DictReader(rows):
            for n, name in enumerate(("kcal", "protein_g", "carbs_g", "fat_g")):
                wanted[row["person"], row["date"]][n] += float(row[name])
    assert "916 read, 954 events appended, 0 rows left out" in meals("import", "diary", str(file)).stdout
    for command in (("status",), ("rebuild", "daily_nutrition")):
        assert meals(*command).returncode == 0
        with Database.open(settings) as database, database.transaction() as db:
            found = {
                (person, day): [float(v) for v in macros]
                for person, day, *macros in db.execute(
                    "SELECT person, day::text, kcal, protein_g, carbs_g, fat_g FROM read.daily_nutrition"
                )
            }
        assert found.keys() == wanted.keys()
        for key, macros in found.items():
            assert macros == pytest.approx(wanted[key], abs=0.01)
    assert "0 events appended" in meals("import", "diary", str(file)).stdout


def test_the_made_up_household_can_log_shop_cook_weigh_and_correct_itself(meals: Meals, tmp_path: Path) -> None:
    shown = meals("demo").stdout
    assert "Week of" in shown
    assert "on track" in shown
    assert "off track" in shown
    logged = meals("log", "ada", "dinner").stdout
    entry = logged.split("(entry ")[1].split(")")[0]
    assert "1" in logged
    assert meals("log", "ada", "--undo", entry).returncode == 0
    apple = ("--food", "Apple", "--kcal", "78", "--protein", "0.4", "--carbs", "21", "--fat", "0.3")
    assert "78 kcal" in meals("log", "ada", "snack", *apple).stdout
    assert "on track" in meals("log", "ada", "--close").stdout or "off track" in meals("day", "ada").stdout
    item = meals("shopping").stdout
    assert "eggs" in item
    assert "✓" in meals("shopping", "--tick", "eggs").stdout
    assert "salmon" in meals("pantry", "add", "salmon", "400", "g", "--expires", "2030-01-01", "--frozen").stdout
    assert "150 g" in meals("pantry", "use", "salmon", "250", "g").stdout
    assert "frozen" in meals("pantry", "list").stdout
    file = tmp_path / "week.ics"
    assert "dinner" in meals("prep", "--ics", str(file)).stdout
    assert file.read_bytes().count(b"BEGIN:VEVENT") > 28
    assert "trend" in meals("weigh", "ada", "61.8").stdout
    assert "No open dead letters" in meals("dead-letters").stdout


def test_a_mistake_is_told_in_one_line_that_says_what_to_do(meals: Meals) -> None:
    for command, hint in (
        (("plan",), "meals profile"),
        (("log", "ada", "dinner"), "--food"),
        (("log", "ada"), "--close"),
        (("profile", "ada"), "--weight"),
        (("goals", "ada", "--kcal", "2000"), "--protein"),
        (("rebuild", "nonsense"), "daily_nutrition"),
        (("shopping", "--tick", "gold"), "gold"),
        (("pantry", "use", "gold"), "meals pantry list"),
    ):
        done = meals(*command)
        assert done.returncode == 1, command
        assert hint in done.stderr, done.stderr
        assert "Traceback" not in done.stderr
