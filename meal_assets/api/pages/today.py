"""Today: what was eaten beside the target, what comes next, and logging it in two clicks."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from fastapi import APIRouter, Response

from meal_assets.commands.base import Accepted
from meal_assets.commands.diary import close_day, log_meals, planned_meal, retract_meal
from meal_assets.contracts.diary import MealLogged, MealLogRetracted
from meal_assets.contracts.values import MEALS, Nutrients
from meal_assets.domain.publication import MEAL_TIMES
from meal_assets.event_store import Connection, EventStore, Origin
from meal_assets.event_store.records import uuid7
from meal_assets.read_models.daily_nutrition import DailyNutrition, days_eaten
from meal_assets.read_models.food_log import FoodLog, entries_of, entry_of, lately_eaten
from meal_assets.read_models.recipe_catalogue import RecipeCatalogue
from meal_assets.read_models.recipe_nutrition import RecipeNutrition
from meal_assets.read_models.reconciliation import Reconciliation, reconciled_days
from meal_assets.read_models.targets import Targets
from meal_assets.read_models.week_plan import WeekPlan, planned_week

from ..problems import Problem
from .library import one_recipe, search_recipes
from .people import mine, people_of
from .showing import Panel, day_of, done, monday_of, page
from .visitor import Form, Seen, Visitor, Written, number

router = APIRouter()
FOUND = 8
REMEMBERED = 200
"""Newest entries that a search looks through."""
MEAL_LASTS = timedelta(hours=2)
MAX_ID = 64
AGAIN = "+"
"""Before what makes an entry another one than that which was taken back."""
NOTHING = (0.0, 0.0, 0.0, 0.0)
HELD = ("kcal", "protein_g", "carbs_g", "fat_g")


def _day(visitor: Visitor) -> date:
    return day_of(visitor.request.query_params.get("day"), visitor.today)


def _people(visitor: Visitor, db: Connection) -> Mapping[str, Any]:
    return {"people": people_of(visitor, db), "day": _day(visitor)}


def _eaten(visitor: Visitor, db: Connection) -> Mapping[str, Any]:
    people, day = people_of(visitor, db), _day(visitor)
    if people.shown is None:
        return {"people": people, "day": day}
    who = people.shown.person
    found = days_eaten(db, visitor.household, day, day, who)
    closed = [d for d in reconciled_days(db, visitor.household, day, day) if d.person == who]
    return {
        "people": people,
        "day": day,
        "eaten": found[0].eaten if found else NOTHING,
        "target": people.shown.target or NOTHING,
        "closed": closed[0] if closed else None,
    }


def _next(visitor: Visitor, db: Connection) -> Mapping[str, Any]:
    """Today's planned meals; the next one is the first that is not logged, and not long past."""
    people, day = people_of(visitor, db), _day(visitor)
    if people.shown is None:
        return {"people": people, "day": day}
    who = people.shown.person
    week = planned_week(db, visitor.household, monday_of(day))
    logged = {e.entry.partition(AGAIN)[0] for e in entries_of(db, visitor.household, who, day)}
    times: Mapping[Any, time] = {**MEAL_TIMES, **visitor.shared.settings.meal_times}
    now = datetime.now(visitor.shared.settings.zone)
    cells = sorted((c for c in week.cells if c.day == day) if week else (), key=lambda c: times[c.meal])
    rows: list[dict[str, Any]] = []
    for cell in cells:
        if who in cell.portions:
            at = datetime.combine(day, times[cell.meal], visitor.shared.settings.zone)
            entry = planned_entry(cell.meal, cell.recipe)
            eaten = entry.partition(AGAIN)[0] in logged
            rows.append({"cell": cell, "at": at, "servings": cell.portions[who], "logged": eaten})
    open_rows = [r for r in rows if not r["logged"]]
    next_one = next((r for r in open_rows if r["at"] + MEAL_LASTS > now), None) if day >= visitor.today else None
    return {"people": people, "day": day, "planned": rows, "next_one": next_one, "week": monday_of(day)}


def planned_entry(meal: str, recipe: str) -> str:
    """The id that an entry gets which was logged from the plan: `commands.diary.planned_meal` gives it."""
    return f"plan-{meal}-{recipe}"[:MAX_ID]


def _search(visitor: Visitor, db: Connection) -> Mapping[str, Any]:
    people, day = people_of(visitor, db), _day(visitor)
    text = visitor.request.query_params.get("q", "").strip()[:100]
    found: dict[str, Any] = {"people": people, "day": day, "q": text, "recipes": [], "eaten_before": []}
    found["meal_now"] = _meal_now(visitor)
    if text and people.shown is not None:
        who = people.shown.person
        found["recipes"] = search_recipes(db, visitor.household, text, limit=FOUND, known=True)
        lately = visitor.store.personal.opened(db, lately_eaten(db, visitor.household, who, REMEMBERED))
        words = text.casefold().split()
        fitting = {e.food: e for e in reversed(lately) if all(w in e.food.casefold() for w in words)}
        found["eaten_before"] = [e for e in fitting.values() if e.recipe is None][-FOUND:]
    return found


