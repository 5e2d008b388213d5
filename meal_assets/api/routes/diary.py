"""What was eaten."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from meal_assets.commands.base import Accepted
from meal_assets.commands.diary import close_day, correct_meal, log_meals, planned_meal, retract_meal
from meal_assets.contracts.diary import MealLogged
from meal_assets.contracts.values import Meal, Nutrients, PersonId
from meal_assets.event_store import EventStore, Origin
from meal_assets.event_store.records import uuid7

from ..desk import ACCEPTED, Receipt, WriteDesk
from ..said import said

router = APIRouter(prefix="/persons/{person}/diary/{day}", tags=["diary"])

Entry = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[^/\x00]*$", description="Id of the entry.")]
Logged = Annotated[
    MealLogged,
    Depends(said(MealLogged, "person", "day", given={"entry": lambda: uuid7().hex, "source": lambda: "person"})),
]


class Eaten(BaseModel):
    """How much of a planned meal was eaten."""

    model_config = ConfigDict(extra="forbid")

    servings: float | None = Field(default=None, gt=0, le=100, description="As planned without it.")


@router.post("/meals", **ACCEPTED)
def log(desk: WriteDesk, event: Logged) -> Receipt:
    """Log a meal by what it holds."""
    return desk.accept(lambda store, origin: log_meals(store, event.person, event.day, [event], origin))


@router.post("/planned/{meal}", **ACCEPTED)
def log_planned(
    desk: WriteDesk, person: PersonId, day: date, meal: Meal, told: Annotated[Eaten | None, Body()] = None
) -> Receipt:
    """Log a meal as it was planned, or so many servings of it; said again, it says nothing new."""

    def act(store: EventStore, origin: Origin) -> Accepted:
        entry = planned_meal(store, origin.household, person, day, meal, told.servings if told else None)
        return log_meals(store, person, day, [entry], origin)

    return desk.accept(act)


@router.put("/meals/{entry}/nutrition", **ACCEPTED)
def correct(desk: WriteDesk, person: PersonId, day: date, entry: Entry, told: Annotated[Nutrients, Body()]) -> Receipt:
    """Replace what an entry holds."""
    return desk.accept(lambda store, origin: correct_meal(store, person, day, entry, told, origin))


@router.delete("/meals/{entry}", **ACCEPTED)
def retract(desk: WriteDesk, person: PersonId, day: date, entry: Entry) -> Receipt:
    """Take an entry back."""
    return desk.accept(lambda store, origin: retract_meal(store, person, day, entry, origin))


@router.put("/closed", **ACCEPTED)
def close(desk: WriteDesk, person: PersonId, day: date) -> Receipt:
    """Say that the day's diary is complete: it is reconciled with the targets."""
    return desk.accept(lambda store, origin: close_day(store, person, day, origin))
