"""What is in the basket."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field

from meal_assets.commands.shopping import tick

from ..desk import ACCEPTED, Receipt, WriteDesk

router = APIRouter(prefix="/shopping/{week}", tags=["shopping"])


class TickBody(BaseModel):
    """An item of the week's list, as `/read-models/shopping_list` has it."""

    model_config = ConfigDict(extra="forbid")

    item: str = Field(min_length=1, max_length=2_000, pattern=r"^[^\x00]*$")
    ticked: bool = Field(default=True, description="False puts it back.")


@router.put("/ticks", **ACCEPTED)
def tick_item(desk: WriteDesk, week: date, told: Annotated[TickBody, Body()]) -> Receipt:
    """Tick an item, or put it back; what stands already says nothing new."""
    return desk.accept(lambda store, origin: tick(store, week, told.item, origin, done=told.ticked))
