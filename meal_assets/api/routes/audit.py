"""Which events made a row of a read model, and what those follow from."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from meal_assets.read_models import READ_MODELS
from meal_assets.read_models.base import events_behind, narrowing, row_key, with_causes

from ..caller import Reader, sees
from ..problems import Problem, documented

router = APIRouter(tags=["audit"])

MAX_SHOWN = 100
"""Events of a row that are shown: the newest."""


class Behind(BaseModel):
    """An event that made the row, or led to one that did."""

    position: int
    event_id: UUID
    type: str
    stream: str
    actor: str
    correlation_id: UUID
    because_of: UUID | None
    recorded_at: datetime
    made_it: bool = Field(description="Whether it made the row; else it led to one that did.")
    data: dict[str, Any]


class Audit(BaseModel):
    """What is behind a row."""

    key: dict[str, str]
    count: int = Field(description="Events that made the row.")
    wider: list[str] = Field(description="Types of events that do not say all of the key: some may be of other rows.")
    events: list[Behind]


@router.get("/audit/{read_model}/{key:path}", responses=documented(401, 403, 404, 410, 422, 429, 503))
def audit(
    request: Request,
    caller: Reader,
    read_model: Annotated[str, Path(max_length=100)],
    key: Annotated[
        str,
        Path(
            max_length=1_000,
            pattern=r"^[^\x00]*$",
            description="Values of the key in its order; its end may be left out.",
        ),
    ],
) -> Audit:
    """Which events made the row with this key. `/read-models` tells the keys."""
    model = READ_MODELS.get(read_model)
    if model is None:
        raise Problem(404, f"{read_model} is none of {', '.join(READ_MODELS)}.", field="read_model")
    store = sees(request, caller)
    with store.database.transaction() as db:
        columns = row_key(db, model, key.split("/"), caller.household)
        behind = events_behind(db, model, columns)
        every = store.personal.opened(db, with_causes(db, behind[-MAX_SHOWN:]))
    made = {r.event_id for r in behind}
    return Audit(
        key=columns,
        count=len(behind),
        wider=sorted(
            {
                e.type_name
                for e in {type(r.event) for r in behind}
                if set(columns) - set(narrowing(model, e, list(columns)))
            }
        ),
        events=[
            Behind(
                position=r.position,
                event_id=r.event_id,
                type=r.event.type_name,
                stream=r.stream,
                actor=r.actor,
                correlation_id=r.correlation_id,
                because_of=r.causation_id,
                recorded_at=r.recorded_at,
                made_it=r.event_id in made,
                data=r.event.model_dump(mode="json", exclude_none=True),
            )
            for r in every
        ],
    )
