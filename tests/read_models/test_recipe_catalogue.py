"""The library as people browse it, and what a serving holds."""

import pytest

from meal_assets.contracts.nutrition import RecipeNutritionComputed
from meal_assets.contracts.recipe import RecipeFetched, RecipeRemoved
from meal_assets.event_store import EventStore
from meal_assets.read_models import catch_up
from meal_assets.read_models.recipe_catalogue import RecipeCatalogue
from meal_assets.read_models.recipe_nutrition import RecipeNutrition

from .said import append, like


def minutes(store: EventStore) -> object:
    catch_up(RecipeCatalogue(), store)
    with store.database.transaction() as db:
        row = db.execute("SELECT minutes FROM read.recipe_catalogue").fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("prep", "cook", "total", "shown"), [(10, 20, 45, 45), (10, 20, None, 30), (10, None, None, None), (0, 5, None, 5)]
)
def test_the_time_is_the_total_or_the_sum_of_its_parts(
    store: EventStore, prep: int | None, cook: int | None, total: int | None, shown: int | None
) -> None:
    append(store, like(RecipeFetched, prep_minutes=prep, cook_minutes=cook, total_minutes=total))
    assert minutes(store) == shown


@pytest.mark.parametrize("between", [False, True], ids=["folded at once", "folded in between"])
def test_a_recipe_is_as_it_was_last_fetched(store: EventStore, between: bool) -> None:
    append(store, like(RecipeFetched, title="Old", source_url="https://example.org/oats"))
    if between:
        catch_up(RecipeCatalogue(), store)
    append(store, like(RecipeFetched, title="New"))
    catch_up(RecipeCatalogue(), store)
    with store.database.transaction() as db:
        assert db.execute("SELECT title, source_url FROM read.recipe_catalogue").fetchall() == [("New", None)]


def nutrition(store: EventStore) -> tuple[object, ...] | None:
    catch_up(RecipeNutrition(), store)
    with store.database.transaction() as db:
        return db.execute("SELECT provenance, kcal::float, fiber_g::float FROM read.recipe_nutrition").fetchone()


def test_nutrition_that_was_not_published_is_missing_and_not_zero(store: EventStore) -> None:
    append(store, like(RecipeFetched, per_serving=None))
    assert nutrition(store) == ("missing", None, None)


def test_a_recipe_that_loses_its_nutrition_is_missing_again(store: EventStore) -> None:
    append(store, like(RecipeFetched))
    assert nutrition(store) == ("published", 362, 7)
    append(store, like(RecipeFetched, per_serving=None))
    assert nutrition(store) == ("missing", None, None)


def computed(**changes: object) -> RecipeNutritionComputed:
    """What `like(RecipeFetched)` came to."""
    fetched = like(RecipeFetched)
    return like(RecipeNutritionComputed, recipe=fetched.recipe, content_hash=fetched.content_hash, **changes)


def test_what_was_computed_holds_where_nothing_is_published_with_its_coverage(store: EventStore) -> None:
    append(store, like(RecipeFetched, per_serving=None))
    catch_up(RecipeNutrition(), store)
    append(store, computed())
    assert nutrition(store) == ("computed", 315, 11.6)
    with store.database.transaction() as db:
        row = db.execute("SELECT coverage::float, sources, not_understood FROM read.recipe_nutrition").fetchone()
    assert row == (0.97, ["usda"], [n.model_dump() for n in computed().not_understood])


def test_what_is_published_comes_before_what_was_computed_whichever_is_said_first(store: EventStore) -> None:
    append(store, like(RecipeFetched), computed())
    assert nutrition(store) == ("published", 362, 7)
    append(store, like(RecipeFetched, per_serving=None))
    assert nutrition(store) == ("computed", 315, 11.6)
    append(store, like(RecipeFetched))
    assert nutrition(store) == ("published", 362, 7)


def test_what_was_computed_of_an_older_content_does_not_hold(store: EventStore) -> None:
    append(store, like(RecipeFetched, per_serving=None), computed())
    append(store, like(RecipeFetched, per_serving=None, content_hash="12" * 32))
    assert nutrition(store) == ("missing", None, None)


def test_what_could_not_be_computed_is_missing(store: EventStore) -> None:
    append(store, like(RecipeFetched, per_serving=None), computed(per_serving=None))
    assert nutrition(store) == ("missing", None, None)


@pytest.mark.parametrize("between", [False, True], ids=["folded at once", "folded in between"])
def test_a_recipe_that_was_removed_is_gone_until_it_is_fetched_again(store: EventStore, between: bool) -> None:
    def folded() -> tuple[int, tuple[object, ...] | None]:
        catch_up(RecipeCatalogue(), store)
        with store.database.transaction() as db:
            (count,) = db.execute("SELECT count(*) FROM read.recipe_catalogue").fetchone() or ()
        return count, nutrition(store)

    gone = RecipeRemoved(recipe=like(RecipeFetched).recipe, reason="deleted")
    append(store, like(RecipeFetched))
    if between:
        assert folded() == (1, ("published", 362, 7))
    append(store, gone)
    if between:
        assert folded() == (0, ("removed", None, None))
    append(store, computed())
    assert folded() == (0, ("removed", None, None))
    append(store, like(RecipeFetched))
    assert folded() == (1, ("published", 362, 7))
