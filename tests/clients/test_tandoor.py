"""The client against a Tandoor that behaves as the real one was seen to."""

from collections.abc import Iterator
from datetime import time

import pytest

from meal_assets.clients.tandoor import WRITES, Tandoor
from meal_assets.errors import RemoteFailed, RemoteRefused, Waiting
from meal_assets.event_store import Database
from meal_assets.fakes.server import Faulty
from meal_assets.fakes.tandoor import FakeTandoor, starter_space


@pytest.fixture
def fake() -> Iterator[FakeTandoor]:
    with FakeTandoor(starter_space()) as fake:
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
    fake.faults = Faulty(0.3, seed=3)
    read = [tandoor.recipe(o.id) for o in list(tandoor.overviews())[:40]]
    assert all(isinstance(one, dict) for one in read)
    assert len(fake.asked) > 45


def entry_on(day: str, **changes: object) -> dict[str, object]:
    moment = f"{day}T18:30:00+01:00"
    return {"recipe": 1, "meal_type": 3, "servings": 2.5, "from_date": moment, "to_date": moment, **changes}


def nothing() -> None:
    return None


def test_a_plan_whose_answer_was_lost_is_looked_for_and_not_made_twice(fake: FakeTandoor, tandoor: Tandoor) -> None:
    def found() -> int | None:
        return next((p["id"] for p in tandoor.plans("2026-11-23", "2026-11-23") if p["note"] == "ours"), None)

    fake.faults.lost_writes = 1
    number = tandoor.new_plan(entry_on("2026-11-23", note="ours"), found)
    assert [(n, p["recipe"]["id"], p["servings"]) for n, p in fake.space.plans.items()] == [(number, 1, 2.5)]


def test_what_was_never_made_is_made_again_a_few_times(fake: FakeTandoor, tandoor: Tandoor) -> None:
    fake.faults.down = True
    with pytest.raises((RemoteFailed, Waiting)):
        tandoor.new_plan(entry_on("2026-11-23"), nothing)
    assert sum(method == "POST" for method, _ in fake.asked) == WRITES
    assert fake.space.plans == {}


def test_plans_are_changed_and_deleted(fake: FakeTandoor, tandoor: Tandoor) -> None:
    number = tandoor.new_plan(entry_on("2026-11-24"), nothing)
    tandoor.change_plan(number, entry_on("2026-11-24", recipe=2))
    assert fake.space.plans[number]["recipe"]["id"] == 2
    assert tandoor.has_plan(number)
    tandoor.delete_plan(number)
    tandoor.delete_plan(number)
    assert fake.space.plans == {}
    assert not tandoor.has_plan(number)


def test_a_meal_type_is_made_once(fake: FakeTandoor, tandoor: Tandoor) -> None:
    fake.faults.lost_writes = 1
    brunch = tandoor.new_meal_type("Brunch", time(11))
    assert tandoor.new_meal_type("brunch", time(10)) == brunch
    assert [(t.name, t.time) for t in tandoor.meal_types() if t.id == brunch] == [("Brunch", time(11))]
    assert len(fake.space.planned.types) == 5


def test_a_request_that_tandoor_finds_wrong_is_told_in_its_words(tandoor: Tandoor) -> None:
    with pytest.raises(RemoteRefused, match=r"HTTP 400: .*meal_type.*This field is required"):
        tandoor.new_plan({"servings": 1}, nothing)


def test_the_shopping_list_is_written_ticked_and_cleared(fake: FakeTandoor, tandoor: Tandoor) -> None:
    number = tandoor.new_entry({"food": {"name": "oat milk"}, "unit": {"name": "l"}, "amount": 2}, nothing)
    tandoor.check_entries([number, 999], checked=True)
    assert [(e["food"]["name"], e["amount"], e["checked"]) for e in tandoor.entries()] == [("oat milk", 2, True)]
    tandoor.change_entry(number, {"amount": 3})
    assert tandoor.entries() == []
    assert (tandoor.entry(number) or {})["amount"] == 3
    tandoor.delete_entry(number)
    assert tandoor.entry(number) is None


def test_tandoor_writes_the_lines_of_a_recipe_and_is_told_so_once(fake: FakeTandoor, tandoor: Tandoor) -> None:
    named = [i["food"]["name"] for s in fake.space.recipes[1]["steps"] for i in s["ingredients"] if i["food"]]
    tandoor.shop_for(1, 2)
    assert [e["food"]["name"] for e in tandoor.entries()] == named != []
    fake.faults.lost_writes = 1
    with pytest.raises(RemoteFailed):
        tandoor.shop_for(1, 2)
    assert len(tandoor.entries()) == 2 * len(named)


def test_keywords_are_named(fake: FakeTandoor, tandoor: Tandoor) -> None:
    assert set(tandoor.keywords().values()) == {k["name"] for r in fake.space.recipes.values() for k in r["keywords"]}


def test_the_fake_reads_a_day_as_tandoor_does(fake: FakeTandoor, tandoor: Tandoor) -> None:
    dinner = tandoor.new_plan({"meal_type": 3, "servings": "2,5", "recipe": None, "from_date": "2026-11-23"}, nothing)
    snack = tandoor.new_plan({"meal_type": 4, "servings": 1, "recipe": None, "from_date": "2026-11-23"}, nothing)
    plans = fake.space.plans
    assert [plans[n]["from_date"] for n in (dinner, snack)] == [
        "2026-11-23T18:30:00+01:00",
        "2026-11-23T12:00:00+01:00",
    ]
    assert "recipe_name" not in tandoor.plans("2026-11-23", "2026-11-23")[0]
    tandoor.change_plan(dinner, {"from_date": "2026-11-25"})
    assert (plans[dinner]["from_date"], plans[dinner]["to_date"]) == (
        "2026-11-25T00:00:00+01:00", "2026-11-23T18:30:00+01:00",
    )  # fmt: skip


@pytest.mark.parametrize("wrong", [{"recipe": 999_999}, {"servings": 123_456}])
def test_what_the_real_one_breaks_on_breaks_the_fake(
    fake: FakeTandoor, tandoor: Tandoor, wrong: dict[str, object]
) -> None:
    with pytest.raises(RemoteFailed, match="HTTP 500"):
        tandoor.new_plan(entry_on("2026-11-23", **wrong), nothing)


def test_a_deleted_recipe_takes_its_plans_with_it(fake: FakeTandoor, tandoor: Tandoor) -> None:
    tandoor.new_plan(entry_on("2026-11-23"), nothing)
    fake.space.remove(1)
    assert fake.space.plans == {}
