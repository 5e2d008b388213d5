"""What each person spends, day by day, and the goal that was suggested to them last."""

from datetime import date, timedelta
from typing import Any

from meal_assets.contracts.expenditure import EnergyGoalSuggested, ExpenditureEstimated
from meal_assets.event_store import EventStore, Origin
from meal_assets.read_models import catch_up
from meal_assets.read_models.energy_balance import (
    PICTURED_DAYS,
    DayBalance,
    EnergyBalance,
    balances,
    newest_balance,
    suggested_goals,
)

from .said import append, like

DAY = date(2026, 11, 23)


def estimate(day: date = DAY, kcal: float = 2_236, **exchanged: Any) -> ExpenditureEstimated:
    figures = {"expenditure_kcal": kcal, "low_kcal": kcal - 195, "high_kcal": kcal + 195}
    return like(ExpenditureEstimated, day=day, **(figures | exchanged))


def shown(store: EventStore, person: str | None = None, days: int = 1) -> list[DayBalance]:
    catch_up(EnergyBalance(), store)
    with store.database.transaction() as db:
        return balances(db, "home", DAY - timedelta(days=days - 1), DAY, person)


def test_a_day_has_its_weight_intake_and_expenditure_with_the_interval(store: EventStore) -> None:
    append(store, estimate())
    assert shown(store) == [DayBalance("ada", DAY, 64.12, 2105, 2236, 2041, 2431)]


def test_a_later_estimate_of_the_day_replaces_the_first_also_when_its_diary_counts_no_more(store: EventStore) -> None:
    append(store, estimate(), estimate(kcal=2_000, intake_kcal=None))
    assert shown(store) == [DayBalance("ada", DAY, 64.12, None, 2000, 1805, 2195)]


def test_days_are_shown_by_person_and_of_one_household(store: EventStore) -> None:
    append(store, estimate(person="ben"), estimate(DAY - timedelta(days=1)), estimate(DAY - timedelta(days=2)))
    append(store, estimate(), origin=Origin("next-door", "test"))
    assert [(d.person, (DAY - d.day).days) for d in shown(store, days=2)] == [("ada", 1), ("ben", 0)]
    assert [d.person for d in shown(store, "ada", days=3)] == ["ada", "ada"]


def test_the_newest_is_of_the_newest_day_and_not_the_one_said_last(store: EventStore) -> None:
    append(store, estimate(kcal=2_300), estimate(DAY - timedelta(days=1)))
    catch_up(EnergyBalance(), store)
    with store.database.transaction() as db:
        newest = newest_balance(db, "home", "ada")
        assert newest is not None
        assert (newest.day, newest.kcal) == (DAY, 2_300)
        assert newest_balance(db, "home", "eve") is None


def test_the_last_suggestion_of_each_person_is_kept(store: EventStore) -> None:
    other = like(EnergyGoalSuggested, goal={"kcal": 1800, "protein_g": 130, "carbs_g": 181, "fat_g": 60}, bounds=[])
    append(store, like(EnergyGoalSuggested), like(EnergyGoalSuggested, person="ben"), other)
    catch_up(EnergyBalance(), store)
    with store.database.transaction() as db:
        ada, ben = suggested_goals(db, "home")
        assert suggested_goals(db, "home", "ben") == [ben]
    assert (ada.goal, ada.before, ada.bounds) == ((1800, 130, 181, 60), (2000, 130, 210, 70), ())
    assert (ben.goal[0], ben.bounds) == (2200, ("step",))


def test_its_picture_shows_twelve_weeks_with_the_interval(store: EventStore) -> None:
    catch_up(EnergyBalance(), store)
    with store.database.transaction() as db:
        assert EnergyBalance.picture(db) is None
    append(store, estimate(DAY - timedelta(days=PICTURED_DAYS), 9_000), estimate(DAY - timedelta(days=3)), estimate())
    catch_up(EnergyBalance(), store)
    with store.database.transaction() as db:
        svg = EnergyBalance.picture(db)
    assert svg is not None
    assert all(words in svg for words in ("Energy spent", "ada", "ada, at least", "ada, at most"))
    assert "9000" not in svg