def _meal_now(visitor: Visitor) -> str:
    """The main meal that is nearest by the clock."""
    now = datetime.now(visitor.shared.settings.zone)
    times = {**MEAL_TIMES, **visitor.shared.settings.meal_times}
    minutes = now.hour * 60 + now.minute
    return min(MEALS, key=lambda m: abs(times[m].hour * 60 + times[m].minute - minutes))


def _entries(visitor: Visitor, db: Connection) -> Mapping[str, Any]:
    people, day = people_of(visitor, db), _day(visitor)
    if people.shown is None:
        return {"people": people, "day": day, "entries": []}
    rows = entries_of(db, visitor.household, people.shown.person, day)
    return {"people": people, "day": day, "entries": visitor.store.personal.opened(db, rows)}


PANELS = (
    Panel("people", (Targets,), _people),
    Panel("eaten", (DailyNutrition, Targets, Reconciliation), _eaten),
    Panel("next", (WeekPlan, FoodLog, Targets), _next),
    Panel("search", (RecipeCatalogue, RecipeNutrition, Targets), _search),
    Panel("entries", (FoodLog, Targets), _entries),
)


@router.get("/today")
def today(visitor: Seen) -> Response:
    day = _day(visitor)
    title = "Today" if day == visitor.today else f"{day:%A %d %B}"
    return page(visitor, "today", title, PANELS)


@router.post("/log/planned")
def log_planned(visitor: Seen, form: Written) -> Response:
    """Eaten as planned, or so many servings of it."""
    person, day = mine(visitor, form["person"]), day_of(form["day"], visitor.today)
    servings = number(form, "servings", "Servings")

    def act(store: EventStore, origin: Origin) -> Accepted:
        entry = planned_meal(store, origin.household, person, day, form["meal"], servings)
        said = [r.event for r in store.read_stream(entry.stream_in(origin.household))]
        if any(isinstance(e, MealLogRetracted) and e.entry == entry.entry for e in said):  # an id is used once only
            entry = entry.model_copy(update={"entry": f"{entry.entry}{AGAIN}{uuid7().hex}"[:MAX_ID]})
        return log_meals(store, person, day, [entry], origin)

    return done(visitor.accept(act, form), form["back"])


@router.post("/log/recipe")
def log_recipe(visitor: Seen, form: Written) -> Response:
    """So many servings of a recipe."""
    with visitor.store.database.transaction() as db:
        recipe = one_recipe(db, visitor.household, form["recipe"])
    if recipe is None or recipe.kcal is None:
        raise Problem(422, "What this recipe holds is not known: tell its energy by hand.", field="recipe")
    servings = number(form, "servings", "Servings") or 1.0
    event = _entry(form, visitor.today, recipe.title, recipe.nutrients * servings, form["recipe"], servings)
    return _log(visitor, form, event)


@router.post("/log/again")
def log_again(visitor: Seen, form: Written) -> Response:
    """The same as on another day."""
    person = mine(visitor, form["person"])
    with visitor.store.database.transaction() as db:
        before = entry_of(db, visitor.household, person, day_of(form["from"], visitor.today), form["entry"])
        if before is None:
            raise Problem(404, "That entry is not there any more.")
        before = visitor.store.personal.opened(db, [before])[0]
    event = _entry(form, visitor.today, before.food, Nutrients.model_validate(before.nutrition), None, None)
    return _log(visitor, form, event.model_copy(update={"grams": before.grams}))


@router.post("/log/food")
def log_food(visitor: Seen, form: Written) -> Response:
    """Anything, by what it holds."""
    told = {n: number(form, n, n) for n in HELD}
    if told["kcal"] is None:
        raise Problem(422, "Energy: how many kcal it had is needed.", field="kcal")
    holds = Nutrients.model_validate({n: value or 0 for n, value in told.items()})
    return _log(visitor, form, _entry(form, visitor.today, form["food"], holds, None, None))


@router.post("/log/undo")
def undo(visitor: Seen, form: Written) -> Response:
    """Take an entry back."""
    person, day = mine(visitor, form["person"]), day_of(form["day"], visitor.today)
    act = lambda store, origin: retract_meal(store, person, day, form["entry"], origin)  # noqa: E731
    return done(visitor.accept(act, form), form["back"])


@router.post("/log/close")
def close(visitor: Seen, form: Written) -> Response:
    """The day's diary is complete: it is reconciled with the target."""
    person, day = mine(visitor, form["person"]), day_of(form["day"], visitor.today)
    receipt = visitor.accept(lambda store, origin: close_day(store, person, day, origin), form)
    return done(receipt, form["back"])


def _entry(
    form: Form, today: date, food: str, holds: Nutrients, recipe: str | None, servings: float | None
) -> MealLogged:
    return MealLogged.model_validate(
        {
            "entry": uuid7().hex,
            "person": form["person"],
            "day": day_of(form["day"], today),
            "meal": form["meal"],
            "food": food,
            "recipe": recipe,
            "servings": servings,
            "nutrition": holds,
            "source": "person",
        }
    )


def _log(visitor: Visitor, form: Form, event: MealLogged) -> Response:
    mine(visitor, event.person)
    receipt = visitor.accept(lambda store, origin: log_meals(store, event.person, event.day, [event], origin), form)
    return done(receipt, form["back"])
