"""Server-sent events: a stream sends what there is, then waits to be woken, until it is through or nobody reads it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import NamedTuple

import psycopg
from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from .caller import Caller, authenticate
from .problems import Problem
from .state import Shared
from .tail import Woken

TYPE = "text/event-stream"
AGAIN_MILLISECONDS = 2_000
"""After which a browser whose stream broke off asks again."""


class Sent(NamedTuple):
    """One event of a stream; `last`: nothing follows."""

    data: str
    id: str | None = None
    event: str | None = None
    last: bool = False


Look = Callable[[], list[Sent]]
"""What is new since it was called last."""
Who = Callable[[Request, Shared], Caller]
"""Tells who asks, or raises a 401 problem."""


def wants_stream(request: Request) -> bool:
    return TYPE in request.headers.get("accept", "")


async def streamed(
    request: Request, shared: Shared, caller: Caller, look: Look, who: Who = authenticate
) -> StreamingResponse:
    """The answer. Raises what the first look raises, and a 503 problem where there are streams enough.

    Who may not any more, as `who` tells, is told so, and let go of: a token is looked at anew with each beat.
    """
    held = AsyncExitStack()
    woken = await held.enter_async_context(shared.tail.stream(caller.token))
    try:
        first = await run_in_threadpool(look)
    except BaseException:
        await held.aclose()
        raise
    leave = request.scope.get("leave_bounds")
    if leave:
        leave()
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    sending = _sending(request, shared, held, woken, look, first, who)
    return StreamingResponse(sending, media_type=TYPE, headers=headers)


async def _sending(
    request: Request, shared: Shared, held: AsyncExitStack, woken: Woken, look: Look, first: list[Sent], who: Who
) -> AsyncIterator[str]:
    async with held:
        yield f"retry: {AGAIN_MILLISECONDS}\n\n"
        found = first
        while True:
            for one in found:
                yield _written(one)
                if one.last:
                    return
            grew = False if found else await woken.wait()
            if shared.tail.closed or await request.is_disconnected():
                return
            if not grew and not found:
                try:
                    await run_in_threadpool(who, request, shared)
                except Problem as problem:
                    if problem.status == 401:
                        yield _written(Sent(problem.detail, event="unauthorized", last=True))
                        return
                except psycopg.Error:
                    pass  # the next beat asks again
                yield ": beat\n\n"
            try:
                found = await run_in_threadpool(look)
            except psycopg.Error:
                return  # whoever reads it asks again, from where it was


def _written(sent: Sent) -> str:
    head = "".join(f"{name}: {value}\n" for name, value in (("id", sent.id), ("event", sent.event)) if value)
    body = "".join(f"data: {line}\n" for line in sent.data.split("\n"))
    return f"{head}{body}\n"
