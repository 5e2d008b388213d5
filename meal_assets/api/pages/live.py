"""Tells an open page which read models have taken in something new of its household; the page then asks for them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool

from meal_assets.event_store import EventStore
from meal_assets.read_models import READ_MODELS

from ..state import Here
from ..streams import Sent, streamed
from .visitor import Seen, caller_of

router = APIRouter()
LOOKED_AT_ONCE = 500
HEARD = {
    name: frozenset(e.type_name for e in model.listens_to)
    for name, model in READ_MODELS.items()
    if name not in ("event_statistics",)
}


@router.get("/live")
async def live(
    request: Request,
    here: Here,
    visitor: Seen,
    after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
) -> Any:
    """A stream of names of read models, from what the page shows (`after`) on; `log` where there was anything."""
    last = request.headers.get("last-event-id", "")
    at = int(last) if last.isdigit() else after
    changes = Changes(visitor.store, visitor.household, min(at, await run_in_threadpool(here.store.head)))
    return await streamed(request, here, visitor.caller, changes.look, caller_of)


class Changes:
    """What came after a position, and which read models have it by now."""

    def __init__(self, store: EventStore, household: str, after: int) -> None:
        self._store, self._household, self._after = store, household, after
        self._waiting: dict[str, int] = {}

    def look(self) -> list[Sent]:
        """The read models that have taken in since what they listen to."""
        with self._store.database.transaction() as db:
            new = db.execute(
                "SELECT position, type FROM log.events WHERE household = %s AND position > %s"
                " ORDER BY position LIMIT %s",
                (self._household, self._after, LOOKED_AT_ONCE),
            ).fetchall()
            for position, type_name in new:
                self._after = position
                self._waiting |= {name: position for name, types in HEARD.items() if type_name in types}
            stands = dict(
                db.execute(
                    "SELECT subscriber, position FROM log.checkpoints WHERE subscriber = ANY(%s)",
                    ([*self._waiting],),
                ).fetchall()
            )
        ready = [name for name, position in self._waiting.items() if stands.get(name, 0) >= position]
        for name in ready:
            del self._waiting[name]
        told = [*ready, *(["log"] if new else [])]
        return [Sent(" ".join(told), str(min([self._after, *(p - 1 for p in self._waiting.values())])))] if told else []
