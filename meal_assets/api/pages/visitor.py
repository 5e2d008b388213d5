"""Who looks at a page: a session of a browser, which is a token of its own, and the forms it may send."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlsplit

from fastapi import Depends, Request, Response
from starlette.exceptions import HTTPException

from meal_assets.event_store import EventStore
from meal_assets.event_store.tokens import LINK, Scope, create_token, find_token, revoke_token

from ..caller import Caller, let_in, sees
from ..desk import Act, Desk, Receipt
from ..problems import Problem
from ..state import Shared, shared_of

COOKIE, SECURE_COOKIE = "meals", "__Host-meals"
"""Over TLS a cookie of the second name can be set by this very host only."""
SESSION_LIFE = timedelta(days=30)
MAX_FIELDS = 60
OURS = secrets.token_bytes(32)
"""Stands for a session where none is needed, while this process lives."""


class NoVisitor(Exception):
    """Nobody is logged in."""


class Form(dict[str, str]):
    """What a form sent; a field that is missing or empty is ''."""

    def __missing__(self, _: str) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks, what they see (`store`), and where they are."""

    request: Request
    shared: Shared
    caller: Caller
    store: EventStore
    csrf: str

    @property
    def household(self) -> str:
        return self.caller.household

    @property
    def today(self) -> date:
        return self.shared.settings.today()

    def may(self, scope: Scope) -> bool:
        return self.caller.may(scope)

    def accept(self, act: Act, form: Form) -> Receipt:
        """Do what a form asked for; the same form sent twice is done once."""
        asked = f"{self.request.method} {self.request.url.path}\n{sorted(form.items())}"
        digest = sha256(asked.encode()).digest()
        return Desk(self.shared, self.caller, Response(), form["key"] or None, None, digest).accept(act)


def secret_of(request: Request) -> str | None:
    return request.cookies.get(SECURE_COOKIE if request.url.scheme == "https" else COOKIE)


def caller_of(request: Request, shared: Shared) -> Caller:
    """Raises a 401 problem where nobody is logged in."""
    return let_in(request, shared, secret_of(request))


def visitor(request: Request) -> Visitor:
    """Raises `NoVisitor` where nobody is logged in, or the session has ended."""
    shared = shared_of(request)
    try:
        caller = caller_of(request, shared)
    except Problem as problem:
        if problem.status == 401:
            raise NoVisitor from problem
        raise
    if not caller.may("read"):
        raise Problem(403, "The address of a calendar opens the calendar only.")
    return Visitor(request, shared, caller, sees(request, caller), csrf_of(secret_of(request)))


visitor.scope = "read"  # type: ignore[attr-defined]  # by which tests know what a page needs
Seen = Annotated[Visitor, Depends(visitor)]


def csrf_of(secret: str | None) -> str:
    """What a form of this session carries: from the session's secret, and no way back to it."""
    return hmac.new((secret or "").encode() or OURS, b"form", sha256).hexdigest()


async def read_form(request: Request) -> Form:
    """A form of this site. Raises a 403 problem for one that another site made up."""
    where, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "same-origin")
    if site not in ("same-origin", "none") or (where and urlsplit(where).netloc != request.headers.get("host")):
        raise Problem(403, "This form was not sent from these pages.")
    try:
        body = (await request.body()).decode()
        fields = parse_qsl(body, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise HTTPException(400) from None
    return Form({name: value.replace("\0", "").strip() for name, value in fields})


Plain = Annotated[Form, Depends(read_form)]


def sent(scope: Scope) -> Any:
    """A dependency: the form of a visitor who may that much."""

    async def checked(visitor: Seen, form: Plain) -> Form:
        if not hmac.compare_digest(form.pop("csrf", ""), visitor.csrf):
            raise Problem(403, "This form is from before you logged in: load the page again, then send it again.")
        if not visitor.may(scope):
            raise Problem(403, f"You may {visitor.caller.scope}; this needs somebody who may {scope}.")
        return form

    checked.scope = scope  # type: ignore[attr-defined]
    return Depends(checked)


Written = Annotated[Form, sent("write")]
Administered = Annotated[Form, sent("admin")]


def log_in(request: Request, secret: str) -> tuple[str, timedelta]:
    """The secret of a new session, as long as the token lives, at most `SESSION_LIFE`. Raises as `let_in`."""
    shared = shared_of(request)
    if not let_in(request, shared, secret).may("read"):
        raise Problem(403, "The address of a calendar opens the calendar only.")
    database = shared.store.database
    token = find_token(database, secret)
    assert token is not None
    life = SESSION_LIFE if token.name == LINK else min(SESSION_LIFE, token.expires_at - datetime.now(UTC))
    made, _ = create_token(database, token.household, token.scope, person=token.person, name="browser", life=life)
    if token.name == LINK:
        revoke_token(database, token.household, token.id)
    return made, life


def log_out(visitor: Visitor) -> None:
    if (secret := secret_of(visitor.request)) and (token := find_token(visitor.shared.store.database, secret)):
        revoke_token(visitor.shared.store.database, token.household, token.id)


def keep_session(request: Request, response: Response, secret: str | None, life: timedelta = timedelta(0)) -> None:
    """Let the browser keep the session, or with None drop it."""
    secure = request.url.scheme == "https"
    response.set_cookie(
        SECURE_COOKIE if secure else COOKIE,
        secret or "",
        max_age=int(life.total_seconds()) if secret else 0,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def number(form: Mapping[str, str], name: str, told: str) -> float | None:
    """A number that a person wrote; None where they wrote nothing. Raises a 422 problem."""
    written = form[name].replace(",", ".")
    try:
        return float(written) if written else None
    except ValueError:
        raise Problem(422, f"{told}: “{written[:40]}” is no number.", field=name) from None
