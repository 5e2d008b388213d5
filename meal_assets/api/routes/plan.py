"""Asking for a week, and accepting it."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field

from meal_assets.commands.plan import accept_plan, request_plan
from meal_assets.contracts.plan_request import PlanRules
from meal_assets.contracts.values import PersonId

from ..desk import ACCEPTED, Receipt, WriteDesk

router = APIRouter(prefix="/plans", tags=["plan"])


class PlanBody(BaseModel):
    """A week that is wanted; for everybody of the household when nobody is named."""

    model_config = ConfigDict(extra="forbid")

    week: date = Field(description="Its Monday.")
    persons: list[PersonId] = Field(default=[], max_length=6)
    rules: PlanRules = PlanRules()
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="Another number breaks ties another way.")


@router.post("", **ACCEPTED)
def request(desk: WriteDesk, told: Annotated[PlanBody, Body()]) -> Receipt:
    """Ask for a plan of the week. `/read-models/week_plan` shows it when the command is done."""
    return desk.accept(
        lambda store, origin: request_plan(
            store, told.week, origin, persons=told.persons, rules=told.rules, seed=told.seed
        )
    )


@router.put("/{week}/acceptance", **ACCEPTED)
def accept(desk: WriteDesk, week: date) -> Receipt:
    """Cook the week as it is planned; what is to be published is."""
    return desk.accept(lambda store, origin: accept_plan(store, week, origin))
