"""`meals log`, `day`, `suggest`, `rate`: what was eaten, what would fit now, and how it was."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from meal_assets.contracts.diary import MealLogged
    from meal_assets.contracts.values import Meal

    from .session import Session

Person = Annotated[str, typer.Argument(help="Short id of the person.")]
Day = Annotated[datetime | None, typer.Option("--day", formats=["%Y-%m-%d"], help="The day; today without it.")]
SHOWN_DAYS = 7
MOST_STARS = 5


def add_to(app: typer.Typer) -> None:
    app.command()(log)
    app.command()(day)
    app.command()(suggest)
    app.command()(rate)


def log(
    person: Person,
    meal: Annotated[str, typer.Argument(help="breakfast, lunch, dinner or snack.")] = "",
    food: Annotated[str | None, typer.Option(help="What it was; without it, what the plan says.")] = None,
    barcode: Annotated[str | None, typer.Option(help="A product that `meals import products` brought in.")] = None,
    grams: Annotated[float | None, typer.Option(help="Grams of the product; its serving without it.")] = None,
    servings: Annotated[float | None, typer.Option(help="Servings of the planned dish; as planned without it.")] = None,
    kcal: Annotated[float | None, typer.Option(help="Energy in kcal, with --food.")] = None,
    protein: Annotated[float | None, typer.Option(help="In g, with --food.")] = None,
    carbs: Annotated[float | None, typer.Option(help="In g, with --food.")] = None,
    fat: Annotated[float | None, typer.Option(help="In g, with --food.")] = None,
    on: Annotated[
        datetime | None, typer.Option("--day", formats=["%Y-%m-%d"], help="The day; today without it.")
    ] = None,
    close: Annotated[bool, typer.Option("--close", help="The day's diary is complete: reconcile it.")] = False,
    undo: Annotated[str | None, typer.Option(help="Take back the entry with this id instead.")] = None,
) -> None:
    """Log a meal: as planned, or any food with its energy and macronutrients; or close the day.

    Examples: meals log ada dinner · meals log ada snack --food Apple --kcal 78 --protein 0.4 --carbs 21 --fat 0.3 ·
    meals log ada snack --barcode 0000101209159 --grams 20 · meals log ada --close
    """
    from meal_assets.commands.diary import close_day, log_meals, retract_meal
    from meal_assets.errors import Invalid

    from .session import console, session

    with session() as s:
        when = s.day(on)
        if undo:
            retract_meal(s.store, person, when, undo, s.origin())
        elif meal:
            if barcode is not None:
                entry = _scanned(s, person, when, meal, barcode, grams)
            elif food is not None:
                entry = _told(person, when, meal, food, kcal, protein, carbs, fat)
            else:
                entry = _planned(s, person, when, meal, servings)
            log_meals(s.store, person, when, [entry], s.origin(), close=close)
            console.print(f"{person} {meal}: {entry.food}, {entry.nutrition.kcal:.0f} kcal (entry {entry.entry})")
        elif close:
            close_day(s.store, person, when, s.origin())
        else:
            raise Invalid("meal", "say which meal it was, or --close, or --undo ENTRY; the event log is `meals events`")
        s.settle("Adding up")
        show_days(s, when, when, person)


def day(
    person: Annotated[str | None, typer.Argument(help="Short id of a person; everybody without it.")] = None,
    on: Day = None,
) -> None:
    """Show what was eaten against the targets, over the week that ends on the day."""
    from .session import session

    with session() as s:
        s.settle("Adding up")
        last = s.day(on)
        show_days(s, last - timedelta(days=SHOWN_DAYS - 1), last, person)


def suggest(
    person: Person,
    meal: Annotated[
        str | None, typer.Argument(help="breakfast, lunch, dinner or snack; the next one without it.")
    ] = None,
    on: Day = None,
) -> None:
    """Show the dishes that bring the rest of a day nearest to its targets, each in the portion that does.

    They are chosen by the objective weeks are planned with, fit what the person never eats and the diets they keep, and
    were not eaten on that day yet. Example: meals suggest ada dinner
    """
    from meal_assets.consumers.problem import dishes_for, targets_at
    from meal_assets.contracts.values import MACROS, MEALS
    from meal_assets.domain import diary
    from meal_assets.domain.notifications import NAMES, UNITS
    from meal_assets.domain.rest_of_day import Dish, choices, meals_left, share_of
    from meal_assets.errors import Invalid

    from .session import console, session, tell_position
    from .tables import choices_table

    with session() as s:
        when, position = s.day(on), s.store.head()
        told = s.store.read_person(f"{s.household}/diary/{person}/{when}", s.household, person, position)
        history = [r.event for r in told]
        left = meals_left(diary.meals_eaten(history))
        chosen: Meal | None = next((m for m in MEALS if m == meal), None) if meal else next(iter(left), "snack")
        if chosen is None:
            raise Invalid("meal", f"{meal!r} is not one of {', '.join(MEALS)}")
        target = targets_at(person, when, s.household, position, s.store).macros
        eaten, before = diary.day_total(history), diary.recipes_eaten(history)
        dishes = [
            Dish(d.recipe, d.title, d.per_serving, d.cost, d.meals)
            for d in dishes_for(person, when, s.household, position, s.store)
            if chosen in d.meals and d.recipe not in before
        ]
        share = share_of(chosen, left)
        found = choices(eaten, target, dishes, share=share)
        rest = ", ".join(f"{NAMES[n].lower()} {getattr(target, n) - getattr(eaten, n):,.0f} {UNITS[n]}" for n in MACROS)
        console.print(f"Left of {person}'s {when:%d %B}: {rest}.", highlight=False)
        if found:
            console.print(choices_table(f"For {chosen}, which is {share:.0%} of that", found))
        else:
            console.print(f"No dish for {chosen} would bring the day nearer to its targets.")
        tell_position(position)


def rate(
    recipe: Annotated[
        str | None, typer.Argument(help="Id or title of a recipe. Without it, all ratings are shown.")
    ] = None,
    stars: Annotated[int | None, typer.Argument(min=1, max=5, help="1, never again, to 5, every week.")] = None,
    person: Annotated[
        str | None, typer.Option("--for", help="Whose stars these are; nobody to name in a household of one.")
    ] = None,
) -> None:
    """Say how a dish was: weeks to come serve what is liked more often. The last stars of each person count.

    Example: meals rate lentil-soup 5 --for ada
    """
    from meal_assets.commands.ratings import rate as rate_recipe
    from meal_assets.errors import Invalid
    from meal_assets.read_models import asking
    from meal_assets.read_models.ratings import Ratings, ratings_in

    from .session import console, session

    with session() as s:
        if recipe is not None:
            if stars is None:
                raise Invalid("stars", f"are needed: `meals rate {recipe} 4`")
            rate_recipe(s.store, recipe, stars, s.origin(), person)
        s.settle("Noting" if recipe else "Looking")
        with asking(s.store, Ratings) as (db, _):
            found = ratings_in(db, s.household)
        for rated, whose, given in found:
            console.print(f"{'★' * given}{'☆' * (MOST_STARS - given)}  {rated}  ({whose})", highlight=False)
        if not found:
            console.print("Nobody rated anything yet: `meals rate RECIPE 4 --for NAME`")


def show_days(s: "Session", first: date, last: date, person: str | None = None) -> None:
    """Print what was eaten from `first` to `last`, and what the control loop says of it."""
    from meal_assets.read_models import asking
    from meal_assets.read_models.daily_nutrition import DailyNutrition, days_eaten
    from meal_assets.read_models.reconciliation import Reconciliation, reconciled_days, streaks
    from meal_assets.read_models.targets import Targets, household_targets

    from .session import console, tell_position
    from .tables import eaten_table, reconciled_table

    with asking(s.store, DailyNutrition, Reconciliation, Targets) as (db, position):
        targets = {t.person: t for t in household_targets(db, s.household)}
        eaten = days_eaten(db, s.household, first, last, person)
        verdicts = [d for d in reconciled_days(db, s.household, first, last) if person in (None, d.person)]
        rows = streaks(db, s.household, last)
    if not eaten:
        console.print("Nothing logged in these days.")
        return
    console.print(eaten_table(eaten, targets))
    if verdicts:
        console.print(reconciled_table(verdicts))
        for who in sorted({d.person for d in verdicts}):
            if rows.get(who, 0) > 1:
                console.print(f"{who}: {rows[who]} days on target in a row.", style="green", highlight=False)
    tell_position(position)


def _planned(s: "Session", person: str, when: date, meal: str, servings: float | None) -> "MealLogged":
    from meal_assets.commands.diary import planned_meal

    return planned_meal(s.store, s.household, person, when, meal, servings)


def _scanned(s: "Session", person: str, when: date, meal: str, barcode: str, grams: float | None) -> "MealLogged":
    from meal_assets.errors import Invalid
    from meal_assets.foods.known import food_with
    from meal_assets.foods.products import food_of_barcode

    product = food_with(s.store, s.household, food_of_barcode(barcode))
    serving = next((p.grams for p in product.portions if p.unit == "serving"), None)
    if (eaten := grams or serving) is None:
        raise Invalid("--grams", f"are needed: how much a serving of {product.description} is, is not known")
    per_serving = product.per_100g * (eaten / 100)
    return _entry(person, when, meal, product.description, per_serving.model_dump(), eaten)


def _told(
    person: str,
    when: date,
    meal: str,
    food: str,
    kcal: float | None,
    protein: float | None,
    carbs: float | None,
    fat: float | None,
) -> "MealLogged":
    from meal_assets.errors import Invalid

    if kcal is None or protein is None or carbs is None or fat is None:
        raise Invalid("--food", "needs --kcal, --protein, --carbs and --fat with it")
    nutrition: dict[str, float | None] = {"kcal": kcal, "protein_g": protein, "carbs_g": carbs, "fat_g": fat}
    return _entry(person, when, meal, food, nutrition)


def _entry(
    person: str, when: date, meal: str, food: str, nutrition: dict[str, float | None], grams: float | None = None
) -> "MealLogged":
    from meal_assets.contracts.diary import MealLogged
    from meal_assets.event_store.records import uuid7

    return MealLogged.model_validate(
        {
            "entry": uuid7().hex,
            "person": person,
            "day": when,
            "meal": meal,
            "food": food,
            "grams": grams,
            "nutrition": nutrition,
            "source": "person",
        }
    )
