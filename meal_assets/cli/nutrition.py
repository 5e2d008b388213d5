"""`meals nutrition`: how a recipe's figures come about, and mending them."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from meal_assets.contracts.recipe import RecipeFetched

    from .session import Session

nutrition = typer.Typer(help="See how a recipe's figures come about, and correct which foods it means.")
NOTHING = "nothing"
FOUND = 15
"""Foods shown for a search."""


def add_to(app: typer.Typer) -> None:
    app.add_typer(nutrition, name="nutrition")


@nutrition.command()
def explain(
    recipe: Annotated[str, typer.Argument(help="The recipe's id, as `meals plan --lock` takes it.")],
) -> None:
    """Show each ingredient line: what was read, grams and by which rule, the food it is, the next best, and its share.

    Example: meals nutrition explain overnight-oats-blueberries
    """
    from meal_assets.domain.nutrition import LEAST_COVERAGE
    from meal_assets.foods.known import foods_known

    from .explained import explained_table, per_serving_table
    from .session import console, session

    with session() as s:
        fetched = _recipe(s, recipe)
        done = foods_known(s.store, s.household, s.store.head()).compute(s.store, fetched)
        console.print(explained_table(fetched, done))
        console.print(per_serving_table(fetched, done))
        enough = "enough" if done.coverage >= LEAST_COVERAGE else "too little"
        console.print(f"{done.coverage:.0%} of the mass is understood: {enough} to plan with ({LEAST_COVERAGE:.0%}).")
        if fetched.servings is None:
            console.print("The recipe does not say how many servings it makes: nothing can be said of a serving.")
        if any(not p.understood for p in done.parts):
            console.print(
                "`meals nutrition correct TEXT FOOD` mends a line; `meals nutrition foods WORDS` finds foods."
            )


@nutrition.command()
def correct(
    text: Annotated[str, typer.Argument(help="What recipes call the food, as `explain` shows it.")],
    food: Annotated[str, typer.Argument(help="The id of the food it is, or `nothing` if it is no food.")],
) -> None:
    """Say which food recipes mean by a text; every recipe that uses it is computed again.

    Example: meals nutrition correct "sourdough starter" 168894
    """
    from meal_assets.commands.foods import correct_match
    from meal_assets.contracts.nutrition import RecipeNutritionComputed

    from .session import console, session

    with session() as s:
        accepted = correct_match(s.store, text, None if food == NOTHING else food, s.origin())
        s.settle("Computing")
        followed = s.store.read_correlation(accepted.correlation_id)
        again = sum(isinstance(r.event, RecipeNutritionComputed) for r in followed)
        if accepted.events == 0:
            console.print("That stands already.")
        else:
            console.print(f"Learnt. {again:,} recipe{'' if again == 1 else 's'} came out otherwise.")


@nutrition.command()
def foods(
    words: Annotated[list[str], typer.Argument(help="Words of the food's description.")],
) -> None:
    """Find reference foods and their ids."""
    from meal_assets.foods.known import foods_known

    from .explained import foods_table
    from .session import console, session

    with session() as s:
        index = foods_known(s.store, s.household, s.store.head()).index
        found = index.search(" ".join(words), FOUND)
        if not found:
            console.print("No food has these words. `meals import usda FILE` brings in all of USDA's.")
        else:
            console.print(foods_table(found))


def _recipe(s: "Session", recipe: str) -> "RecipeFetched":
    from meal_assets.contracts.recipe import RecipeFetched
    from meal_assets.errors import Invalid

    stream = s.store.read_stream(f"{s.household}/recipe/{recipe}")
    fetched = next((r.event for r in reversed(stream) if isinstance(r.event, RecipeFetched)), None)
    if fetched is None:
        raise Invalid("recipe", f"{recipe!r} is not in the library: `meals import recipes FILE` brings recipes in")
    return fetched
