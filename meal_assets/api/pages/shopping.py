"""The shopping list by aisle: ticked by whoever is in the shop, seen at once by all others."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from meal_assets.commands.shopping import tick
from meal_assets.contracts.shopping import ItemTicked, ItemUnticked
from meal_assets.domain.nutrition import food_key
from meal_assets.domain.shop import ToBuy, to_buy
from meal_assets.domain.shopping import shown
from meal_assets.domain.units import AS_WRITTEN
from meal_assets.event_store import Connection
from meal_assets.foods.shop import shop
from meal_assets.read_models.pantry import Pantry, lots_in
from meal_assets.read_models.shopping_list import ShoppingList, items_of
from meal_assets.read_models.targets import Targets

from ..problems import Problem
from .people import names_of
from .showing import Panel, day_of, done, monday_of, page
from .told import stream_of
from .visitor import Seen, Visitor, Written

router = APIRouter()
NAMED = 2
"""Meals that a line names."""


def _week(visitor: Visitor) -> date:
    return monday_of(day_of(visitor.request.path_params.get("week"), visitor.today))


def _list(visitor: Visitor, db: Connection) -> Mapping[str, Any]:
    """Aisles with their lines, those that are in the basket last."""
    week = _week(visitor)
    items = items_of(db, visitor.household, week)
    lines = to_buy([i.needed for i in items], lots_in(db, visitor.household), shop())
    names = names_of(visitor, db)
    told = stream_of(visitor, db, f"shopping/{week}")
    who = {r.event.item: r.actor for r in told if isinstance(r.event, ItemTicked | ItemUnticked)}
    ticked = {i.item: _called(who.get(i.item, ""), names) for i in items if i.ticked}
    needed = [line for line in lines if line.quantity != 0]
    aisles = [(aisle, [_line(b) for b in of]) for aisle, of in groupby(needed, key=lambda b: b.aisle)]
    return {
        "week": week,
        "aisles": aisles,
        "ticked": ticked,
        "left": sum(b.item.item not in ticked for b in needed),
        "enough": [b.item.item for b in lines if b.quantity == 0],
    }


def _called(actor: str, names: Mapping[str, str]) -> str:
    """Who did it, as people say it."""
    return names.get(actor, {"tandoor": "Tandoor"}.get(actor, "somebody here"))


def _amount(quantity: float | None, unit: str) -> str:
    return f"{quantity:.2g} {AS_WRITTEN}" if quantity is not None and unit == AS_WRITTEN else shown(quantity, unit)


def _line(line: ToBuy) -> dict[str, Any]:
    """A line as it is read in a shop: how much, what, and why."""
    item = line.item
    told = []
    if line.quantity != item.quantity:
        told.append(f"{_amount(item.quantity, item.unit)} needed")
    if line.at_home:
        told.append(f"{_amount(line.at_home, item.unit)} at home")
    if any(size != 1 for size, _ in line.packs):
        told.append(" + ".join(f"{count} × {_amount(size, item.unit)}" for size, count in line.packs))
    return {
        "item": item.item,
        "amount": _amount(line.quantity, item.unit),
        "also": [name for name in item.names if food_key(name) != food_key(item.item)],
        "told": ", ".join(told),
        "meals": _meals(item.meals),
    }


def _meals(titles: Sequence[str]) -> str:
    """What a line is for, in a few words."""
    more = len(titles) - NAMED
    return ", ".join(titles[:NAMED]) + (f" and {more} more" if more > 0 else "")


LIST = Panel("list", (ShoppingList, Pantry, Targets), _list)


@router.get("/shopping")
def this_week(visitor: Seen) -> Response:
    return RedirectResponse(f"/app/shopping/{monday_of(visitor.today)}", 303)


@router.get("/shopping/{week}")
def shopping(visitor: Seen) -> Response:
    week = _week(visitor)
    if str(week) != visitor.request.path_params["week"]:
        return RedirectResponse(f"/app/shopping/{week}", 303)
    return page(visitor, "shopping", f"Shopping for {week:%d %B}", [LIST], week=week)


@router.post("/shopping/{week}/tick")
def tick_item(visitor: Seen, form: Written) -> Response:
    """Into the basket, or out of it again."""
    week, item = _week(visitor), form["item"]
    with visitor.store.database.transaction() as db:
        if item not in {i.item for i in items_of(db, visitor.household, week)}:
            raise Problem(404, f"{item[:100]} is not on the list of this week any more.", field="item")
    is_in = form["what"] != "untick"
    receipt = visitor.accept(lambda store, origin: tick(store, week, item, origin, done=is_in), form)
    return done(receipt, f"/app/shopping/{week}")
