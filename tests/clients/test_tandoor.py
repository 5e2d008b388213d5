"""The client against a Tandoor that behaves as the real one was seen to."""

import json
from collections.abc import Iterator

import pytest

from meal_assets.clients.tandoor import Tandoor
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.domain.recipes import read_recipe
from meal_assets.errors import RemoteFailed, RemoteRefused
from meal_assets.event_store import Database
from meal_assets.fakes.server import Faulty
from meal_assets.fakes.tandoor import FakeTandoor
from meal_assets.starter import library


def starters() -> list[RecipeFetched]:
    return [read_recipe(json.loads(line)).event for line in library().read_text().splitlines()]


@pytest.fixture
def fake() -> Iterator[FakeTandoor]:
    with FakeTandoor() as fake:
        for recipe in starters():
            fake.space.add(recipe)
        yield fake


@pytest.fixture
def tandoor(fake: FakeTandoor, database: Database) -> Iterator[Tandoor]:
    with Tandoor(fake.url, fake.space.token, database) as tandoor:
        yield tandoor


def test_the_list_is_walked_to_its_end_in_the_largest_pages(fake: FakeTandoor, tandoor: Tandoor) -> None:
    assert {o.id for o in tandoor.overviews()} == set(fake.space.recipes) == tandoor.ids()
    assert sum(path == "/api/recipe/" for _, path in fake.asked) == 2


def test_a_recipe_is_there_deleted_or_private(fake: FakeTandoor, tandoor: Tandoor) -> None:
    fake.space.remove(1)
    fake.space.private.add(2)
    assert tandoor.recipe(1) == "deleted"
    assert tandoor.recipe(2) == "private"
    there = tandoor.recipe(3)
    assert isinstance(there, dict)
    assert there["name"] == fake.space.recipes[3]["name"]


def test_a_token_that_is_not_accepted_never_makes_a_recipe_private(fake: FakeTandoor, database: Database) -> None:
    with Tandoor(fake.url, "tda_wrong", database) as stranger:
        for ask in (lambda: stranger.recipe(1), lambda: list(stranger.overviews()), stranger.ids):
            with pytest.raises(RemoteRefused, match=r"token is not accepted.*read write mealplan") as refused:
                ask()
            assert "tda_wrong" not in str(refused.value)


def test_an_address_that_is_no_tandoor_is_told_and_not_followed(fake: FakeTandoor, database: Database) -> None:
    with (
        Tandoor(f"{fake.url}/elsewhere", fake.space.token, database) as lost,
        pytest.raises(RemoteRefused, match="Is MEALS_TANDOOR_URL that of a Tandoor"),
    ):
        lost.ids()
    assert not any("login" in path for _, path in fake.asked)


def test_property_types_are_known_by_their_number_whatever_they_are_called(tandoor: Tandoor) -> None:
    names = {1: "kcal", 2: "protein_g", 3: "fat_g", 4: "carbs_g", 5: "fiber_g", 6: "sodium_mg"}
    assert tandoor.property_names() == names


def test_faults_on_a_third_of_the_calls_are_not_seen(fake: FakeTandoor, tandoor: Tandoor) -> None:
    fake.faults = Faulty(0.3, seed=4)
    read = [tandoor.recipe(o.id) for o in list(tandoor.overviews())[:40]]
    assert all(isinstance(one, dict) for one in read)
    assert len(fake.asked) > 45


def test_a_plan_whose_answer_was_lost_is_there_and_is_not_made_twice(fake: FakeTandoor, tandoor: Tandoor) -> None:
    class Lost(Faulty):
        def next(self) -> str | None:
            return "hang up"

    entry = {"recipe": 1, "meal_type": 3, "servings": 2.5, "from_date": "2026-11-23T18:30:00+01:00",
             "to_date": "2026-11-23T18:30:00+01:00", "note": "meals:1"}  # fmt: skip
    fake.faults = Lost()
    with pytest.raises(RemoteFailed):
        tandoor.new_plan(entry)
    fake.faults = Faulty()
    (found,) = tandoor.plans("2026-11-23", "2026-11-23")
    assert (found["recipe"]["id"], found["servings"], found["note"]) == (1, 2.5, "meals:1")
    assert len(fake.space.plans) == 1


def test_plans_are_changed_and_deleted(fake: FakeTandoor, tandoor: Tandoor) -> None:
    day = "2026-11-24T12:00:00+01:00"
    made = tandoor.new_plan({"recipe": 1, "meal_type": 1, "servings": 1, "from_date": day, "to_date": day})
    tandoor.change_plan(made["id"], {"recipe": 2, "servings": 3, "from_date": day, "to_date": day})
    assert fake.space.plans[made["id"]]["recipe"]["id"] == 2
    tandoor.delete_plan(made["id"])
    tandoor.delete_plan(made["id"])
    assert fake.space.plans == {}


def test_a_request_that_tandoor_finds_wrong_is_told_in_its_words(tandoor: Tandoor) -> None:
    with pytest.raises(RemoteRefused, match=r"HTTP 400: .*meal_type.*This field is required"):
        tandoor.new_plan({"servings": 1})


def test_the_shopping_list_is_written_ticked_and_cleared(fake: FakeTandoor, tandoor: Tandoor) -> None:
    made = tandoor.new_entry({"food": {"name": "oat milk"}, "unit": {"name": "l"}, "amount": 2})
    tandoor.check_entries([made["id"]], checked=True)
    assert [(e["food"]["name"], e["checked"]) for e in tandoor.entries()] == [("oat milk", True)]
    tandoor.delete_entry(made["id"])
    assert fake.space.entries == {}
