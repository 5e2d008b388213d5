"""Deciding about events that a consumer could not handle; `/read-models/dead_letters` lists them."""

from typing import Annotated

from fastapi import APIRouter, Body, Path
from pydantic import BaseModel, ConfigDict, Field

from meal_assets.commands.base import Accepted
from meal_assets.commands.dead_letters import discard, household_at, retry, retry_all
from meal_assets.consumers import CONSUMERS
from meal_assets.event_store import EventStore, Origin

from ..desk import ACCEPTED, AdminDesk, Desk, Receipt
from ..problems import Problem

router = APIRouter(prefix="/dead-letters/{consumer}", tags=["dead letters"])

Of = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,99}$", description="Name of the consumer.")]
At = Annotated[int, Path(ge=1, le=2**63 - 1, description="Position of the event.")]


class KindBody(BaseModel):
    """Which letters."""

    model_config = ConfigDict(extra="forbid")

    error_class: str | None = Field(default=None, max_length=200, description="Only errors of this class.")


class ReasonBody(BaseModel):
    """Why the event need not be handled."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=1_000, pattern=r"^[^\x00]*$")


@router.post("/retry", **ACCEPTED)
def retry_every(desk: AdminDesk, consumer: Of, told: Annotated[KindBody | None, Body()] = None) -> Receipt:
    """Let the consumer try all its open letters of the household again, or those of one kind."""

    def act(store: EventStore, origin: Origin) -> Accepted:
        every = retry_all(store, consumer, origin, told.error_class if told else None)
        position = every[-1].position if every else store.head()
        return Accepted(origin.correlation_id, position, sum(one.events for one in every))

    _known(desk, consumer)
    return desk.accept(act)


@router.post("/{position}/retry", **ACCEPTED)
def retry_one(desk: AdminDesk, consumer: Of, position: At) -> Receipt:
    """Let the consumer try the event again."""
    _known(desk, consumer, position)
    return desk.accept(lambda store, origin: retry(store, consumer, position, origin))


@router.post("/{position}/discard", **ACCEPTED)
def discard_one(desk: AdminDesk, consumer: Of, position: At, told: Annotated[ReasonBody, Body()]) -> Receipt:
    """Say that the event need not be handled, and why."""
    _known(desk, consumer, position)
    return desk.accept(lambda store, origin: discard(store, consumer, position, told.reason, origin))


def _known(desk: Desk, consumer: str, position: int | None = None) -> None:
    if consumer not in CONSUMERS:
        raise Problem(404, f"{consumer} is none of {', '.join(CONSUMERS)}.", field="consumer")
    if position is not None and household_at(desk.shared.store, position) != desk.caller.household:
        raise Problem(404, f"There is no event of {desk.caller.household} at {position}.", field="position")
