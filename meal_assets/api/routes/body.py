"""Weighing in."""

from typing import Annotated

from fastapi import APIRouter, Depends

from meal_assets.commands.body import record_weights
from meal_assets.contracts.body import WeightRecorded

from ..desk import ACCEPTED, Receipt, WriteDesk
from ..said import said

router = APIRouter(prefix="/persons/{person}/weights", tags=["body"])


@router.put("/{day}", **ACCEPTED)
def weigh(desk: WriteDesk, event: Annotated[WeightRecorded, Depends(said(WeightRecorded, "person", "day"))]) -> Receipt:
    """Record a weigh-in; a later one for the same day replaces it."""
    return desk.accept(lambda store, origin: record_weights(store, event.person, [event], origin))
