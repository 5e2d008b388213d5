"""Asking for recipes: of a web page, a file, a Tandoor."""

from typing import Annotated

from fastapi import APIRouter, Body, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from meal_assets.commands.base import Accepted
from meal_assets.commands.recipes import request_page, request_recipes, request_sync
from meal_assets.event_store import EventStore, Origin

from ..desk import ACCEPTED, Receipt, WriteDesk
from ..limits import FILES
from ..problems import Problem
from ..state import Here

router = APIRouter(tags=["recipes"])


class PageBody(BaseModel):
    """A web page with a recipe."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(min_length=8, max_length=2_000, description="As https://example.org/soup.")


class SyncBody(BaseModel):
    """How much of the Tandoor is read."""

    model_config = ConfigDict(extra="forbid")

    full: bool = Field(default=False, description="Everything, and not only what it lists as new.")


@router.post("/recipes/pages", **ACCEPTED)
def page(desk: WriteDesk, told: Annotated[PageBody, Body()]) -> Receipt:
    """Ask for the recipe on a web page. What of the address may be secret is neither kept nor sent."""
    return desk.accept(lambda store, origin: request_page(store, told.url, origin)[0])


@router.post(
    FILES,
    **ACCEPTED,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary", "minLength": 1}}},
        }
    },
)
async def file(
    request: Request,
    desk: WriteDesk,
    name: Annotated[str, Query(min_length=1, max_length=255, pattern=r"^[^\x00/\\]+$", description="Of the file.")],
) -> Receipt:
    """Ask for the recipes of a file: its bytes are the body. The same bytes again say nothing new."""
    from fastapi.concurrency import run_in_threadpool

    content = await request.body()
    return await run_in_threadpool(desk.accept, lambda store, origin: request_recipes(store, name, content, origin))


@router.post("/recipes/syncs", **ACCEPTED)
def sync(desk: WriteDesk, here: Here, told: Annotated[SyncBody | None, Body()] = None) -> Receipt:
    """Ask for the recipes of the household's Tandoor; nothing new where it lists nothing that is new."""

    if not here.outside.knows_tandoor:
        raise Problem(409, "No Tandoor is known here: set MEALS_TANDOOR_URL and MEALS_TANDOOR_TOKEN.")

    def act(store: EventStore, origin: Origin) -> Accepted:
        asked = request_sync(store, here.outside, origin, full=told is not None and told.full)
        return asked or Accepted(origin.correlation_id, store.head(), 0)

    return desk.accept(act)
