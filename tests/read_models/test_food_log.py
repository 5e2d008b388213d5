"""Every entry as it stands."""

from datetime import date

from meal_assets.commands.diary import correct_meal, log_meals, retract_meal
from meal_assets.contracts.diary import MealLogged
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
