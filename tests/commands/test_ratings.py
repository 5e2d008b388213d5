"""Stars for a dish: who may give them, and what is new."""

import pytest

from meal_assets.commands.ratings import rate
from meal_assets.contracts.profile import GoalSet
from meal_assets.contracts.rating import RecipeRated
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Origin
from tests.read_models.said import append, like


@pytest.fixture
def kitchen(store: EventStore, origin: Origin) -> EventStore:
    append(store, like(GoalSet, person="ada"), like(RecipeFetched, recipe="lentil-soup"), origin=origin)
    return store


def test_the_same_stars_again_say_nothing_and_others_do(kitchen: EventStore, origin: Origin) -> None:
    assert [rate(kitchen, "lentil-soup", stars, origin).events for stars in (4, 4, 5, 4)] == [1, 0, 1, 1]
    said = [r.event for r in kitchen.read_stream(f"{origin.household}/rating/ada/lentil-soup")]
    assert said == [RecipeRated(person="ada", recipe="lentil-soup", stars=stars) for stars in (4, 5, 4)]


def test_a_recipe_is_rated_by_its_title_too(kitchen: EventStore, origin: Origin) -> None:
    rate(kitchen, "overnight oats with BLUEBERRIES", 3, origin)
    assert len(kitchen.read_stream(f"{origin.household}/rating/ada/lentil-soup")) == 1


def test_in_a_household_of_two_a_person_is_named(kitchen: EventStore, origin: Origin) -> None:
    append(kitchen, like(GoalSet, person="ben"), origin=origin)
    with pytest.raises(Invalid, match="--for ada or --for ben"):
        rate(kitchen, "lentil-soup", 4, origin)
    assert rate(kitchen, "lentil-soup", 4, origin, "ben").events == 1


def test_nobody_rates_what_or_as_whom_nobody_knows(kitchen: EventStore, origin: Origin) -> None:
    with pytest.raises(Invalid, match=r"is neither id nor title of a recipe$"):
        rate(kitchen, "tofu-bowl", 4, origin)
    with pytest.raises(Invalid, match="near it are lentil-soup"):
        rate(kitchen, "Overnight oats with bluebery", 4, origin)
    with pytest.raises(Invalid, match="eve has neither a profile nor a goal"):
        rate(kitchen, "lentil-soup", 4, origin, "eve")
