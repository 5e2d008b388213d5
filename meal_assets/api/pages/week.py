"""The week: the plan as a grid with portions, days beside their targets, and deciding some of it."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, get_args

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from meal_assets.commands.base import Accepted
from meal_assets.commands.plan import accept_plan, request_plan
from meal_assets.contracts import Event
from meal_assets.contracts.plan import PlanAccepted, PlanRejected
from meal_assets.contracts.plan_request import PlanRequested
from meal_assets.contracts.values import MEALS, Meal
from meal_assets.event_store import Connection, EventStore, Origin
from meal_assets.read_models.command_status import CommandStatus
from meal_assets.read_models.recipe_catalogue import RecipeCatalogue
from meal_assets.read_models.recipe_nutrition import RecipeNutrition
from meal_assets.read_models.targets import Targets
from meal_assets.read_models.week_plan import Cell, WeekPlan, planned_week

from ..problems import Problem
from .library import one_recipe, search_recipes
from .people import names_of
from .rules import Decided, Slot, decided
from .showing import Panel, day_of, done, monday_of, page
from .told import stream_of
from .visitor import Form, Seen, Visitor, Written

router = APIRouter()
KCAL_GOOD_PCT, MACRO_GOOD_PCT = 5, 10
OFFERED = 40
"""Other dishes for a meal that are offered at once; a search finds the rest."""


def _week(visitor: Visitor) -> date:
    """The Monday in the address. Raises a 404 problem for none."""
    return monday_of(day_of(visitor.request.path_params.get("week"), visitor.today))


def _history(visitor: Visitor, db: Connection, week: date) -> list[Event]:
    return [r.event for r in stream_of(visitor, db, f"plan/{week}")]


def _decided(visitor: Visitor, week: date) -> Decided:
    with visitor.store.database.transaction() as db:
        return decided(_history(visitor, db, week))


def _grid(visitor: Visitor, db: Connection) -> Mapping[str, Any]:
    """Days, each with its meals and what everybody's day comes to."""
    week = _week(visitor)
    found = planned_week(db, visitor.household, week)
    history = _history(visitor, db, week)
    said = decided(history)
    last = next((e for e in reversed(history) if not isinstance(e, PlanAccepted)), None)
    cells = {(c.day, c.meal): c for c in found.cells} if found else {}
    totals = defaultdict(list)
    for total in found.days if found else ():
        totals[total.day].append(total)
    days = [
        {
            "day": day,
            "cells": [_cell(cells.get((day, meal)), (day, meal), said) for meal in _meals(said, cells)],
            "totals": totals[day],
        }
        for day in (week + timedelta(days=n) for n in range(7))
    ]
    return {
        "week": week,
        "found": found,
        "days": days,
        "names": names_of(visitor, db),
        "working": isinstance(last, PlanRequested),
        "rejected": last if isinstance(last, PlanRejected) else None,
        "accepted": any(isinstance(e, PlanAccepted) for e in history),
        "decided_of": len(said.rules.locks) + len(said.rules.skips),
        "kcal_good": KCAL_GOOD_PCT,
        "macro_good": MACRO_GOOD_PCT,
    }


def _meals(said: Decided, cells: Mapping[tuple[date, str], Cell]) -> list[Meal]:
    """Those of the request, in the order of the day; a meal that the plan has is never left out."""
    return [m for m in MEALS if m in said.rules.meals or any(meal == m for _, meal in cells)]


def _cell(cell: Cell | None, slot: Slot, said: Decided) -> dict[str, Any]:
    return {
        "cell": cell,
        "day": slot[0],
        "meal": slot[1],
        "locked": slot in said.locked,
        "skipped": slot in said.skipped,
    }


GRID = Panel("grid", (WeekPlan, Targets, CommandStatus), _grid)


@router.get("/week")
def this_week(visitor: Seen) -> Response:
    return RedirectResponse(f"/app/week/{monday_of(visitor.today)}", 303)


