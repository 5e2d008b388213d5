"""Which food a recipe means."""

from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field

from meal_assets.commands.foods import correct_match
from meal_assets.contracts.food import MAX_NAME

from ..desk import ACCEPTED, Receipt, WriteDesk

router = APIRouter(prefix="/foods", tags=["foods"])


class MatchBody(BaseModel):
    """What recipes call it, and the food that it is."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=MAX_NAME, pattern=r"^[^\x00]*$")
    food: str | None = Field(
        min_length=1, max_length=64, pattern=r"^[^\x00]*$", description="Its number; null: it is no food at all."
    )


@router.put("/matches", **ACCEPTED)
def correct(desk: WriteDesk, told: Annotated[MatchBody, Body()]) -> Receipt:
    """Correct which food a text means: nutrition is computed anew."""
    return desk.accept(lambda store, origin: correct_match(store, told.text, told.food, origin))
