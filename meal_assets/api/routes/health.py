"""Whether it lives, whether it keeps up, and figures for Prometheus."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from meal_assets.subscriptions import standings
from meal_assets.subscriptions.metrics import CONTENT_TYPE
from meal_assets.subscriptions.metrics import metrics as told

from ..caller import Operator
from ..problems import documented
from ..state import Here

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """It answers."""

    alive: bool = True


class Follows(BaseModel):
    """Where a read model or consumer stands."""

    lag: int = Field(description="Positions between it and the newest event it listens to.")
    seconds: float = Field(description="Age of the oldest event it has not taken in.")
    state: str = Field(description="current, behind, paused or stopped.")


class Ready(BaseModel):
    """The database answers, and how far all who follow the log are."""

    head: int
    subscribers: dict[str, Follows]


@router.get("/livez")
async def livez() -> Alive:
    """Whether this process answers at all; nobody needs a token to ask."""
    return Alive()


@router.get("/readyz", responses=documented(503))
def readyz(here: Here) -> Ready:
    """Whether the database answers, and how far each subscriber is behind; nobody needs a token to ask."""
    follows = {}
    for s in standings(here.store):
        stands = "paused" if s.paused else "stopped" if s.stopped_at else "behind" if s.behind else "current"
        follows[s.subscriber.name] = Follows(lag=s.lag, seconds=round(s.lag_seconds, 3), state=stands)
    return Ready(head=here.store.head(), subscribers=follows)


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus, text format."},
        **documented(401, 403, 422, 429, 503),
    },
)
def metrics(here: Here, _: Operator) -> Response:
    """Figures of the whole installation, for Prometheus."""
    return Response(told(here.store), media_type=CONTENT_TYPE)
