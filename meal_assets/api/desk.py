"""Where commands are taken: once each, by whom they may be, on the version they were meant for; answered with 202."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

import psycopg
from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel, Field

from meal_assets.commands.base import Accepted
from meal_assets.contracts import Event
from meal_assets.errors import StaleVersion
from meal_assets.event_store import EventStore, Origin
from meal_assets.event_store.records import Appended
from meal_assets.event_store.requests import claim, give_up, note_answer

from .caller import Admin, Caller, Operator, Writer
from .problems import Problem, documented
from .state import Shared, shared_of

COMMANDS = "/commands"
WRONG = documented(400, 401, 403, 404, 409, 412, 413, 422, 429, 503)


class Receipt(BaseModel):
    """What a command is answered with."""

    command_id: UUID = Field(description="Its correlation id: all that follows from it carries it.")
    position: int = Field(description="Ask a query with `after` this, to read what you wrote.")
    events: int = Field(description="How many were appended; 0 where there was nothing new to say.")
    stream: str | None = Field(default=None, description="What was written to.")
    stream_version: int | None = Field(default=None, description="For `If-Match` of the next command on it.")
    status_url: str | None = Field(default=None, description="Where to see what became of it.")


ACCEPTED: dict[str, Any] = {
    "status_code": 202,
    "response_model": Receipt,
    "response_model_exclude_none": True,
    "responses": {
        **WRONG,
        200: {"model": Receipt, "description": "It says nothing new: nothing was appended."},
        202: {
            "description": "Accepted: it is in the log, and is being worked on.",
            "headers": {
                "Location": {"description": "The command.", "schema": {"type": "string"}},
                "ETag": {"description": "The version of the stream.", "schema": {"type": "string"}},
            },
        },
    },
}
"""How a route that takes a command is declared."""


class Guarded(EventStore):
    """The log for one command: appends go to the caller's household and person only, and to the version they mean.

    `appended` is the last append.
    """

    def __init__(self, store: EventStore, caller: Caller, version: int | None) -> None:
        self.database, self.personal, self._group = store.database, store.personal, store._group
        self._caller, self._version = caller, version
        self.appended: Appended | None = None
        self.stream: str | None = None

    def append(
        self,
        stream: str,
        events: Sequence[Event],
        *,
        origin: Origin,
        expected_version: int | None = None,
        **how: Any,
    ) -> Appended:
        caller = self._caller
        if origin.household != caller.household or not stream.startswith(f"{caller.household}/"):
            raise Problem(403, f"This token speaks for {caller.household} only.")
        for event in events:
            person = getattr(event, "person", None)
            if caller.person is not None and person is not None and person != caller.person:
                raise Problem(403, f"This token speaks for {caller.person} only, not for {person}.", field="person")
        if self._version is not None:
            if expected_version is not None and expected_version != self._version:
                raise StaleVersion(stream, self._version, expected_version)
            expected_version = self._version
        self.appended = super().append(stream, events, origin=origin, expected_version=expected_version, **how)
        self.stream = stream
        return self.appended


Act = Callable[[Guarded, Origin], Accepted]


@dataclass(frozen=True, slots=True)
class Desk:
    """Takes the command of one request."""

    shared: Shared
    caller: Caller
    response: Response
    key: str | None
    version: int | None
    digest: bytes

    def accept(self, act: Act) -> Receipt:
        """Let `act` append, and answer. With an Idempotency-Key it is done once, whatever breaks in between."""
        origin = Origin(self.caller.household, self.caller.actor)
        if self.key is None:
            return self._answered(self._act(act, origin))
        database, token = self.shared.store.database, self.caller.token
        broken = (token, self.key) in self.shared.broken
        stuck = (timedelta(0),) if broken else ()
        claimed = claim(database, origin.household, token, self.key, self.digest, origin.correlation_id, *stuck)
        self.shared.broken.discard((token, self.key))
        if claimed.answer is not None:
            return self._answered(Receipt.model_validate(claimed.answer))
        origin = replace(origin, correlation_id=claimed.correlation_id)
        receipt = self._found(origin) if claimed.again else None
        if receipt is None and claimed.at_work:
            detail = "The request with this Idempotency-Key is at work: send it again in a moment for its answer."
            raise Problem(409, detail, field="Idempotency-Key", headers={"Retry-After": "1"})
        try:
            receipt = receipt or self._act(act, origin)
        except (psycopg.OperationalError, psycopg.InterfaceError):
            self.shared.broken.add((token, self.key))  # nobody knows whether it went through: the next attempt looks
            raise
        except Exception:
            give_up(database, token, self.key)
            raise
        note_answer(database, token, self.key, receipt.model_dump(mode="json", exclude_none=True))
        return self._answered(receipt)

    def _act(self, act: Act, origin: Origin) -> Receipt:
        store = Guarded(self.shared.store, self.caller, self.version)
        accepted = act(store, origin)
        there = accepted.events > 0 or accepted.correlation_id != origin.correlation_id
        return Receipt(
            command_id=accepted.correlation_id,
            position=accepted.position,
            events=accepted.events,
            stream=store.stream,
            stream_version=store.appended.stream_version if store.appended else None,
            status_url=f"{COMMANDS}/{accepted.correlation_id}" if there else None,
        )

    def _found(self, origin: Origin) -> Receipt | None:
        """The receipt of a command that went through without one."""
        first = self.shared.store.read_correlation(origin.correlation_id)
        own = [r for r in first if r.causation_id is None]
        if not own:
            return None
        return Receipt(
            command_id=origin.correlation_id,
            position=own[-1].position,
            events=len(own),
            stream=own[-1].stream,
            stream_version=own[-1].stream_version,
            status_url=f"{COMMANDS}/{origin.correlation_id}",
        )

    def _answered(self, receipt: Receipt) -> Receipt:
        if receipt.status_url is None:
            self.response.status_code = 200
        else:
            self.response.headers["Location"] = receipt.status_url
        if receipt.stream_version is not None:
            self.response.headers["ETag"] = f'"{receipt.stream_version}"'
        return receipt


Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Any text of your own, new for each command: the same request sent again with it is done once.",
    ),
]
Match = Annotated[
    str | None,
    Header(
        alias="If-Match",
        pattern=r'^(\*|"?[0-9]{1,9}"?)$',
        description="The version the stream is to have, as an `ETag` told it: 412 when it has another one by now.",
    ),
]


async def _digest(request: Request) -> bytes:
    """What was asked, as far as it makes a difference."""
    asked = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return sha256(asked + request.headers.get("if-match", "").encode() + await request.body()).digest()


Digest = Annotated[bytes, Depends(_digest)]


def _desk(
    caller: Caller, request: Request, response: Response, key: str | None, match: str | None, digest: bytes
) -> Desk:
    version = None if match in (None, "*") else int(str(match).strip('"'))
    return Desk(shared_of(request), caller, response, key, version, digest)


async def _writing(
    caller: Writer, request: Request, response: Response, digest: Digest, key: Key = None, match: Match = None
) -> Desk:
    return _desk(caller, request, response, key, match, digest)


async def _administering(
    caller: Admin, request: Request, response: Response, digest: Digest, key: Key = None, match: Match = None
) -> Desk:
    return _desk(caller, request, response, key, match, digest)


async def _operating(
    caller: Operator, request: Request, response: Response, digest: Digest, key: Key = None, match: Match = None
) -> Desk:
    return _desk(caller, request, response, key, match, digest)


WriteDesk = Annotated[Desk, Depends(_writing)]
AdminDesk = Annotated[Desk, Depends(_administering)]
OperatorDesk = Annotated[Desk, Depends(_operating)]
