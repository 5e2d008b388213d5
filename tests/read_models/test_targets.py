"""What each person should eat, and where the figure comes from."""

from datetime import datetime
from zoneinfo import ZoneInfo

import psycopg
import pytest

from meal_assets.contracts import Event
from meal_assets.contracts.profile import GoalSet, PreferencesSet, ProfileSet
from meal_assets.event_store import Database, EventStore
from meal_assets.read_models import catch_up, rebuild
from meal_assets.read_models.targets import PersonTargets, Targets, household_targets

from .said import append, like


def stands(store: EventStore, *events: Event) -> list[PersonTargets]:
    append(store, *events)
    catch_up(Targets(), store)
    with store.database.transaction() as db:
        return store.opened(household_targets(db, "home"))


def test_a_profile_gives_the_formula_of_the_predecessor(store: EventStore) -> None:
    (ada,) = stands(store, like(ProfileSet))
    assert (ada.name, ada.source, ada.tolerance_pct) == ("Ada", "weight_formula", 10)
    assert ada.target is not None
    assert ada.target == pytest.approx(
        (64 / 0.45359237 * 18, 64 / 0.45359237, ada.target[2], 64 / 0.45359237 * 0.3), abs=0.01
    )


def test_a_goal_wins_over_the_formula_also_over_that_of_a_later_profile(store: EventStore) -> None:
    stands(store, like(ProfileSet), like(GoalSet))
    (ada,) = stands(store, like(ProfileSet, weight_kg=70))
    assert (ada.source, ada.target) == ("goal", (2000, 130, 210, 70))


def test_a_goal_without_a_profile_is_enough(store: EventStore) -> None:
    (ada,) = stands(store, like(GoalSet))
    assert (ada.name, ada.source, ada.tolerance_pct) == (None, "goal", 10)


def test_preferences_alone_are_remembered_until_there_is_a_target(store: EventStore) -> None:
    (ben,) = stands(store, like(PreferencesSet))
    assert (ben.person, ben.target) == ("ben", None)
    (ben,) = stands(store, like(GoalSet, person="ben"))
    assert ben.exclude == ("peanut", "shrimp")
    assert ben.target is not None


def test_an_age_does_not_depend_on_where_the_server_stands(store: EventStore) -> None:
    birthday = datetime.now(ZoneInfo("Pacific/Kiritimati")).date()
    append(store, like(ProfileSet, born=birthday.replace(year=birthday.year - 28), sex="female", height_cm=170))
    found = []
    for zone in ("Pacific/Kiritimati", "Etc/GMT+12"):  # 26 hours apart: never the same date
        with psycopg.connect(store.database.url, autocommit=True) as owner:
            owner.execute(f"ALTER DATABASE {owner.info.dbname} SET timezone TO '{zone}'")
        with Database(store.database.url) as database:
            rebuild(Targets(), EventStore(database))
            with database.transaction() as db:
                found += household_targets(db, "home")
    assert found[0] == found[1]


def test_the_last_preferences_hold(store: EventStore) -> None:
    (ben,) = stands(store, like(GoalSet, person="ben"), like(PreferencesSet), like(PreferencesSet, exclude=["egg"]))
    assert ben.exclude == ("egg",)
