"""What each person ate each day: the sums of the diary, after corrections, whatever the order of folding."""

import csv
import gzip
import io
from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest

from meal_assets.commands.diary import correct_meal, log_meals, observe_day, retract_meal
from meal_assets.contracts.diary import DiaryDayObserved, MealLogged
from meal_assets.contracts.values import Nutrients
from meal_assets.event_store import EventStore, Origin
from meal_assets.imports.diary import import_diary
from meal_assets.read_models import catch_up, rebuild
from meal_assets.read_models.daily_nutrition import DailyNutrition, days_eaten
from tests.shared_data import shared_data

from .conftest import forget, rows_of
from .said import like

DAY = date(2026, 11, 23)
HOME = Origin("home", "test")
MACROS = ("kcal", "protein_g", "carbs_g", "fat_g")


def no_progress(done: int, of: int) -> None:
    """Nobody watches."""


def assert_sums_of_the_file(store: EventStore, content: bytes) -> None:
    wanted: defaultdict[tuple[str, str], defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for row in csv.DictReader(io.StringIO(content.decode())):
        day = wanted[row["person"], row["date"]]
        day["entries"] += 1
        for name in (*MACROS, "fiber_g", "sugar_g", "sodium_mg"):
            day[name] += float(row[name] or 0)
            day[f"{name}_known"] += row[name] != ""
    with store.database.transaction() as db:
        cursor = db.execute("SELECT * FROM read.daily_nutrition WHERE household = 'home'")
        names = [c.name for c in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor]
    assert len(rows) == len(wanted) > 30
    for row in rows:
        for name, value in wanted[row["person"], str(row["day"])].items():
            if name in row:
                assert float(row[name]) == pytest.approx(value, abs=0.01), (row["person"], row["day"], name)


def test_every_day_of_the_real_diaries_is_the_sum_of_its_entries_however_it_is_folded(quick_store: EventStore) -> None:
    content = gzip.decompress(shared_data("food-diary.csv.gz").read_bytes())
    assert import_diary(quick_store, content, HOME, no_progress).bad == []
    catch_up(DailyNutrition(), quick_store)
    assert_sums_of_the_file(quick_store, content)
    at_once = rows_of(quick_store, DailyNutrition())
    rebuild(DailyNutrition(), quick_store)
    assert rows_of(quick_store, DailyNutrition()) == at_once
    forget(quick_store, DailyNutrition())
    catch_up(DailyNutrition(), quick_store, batch=1)
    assert rows_of(quick_store, DailyNutrition()) == at_once


def meal(entry: str, **nutrition: float) -> MealLogged:
    return like(MealLogged, entry=entry, nutrition={"kcal": 100, "protein_g": 5, "carbs_g": 10, "fat_g": 4} | nutrition)


def fibre(store: EventStore) -> tuple[object, ...] | None:
    catch_up(DailyNutrition(), store)
    with store.database.transaction() as db:
        return db.execute("SELECT entries, fiber_g, fiber_g_known FROM read.daily_nutrition").fetchone()


def test_entries_that_do_not_know_their_fibre_are_told_from_those_that_have_none(store: EventStore) -> None:
    log_meals(store, "ada", DAY, [meal("a", fiber_g=3), meal("b", fiber_g=0), meal("c")], HOME)
    assert fibre(store) == (3, 3, 2)


def test_a_correction_that_learns_or_forgets_a_nutrient_is_counted(store: EventStore) -> None:
    log_meals(store, "ada", DAY, [meal("a", fiber_g=3), meal("b")], HOME)
    correct_meal(store, "ada", DAY, "b", Nutrients(kcal=1, protein_g=1, carbs_g=1, fat_g=0, fiber_g=0.5), HOME)
    assert fibre(store) == (2, 3.5, 2)
    correct_meal(store, "ada", DAY, "a", Nutrients(kcal=1, protein_g=1, carbs_g=1, fat_g=0), HOME)
    assert fibre(store) == (2, 0.5, 1)


def test_a_correction_replaces_what_the_entry_counted_for(store: EventStore) -> None:
    log_meals(store, "ada", DAY, [meal("a"), meal("b")], HOME)
    catch_up(DailyNutrition(), store)
    correct_meal(store, "ada", DAY, "a", Nutrients(kcal=250, protein_g=15, carbs_g=20, fat_g=9), HOME)
    catch_up(DailyNutrition(), store)
    with store.database.transaction() as db:
        (day,) = days_eaten(db, "home", DAY, DAY)
    assert (day.entries, day.eaten) == (2, pytest.approx((350, 20, 30, 13)))


def test_a_day_whose_entries_are_all_retracted_is_gone(store: EventStore) -> None:
    log_meals(store, "ada", DAY, [meal("a"), meal("b")], HOME)
    retract_meal(store, "ada", DAY, "a", HOME)
    catch_up(DailyNutrition(), store)
    with store.database.transaction() as db:
        assert [d.entries for d in days_eaten(db, "home", DAY, DAY)] == [1]
    retract_meal(store, "ada", DAY, "b", HOME)
    catch_up(DailyNutrition(), store)
    with store.database.transaction() as db:
        assert days_eaten(db, "home", DAY, DAY) == []


def test_days_are_of_one_household_and_of_the_person_asked_for(store: EventStore) -> None:
    log_meals(store, "ada", DAY, [meal("a")], HOME)
    log_meals(store, "ada", DAY, [meal("a")], Origin("next-door", "test"))
    log_meals(store, "ben", DAY, [meal("a").model_copy(update={"person": "ben"})], HOME)
    catch_up(DailyNutrition(), store)
    with store.database.transaction() as db:
        assert [d.person for d in days_eaten(db, "home", DAY, DAY)] == ["ada", "ben"]
        assert [d.person for d in days_eaten(db, "home", DAY, DAY, person="ben")] == ["ben"]
        assert days_eaten(db, "home", date(2026, 11, 24), date(2026, 11, 30)) == []


def test_a_diary_elsewhere_counts_for_what_it_says_last_beside_what_is_logged_here(store: EventStore) -> None:
    breakfast, snack = like(DiaryDayObserved).meals
    log_meals(store, "ada", DAY, [meal("a", fiber_g=3)], HOME)
    observe_day(store, "ada", DAY, [breakfast, snack], HOME)
    assert fibre(store) == (3, Decimal("8.1"), 3)
    observe_day(store, "ada", DAY, [snack], HOME)
    catch_up(DailyNutrition(), store)
    with store.database.transaction() as db:
        (day,) = days_eaten(db, "home", DAY, DAY)
    assert (day.entries, day.eaten) == (2, pytest.approx((290, 12, 34, 11)))
    observe_day(store, "ada", DAY, [], HOME)
    assert fibre(store) == (1, 3, 1)