@router.get("/week/{week}")
def week(visitor: Seen) -> Response:
    monday = _week(visitor)
    if str(monday) != visitor.request.path_params["week"]:
        return RedirectResponse(f"/app/week/{monday}", 303)
    return page(visitor, "week", f"Week of {monday:%d %B %Y}", [GRID], week=monday)


def _other(visitor: Visitor, db: Connection) -> Mapping[str, Any]:
    """What may take the place of a meal: by name, or as filling as what is there."""
    slot = _slot(visitor)
    found = planned_week(db, visitor.household, _week(visitor))
    now = next((c for c in found.cells if (c.day, c.meal) == slot), None) if found else None
    text = visitor.request.query_params.get("q", "").strip()[:100]
    stands = one_recipe(db, visitor.household, now.recipe) if now else None
    offered = search_recipes(db, visitor.household, text, limit=500, known=True)
    if stands is not None and stands.kcal and not text:
        same = set(stands.categories)
        offered.sort(key=lambda r: (not same & set(r.categories), abs((r.kcal or 0) - (stands.kcal or 0))))
    offered = [r for r in offered if now is None or r.recipe != now.recipe][:OFFERED]
    return {"day": slot[0], "meal": slot[1], "now": now, "q": text, "offered": offered, "week": _week(visitor)}


@router.get("/week/{week}/swap/{day}/{meal}")
def swap(visitor: Seen) -> Response:
    """Other dishes for a meal."""
    on, meal = _slot(visitor)
    panel = Panel("other", (WeekPlan, RecipeCatalogue, RecipeNutrition), _other)
    return page(visitor, "swap", f"{on:%A} {meal}", [panel], week=_week(visitor))


def _slot(visitor: Visitor) -> Slot:
    return _named(visitor.request.path_params["day"], visitor.request.path_params["meal"])


def _named(day: str, meal: str) -> Slot:
    found = next((m for m in get_args(Meal) if m == meal), None)
    if found is None:
        raise Problem(404, f"“{meal[:40]}” is none of {', '.join(MEALS)}.")
    return day_of(day, date.min), found


@router.post("/week/{week}/decide")
def decide(visitor: Seen, form: Written) -> Response:
    """Swap, lock or skip a meal, or take that back: a new request of the week, all of whose other meals stay."""
    monday, slot = _week(visitor), _named(form["day"], form["meal"])
    said = _decided(visitor, monday)
    now = dict(said.stands).get(slot)
    match form["what"]:
        case "swap":
            said = said.lock(slot, form["recipe"])
        case "lock" if now:
            said = said.lock(slot, now)
        case "unlock":
            said = said.unlock(slot)
        case "skip":
            said = said.skip(slot)
        case "unskip":
            said = said.unskip(slot)
        case _:
            raise Problem(422, "There is nothing like that to decide: load the page again.", field="what")
    return _ask(visitor, form, monday, said, keep=True)


@router.post("/week/{week}/plan")
def plan(visitor: Seen, form: Written) -> Response:
    """Plan the week, all of it but what is locked; `another` looks for another one that is as good."""
    said = _decided(visitor, _week(visitor))
    if form["what"] == "another":
        said = Decided(said.rules, said.persons, said.seed + 1, said.stands, said.asked)
    return _ask(visitor, form, _week(visitor), said, keep=False)


@router.post("/week/{week}/accept")
def accept(visitor: Seen, form: Written) -> Response:
    """Cook it."""
    monday = _week(visitor)
    receipt = visitor.accept(lambda store, origin: accept_plan(store, monday, origin), form)
    return done(receipt, f"/app/week/{monday}")


def _ask(visitor: Visitor, form: Form, week: date, said: Decided, *, keep: bool) -> Response:
    rules = said.kept() if keep else said.rules

    def act(store: EventStore, origin: Origin) -> Accepted:
        return request_plan(store, week, origin, persons=said.persons, rules=rules, seed=said.seed)

    return done(visitor.accept(act, form), f"/app/week/{week}")
