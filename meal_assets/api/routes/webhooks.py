"""Who outside is told what happens."""

from typing import Annotated

from fastapi import APIRouter, Body, Path
from pydantic import BaseModel, ConfigDict, Field

from meal_assets.commands.webhooks import MAX_URL, register_webhook, remove_webhook, webhooks_of
from meal_assets.contracts.webhook import WEBHOOK_ID

from ..caller import Admin, Caller
from ..desk import ACCEPTED, AdminDesk, Receipt
from ..problems import Problem, documented
from ..state import Here

router = APIRouter(prefix="/webhooks", tags=["webhooks"])


class WebhookBody(BaseModel):
    """An address, and the topics it gets."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(min_length=9, max_length=MAX_URL, pattern=r"^https?://[^\s\x00]+$", description="With https://.")
    topics: list[Annotated[str, Field(max_length=100)]] = Field(min_length=1, max_length=50)


class WebhookShown(BaseModel):
    """A webhook that stands."""

    webhook: str
    url: str
    topics: list[str]
    secret: str = Field(description="What `webhook-signature` is made with, as Standard Webhooks says.")


@router.get("", responses=documented(401, 403, 422, 429, 503))
def webhooks(here: Here, caller: Admin) -> list[WebhookShown]:
    """The household's, with what their signatures are made with."""
    _whole(caller)
    return [
        WebhookShown(webhook=w.webhook, url=w.url, topics=list(w.topics), secret=w.secret)
        for w in webhooks_of(here.store, caller.household)
    ]


@router.post("", **ACCEPTED)
def register(desk: AdminDesk, told: Annotated[WebhookBody, Body()]) -> Receipt:
    """Send events of these topics there from now on, signed; the same address again changes its topics."""
    _whole(desk.caller)
    permit = desk.shared.outside.page_servers
    return desk.accept(lambda store, origin: register_webhook(store, told.url, told.topics, origin, permit))


@router.delete("/{webhook}", **ACCEPTED)
def remove(desk: AdminDesk, webhook: Annotated[str, Path(pattern=WEBHOOK_ID)]) -> Receipt:
    """Send nothing there any more."""
    _whole(desk.caller)
    return desk.accept(lambda store, origin: remove_webhook(store, webhook, origin))


def _whole(caller: Caller) -> None:
    if caller.person is not None:
        raise Problem(403, f"A webhook gets what is of the whole household; this token is {caller.person}'s.")
