"""What became of a command: its events as a tree of causes, with times, and who is still to react."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Path, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from meal_assets.consumers import Consumer
from meal_assets.event_store import EventStore, Recorded
from meal_assets.read_models import READ_MODELS
from meal_assets.read_models.base import keys_of
from meal_assets.subscriptions.standing import places

from ..caller import Reader, sees
from ..problems import Problem, documented
from ..state import Here
from ..streams import TYPE, Sent, streamed, wants_stream

router = APIRouter(tags=["commands"])

MAX_SHOWN = 500
"""Events of a command that are shown: the first."""
OF_ALL = ("command_status", "event_statistics")
"""Read models that listen to everything: they are no command's result."""

State = Literal["accepted", "working", "done", "failed"]


class Happened(BaseModel):
    """An event of a command."""

    position: int
    event_id: UUID
    type: str
    stream: str
    actor: str
    recorded_at: datetime
    seconds: float = Field(description="After the first event of the command.")
    because_of: UUID | None = Field(description="The event it follows from; null for the command's own.")
    outcome: Literal["working", "done", "failed"]


class Command(BaseModel):
    """A command and all that followed."""

    command_id: UUID
    state: State = Field(
        description="accepted: nobody reacted yet; working: somebody still is to; done; failed: something of it did."
    )
    accepted_at: datetime
    position: int = Field(description="Of its last event: ask queries with `after` this.")
    waits_for: list[str] = Field(description="Consumers that have not reacted yet.")
    failures: list[str] = Field(description="Why something failed.")
    results: list[str] = Field(description="Where to see what came of it.")
    events: list[Happened]


@router.get(
    "/commands/{command_id}",
    response_model=Command,
    responses={
        200: {
            "content": {TYPE: {"schema": {"type": "string"}}},
            "description": "As it stands, or a stream to its end.",
        },
        **documented(401, 403, 404, 422, 429, 503),
    },
)
async def command(
    request: Request, here: Here, caller: Reader, command_id: Annotated[UUID, Path(description="Of its receipt.")]
) -> Any:
    """How a command stands; with `Accept: text/event-stream` each change of that, until it is done or failed."""
    store = sees(request, caller)
    if wants_stream(request):
        return await streamed(request, here, caller, _Following(store, here.store, command_id).look)
    return await run_in_threadpool(command_of, store, here.store, command_id)


class _Following:
    """What changed of a command since one looked last."""

    def __init__(self, store: EventStore, whole: EventStore, command_id: UUID) -> None:
        self._store, self._whole, self._id, self._seen = store, whole, command_id, ""

    def look(self) -> list[Sent]:
        now = command_of(self._store, self._whole, self._id)
        told = now.model_dump_json()
        if told == self._seen:
            return []
        self._seen = told
        return [Sent(told, str(now.position), now.state, last=now.state in ("done", "failed"))]


def command_of(store: EventStore, whole: EventStore, command_id: UUID) -> Command:
    """How it stands, as far as `store` shows it; `whole` tells who has reacted.

    Raises a 404 problem where no event is of it, or none that the caller may see.
    """
    every = store.read_correlation(command_id)
    if not every:
        raise Problem(404, f"There is no command {command_id}.", field="command_id")
    waits = _waiting(every, whole)
    failed = [r for r in every if r.event.outcome == "failed"]
    first = every[0].recorded_at
    return Command(
        command_id=command_id,
        state=_state(every, waits, failed=bool(failed)),
        accepted_at=first,
        position=every[-1].position,
        waits_for=waits,
        failures=[_why(r) for r in failed[:MAX_SHOWN]],
        results=_results(every),
        events=[
            Happened(
                position=r.position,
                event_id=r.event_id,
                type=r.event.type_name,
                stream=r.stream,
                actor=r.actor,
                recorded_at=r.recorded_at,
                seconds=max((r.recorded_at - first).total_seconds(), 0.0),
                because_of=r.causation_id,
                outcome=r.event.outcome,
            )
            for r in every[:MAX_SHOWN]
        ],
    )


def _waiting(every: Sequence[Recorded], whole: EventStore) -> list[str]:
    """Consumers that have not come to an event of the command that they listen to."""
    newest = {r.event.type_name: r.position for r in every}
    with whole.database.transaction() as db:
        stand = [s for s in places(db) if s.behind and issubclass(s.subscriber, Consumer)]
    return [
        s.subscriber.name
        for s in stand
        if any(newest.get(e.type_name, 0) > s.position for e in s.subscriber.listens_to)
    ]


def _state(every: Sequence[Recorded], waits: Sequence[str], *, failed: bool) -> State:
    if failed:
        return "failed"
    if not waits:
        return "done"
    return "working" if any(r.causation_id for r in every) else "accepted"


def _why(recorded: Recorded) -> str:
    event = recorded.event
    told = next((v for n in ("message", "reason", "conflicts") if (v := getattr(event, n, None))), None)
    return f"{event.type_name}: {told}" if told else event.type_name


def _results(every: Sequence[Recorded]) -> list[str]:
    """Where read models show the newest event of each kind that has something to show, the newest first."""
    links: dict[str, None] = {}
    for recorded in reversed(every):
        for model in READ_MODELS.values():
            if model.name in OF_ALL or type(recorded.event) not in model.listens_to:
                continue
            keys = [k for k in keys_of(model) if k in type(recorded.event).model_fields]
            named = {k: str(getattr(recorded.event, k)) for k in keys if getattr(recorded.event, k) is not None}
            links[f"/read-models/{model.name}?{urlencode({**named, 'after': every[-1].position})}"] = None
    return list(links)[:20]
