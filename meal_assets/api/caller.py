"""Who asks: the token's household, perhaps a person of it, and how much they may."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from meal_assets.event_store import EventStore
from meal_assets.event_store.households import seen_by
from meal_assets.event_store.tokens import SCOPES, Scope, find_token, hash_of

from .problems import Problem
from .state import Shared, shared_of

BEARER = HTTPBearer(auto_error=False, description="A token that `meals token create` made.")
LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")
OPEN = "open"
"""What stands for a token where none is needed."""


@dataclass(frozen=True, slots=True)
class Caller:
    """`person` None: the whole household. `token`: its id, which is no secret."""

    household: str
    person: str | None
    scope: Scope
    token: str
    actor: str
    operates: bool = False
    """Whether they may decide for the installation: the admin of the household that it is set up for."""

    def may(self, scope: Scope) -> bool:
        return SCOPES.index(self.scope) >= SCOPES.index(scope)


def authenticate(request: Request, shared: Shared) -> Caller:
    """Raises a 401 problem without a token that stands, and 429 where too many were tried or too much was asked."""
    return let_in(request, shared, _bearer(request))


def let_in(request: Request, shared: Shared, secret: str | None) -> Caller:
    """Who has this token; raises as `authenticate`."""
    if secret is None:
        if not shared.open:
            raise _who("Send a token as `Authorization: Bearer …`: `meals token create` makes one.")
        return _opened(request, shared)
    peer = request.client.host if request.client else ""
    known = (hash_of(secret).hex(), "")  # who got in lately is not kept out by others at the same address
    if known not in shared.got_in and (wait := shared.failed_logins.waits(peer)) > 0:
        raise _too_often("Too many tokens that are none came from this address.", wait)
    token = find_token(shared.store.database, secret)
    if token is None or not token.stands:
        shared.got_in.discard(known)
        shared.failed_logins.take(peer)
        why = "is none" if token is None else "was revoked" if token.revoked_at else "has expired"
        raise _who(f"This token {why}: `meals token create` makes one.")
    shared.got_in.add(known)
    if (wait := shared.rate.take(token.id)) > 0:
        raise _too_often("This token asked too often (MEALS_API_REQUESTS_A_MINUTE).", wait)
    admin = token.scope == "admin" and token.person is None and token.household == shared.settings.household
    return Caller(
        token.household, token.person, token.scope, token.id, token.person or f"token-{token.id}", operates=admin
    )


def needs(scope: Scope) -> Callable[..., Caller]:
    """A dependency that lets only those in who may that much; what a path says of a person must be of theirs."""

    def caller(request: Request, _: Annotated[object, Security(BEARER)]) -> Caller:
        found = authenticate(request, shared_of(request))
        if not found.may(scope):
            raise Problem(403, f"This token may {found.scope}; this needs one that may {scope}.")
        person = request.path_params.get("person")
        if found.person is not None and person is not None and person != found.person:
            raise Problem(403, f"This token speaks for {found.person} only, not for {person}.", field="person")
        _refuse_unknown(request)
        return found

    caller.scope = scope  # type: ignore[attr-defined]  # by which tests know what a route needs
    return caller


Reader = Annotated[Caller, Depends(needs("read"))]
Writer = Annotated[Caller, Depends(needs("write"))]
Admin = Annotated[Caller, Depends(needs("admin"))]


async def operator(caller: Admin) -> Caller:
    """Who decides for all households. Raises a 403 problem for others."""
    if not caller.operates:
        raise Problem(403, "Only an admin of the household that this installation is set up for may do that.")
    return caller


Operator = Annotated[Caller, Depends(operator)]


def sees(request: Request, caller: Caller) -> EventStore:
    """The log and read models as the caller sees them."""
    return seen_by(shared_of(request).store, caller.household, caller.person)


def _bearer(request: Request) -> str | None:
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else None


def _opened(request: Request, shared: Shared) -> Caller:
    """Whoever sits at this machine; not a page of another site in their browser, nor one that renamed this machine."""
    host = request.url.hostname or ""
    if host not in LOOPBACK or request.headers.get("sec-fetch-site", "none") in ("cross-site", "same-site"):
        raise _who("Without a token only programs on this machine are let in, by the address 127.0.0.1.")
    return Caller(shared.settings.household, None, "admin", OPEN, shared.settings.actor, operates=True)


def _refuse_unknown(request: Request) -> None:
    route = request.scope.get("route")
    assert isinstance(route, APIRoute)
    known = known_parameters(route)
    for name in request.query_params:
        if name not in known:
            ways = f"it takes {', '.join(sorted(known))}" if known else "it takes none"
            raise Problem(422, f"{name[:100]}: there is no such parameter; {ways}.", field=name[:100])


def known_parameters(route: APIRoute) -> set[str]:
    """The query parameters that a route and its dependencies take."""
    found, left = set(), [route.dependant]
    while left:
        dependant = left.pop()
        found |= {field.alias for field in dependant.query_params}
        left += dependant.dependencies
    return found


def _who(detail: str) -> Problem:
    return Problem(401, detail, headers={"WWW-Authenticate": 'Bearer realm="meals"'})


def _too_often(detail: str, wait: float) -> Problem:
    return Problem(429, f"{detail} Wait {wait:.0f} s.", headers={"Retry-After": str(int(wait) + 1)})
