"""What comes into the pantry, and what goes out of it."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field

from meal_assets.commands.pantry import stock, use

from ..desk import ACCEPTED, Receipt, WriteDesk

router = APIRouter(prefix="/pantry", tags=["pantry"])

Item = Annotated[
    str, Field(min_length=1, max_length=255, pattern=r"^[^\x00]*$", description="As a recipe would call it.")
]
Unit = Annotated[
    str, Field(max_length=64, pattern=r"^[^\x00]*$", description="g, kg, ml, l, cup, can …; pieces without.")
]
MAX_AMOUNT = 100_000


class StockBody(BaseModel):
    """So much of an item that came into the house."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    item: Item
    amount: float = Field(gt=0, le=MAX_AMOUNT)
    unit: Unit = ""
    expires: date | None = Field(default=None, description="The last day on which it is good.")
    frozen: bool = False


class UseBody(BaseModel):
    """So much of an item that was used or thrown away; all of it without an amount."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    item: Item
    amount: float | None = Field(default=None, gt=0, le=MAX_AMOUNT)
    unit: Unit = ""


@router.post("/stock", **ACCEPTED)
def put_away(desk: WriteDesk, told: Annotated[StockBody, Body()]) -> Receipt:
    """Put something away."""
    return desk.accept(
        lambda store, origin: stock(
            store, told.item, told.amount, told.unit, origin, expires=told.expires, frozen=told.frozen
        )
    )


@router.post("/use", **ACCEPTED)
def take_out(desk: WriteDesk, told: Annotated[UseBody, Body()]) -> Receipt:
    """Take something out, what expires first before the others."""
    amount = None if told.amount is None else (told.amount, told.unit)
    return desk.accept(lambda store, origin: use(store, told.item, amount, origin))
