"""What is switched on for whom; `/read-models/flags` shows it."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from meal_assets.commands.flags import pause, resume, set_flag
from meal_assets.contracts.system import CONSUMER_FLAG, READ_MODEL_FLAG, FlagSet
from meal_assets.subscriptions import SUBSCRIBERS, flag_of

from ..desk import ACCEPTED, AdminDesk, OperatorDesk, Receipt
from ..problems import Problem
from ..said import said

router = APIRouter(tags=["flags"])

Name = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,99}$", description="Of a read model or consumer.")]


class WhyBody(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid")

    reason: str | None = Field(default=None, min_length=1, max_length=300, pattern=r"^[^\x00]*$")


@router.put("/flags/{flag}", **ACCEPTED)
def set_one(desk: AdminDesk, event: Annotated[FlagSet, Depends(said(FlagSet, "flag"))]) -> Receipt:
    """Let a flag say something. For others than one's own household, only the admin of the installation may."""
    subscribers = [flag_of(s) for s in SUBSCRIBERS.values()]
    if event.flag.startswith((CONSUMER_FLAG, READ_MODEL_FLAG)) and event.flag not in subscribers:
        raise Problem(422, f"flag: {event.flag} is none of {', '.join(subscribers)}.", field="flag")
    if event.target_household != desk.caller.household and not desk.caller.operates:
        detail = f"Only for target_household {desk.caller.household} may this token set flags."
        raise Problem(403, detail, field="target_household")
    if desk.caller.person is not None and event.target_person != desk.caller.person:
        raise Problem(403, f"Only for target_person {desk.caller.person}.", field="target_person")
    return desk.accept(lambda store, origin: set_flag(store, event, origin))


@router.post("/subscribers/{name}/pause", **ACCEPTED)
def pause_one(desk: OperatorDesk, name: Name, told: Annotated[WhyBody | None, Body()] = None) -> Receipt:
    """Let a read model or consumer rest where it is."""
    return desk.accept(lambda store, origin: pause(store, _flag(name), origin, told.reason if told else None))


@router.post("/subscribers/{name}/resume", **ACCEPTED)
def resume_one(desk: OperatorDesk, name: Name, told: Annotated[WhyBody | None, Body()] = None) -> Receipt:
    """Let it go on as before the pause."""
    return desk.accept(lambda store, origin: resume(store, _flag(name), origin, told.reason if told else None))


def _flag(name: str) -> str:
    if name not in SUBSCRIBERS:
        raise Problem(404, f"{name} is none of {', '.join(SUBSCRIBERS)}.", field="name")
    return flag_of(SUBSCRIBERS[name])
