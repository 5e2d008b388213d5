"""Every entry as it stands."""

from datetime import date

from meal_assets.commands.diary import correct_meal, log_meals, observe_day, retract_meal
from meal_assets.contracts.diary import DiaryDayObserved, MealLogged
from meal_assets.contracts.values import Nutrients
from meal_assets.event_store import EventStore, Origin
from meal_assets.read_models import catch_up
from meal_assets.read_models.food_log import FoodLog

from .said import like

DAY = date(2026, 11, 23)
HOME = Origin("home", "test")


def entries(store: EventStore) -> list[tuple[object, ...]]:
    catch_up(FoodLog(), store)
    with store.database.transaction() as db:
        query = "SELECT entry, meal, food, kcal::float, nutrition ? 'fiber_g' FROM read.food_log ORDER BY entry"
        return store.opened(db.execute(query).fetchall())


def test_the_last_of_several_corrections_holds_also_when_they_come_at_once(store: EventStore) -> None:
    log_meals(store, "ada", DAY, [like(MealLogged, entry="a"), like(MealLogged, entry="b")], HOME)
    for kcal in (500, 470):
        correct_meal(store, "ada", DAY, "a", Nutrients(kcal=kcal, protein_g=30, carbs_g=60, fat_g=7, fiber_g=2), HOME)
    assert entries(store) == [
        ("a", "dinner", "Lentil soup", 470.0, True),
        ("b", "dinner", "Lentil soup", 450.0, False),
    ]


def test_a_retracted_entry_is_gone_and_the_others_stay(store: EventStore) -> None:
    log_meals(store, "ada", DAY, [like(MealLogged, entry="a"), like(MealLogged, entry="b")], HOME)
    entries(store)
    retract_meal(store, "ada", DAY, "a", HOME)
    assert [entry for entry, *_ in entries(store)] == ["b"]


def test_the_same_entry_id_of_two_persons_is_two_entries(store: EventStore) -> None:
    for person in ("ada", "ben"):
        log_meals(store, person, DAY, [like(MealLogged, entry="a", person=person)], HOME)
    retract_meal(store, "ben", DAY, "a", HOME)
    assert len(entries(store)) == 1


def test_a_diary_elsewhere_is_there_meal_by_meal_as_it_was_told_last(store: EventStore) -> None:
    breakfast, snack = like(DiaryDayObserved).meals
    log_meals(store, "ada", DAY, [like(MealLogged, entry="breakfast")], HOME)
    observe_day(store, "ada", DAY, [breakfast, snack], HOME)
    told = ("breakfast", "breakfast", "told to FatSecret", 190.0, True)
    assert told in entries(store)
    assert len(entries(store)) == 3
    correct_meal(store, "ada", DAY, "breakfast", Nutrients(kcal=470, protein_g=30, carbs_g=60, fat_g=7), HOME)
    observe_day(store, "ada", DAY, [breakfast], HOME)
    assert sorted(entries(store)) == sorted([told, ("breakfast", "dinner", "Lentil soup", 470.0, False)])
    retract_meal(store, "ada", DAY, "breakfast", HOME)
    assert entries(store) == [told]
    observe_day(store, "ada", DAY, [snack], HOME)
    observe_day(store, "ada", DAY, [], HOME)
    assert entries(store) == []
