"""The first steps: who eats, what can be cooked, and the first plan."""

import re
import unicodedata
from collections.abc import Mapping
from itertools import count
from typing import Any, get_args

from fastapi import APIRouter, Response

from meal_assets.commands.profile import set_profile
from meal_assets.commands.recipes import request_recipes
from meal_assets.contracts.profile import Activity, Aim, ProfileSet, Sex
from meal_assets.event_store import Connection
from meal_assets.read_models.recipe_catalogue import RecipeCatalogue
from meal_assets.read_models.targets import Targets
from meal_assets.read_models.week_plan import WeekPlan, planned_week
from meal_assets.starter import library

from ..problems import Problem
from .people import mine, people_of
from .showing import Panel, done, monday_of, page
from .visitor import Seen, Visitor, Written, number

router = APIRouter()
ACTIVITIES = dict(
    zip(get_args(Activity), ("mostly sitting", "on my feet a good part", "active most days"), strict=True)
)
AIMS = dict(zip(get_args(Aim), ("lose weight", "keep my weight", "gain weight"), strict=True))


def _steps(visitor: Visitor, db: Connection) -> Mapping[str, Any]:
    row = db.execute("SELECT count(*) FROM read.recipe_catalogue WHERE household = %s", (visitor.household,)).fetchone()
    week = monday_of(visitor.today)
    planned = planned_week(db, visitor.household, week)
    return {
        "people": people_of(visitor, db),
        "recipes": row[0] if row else 0,
        "week": week,
        "planned": bool(planned and planned.cells),
        "activities": ACTIVITIES,
        "aims": AIMS,
        "sexes": get_args(Sex),
    }


@router.get("/start")
def start(visitor: Seen) -> Response:
    return page(visitor, "start", "Begin", [Panel("steps", (Targets, RecipeCatalogue, WeekPlan), _steps)])


@router.post("/start/person")
def person(visitor: Seen, form: Written) -> Response:
    """Somebody eats here; said again of the same name, it replaces what was said."""
    with visitor.store.database.transaction() as db:
        known = {p.person: p.name for p in people_of(visitor, db).everybody}
    said = {
        "person": mine(visitor, visitor.caller.person or short_name(form["name"], known)),
        "name": form["name"],
        "weight_kg": number(form, "weight_kg", "Weight"),
        "height_cm": number(form, "height_cm", "Height"),
        **{name: form[name] or None for name in ("activity", "aim", "sex", "born")},
    }
    profile = ProfileSet.model_validate({name: value for name, value in said.items() if value is not None})
    return done(visitor.accept(lambda store, origin: set_profile(store, profile, origin), form), "/app/start")


@router.post("/start/library")
def starter(visitor: Seen, form: Written) -> Response:
    """Bring in the recipes that come with the program."""
    shipped = library()
    receipt = visitor.accept(
        lambda store, origin: request_recipes(store, shipped.name, shipped.read_bytes(), origin), form
    )
    return done(receipt, "/app/start")


def short_name(name: str, known: Mapping[str, str | None]) -> str:
    """Of Zoë Müller zoe, or zoe-2 where another one is that. Raises a 422 problem for a name without a letter."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    found = re.search(r"[a-z0-9]+", plain)
    if found is None:
        raise Problem(422, "Name: write it with a letter from a to z, too: it becomes the short name.", field="name")
    first = found.group()[:60]
    numbered = (first if n == 1 else f"{first}-{n}" for n in count(1))
    return next(short for short in numbered if known.get(short, name) == name)
