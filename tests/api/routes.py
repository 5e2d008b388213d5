"""Every route there is, with an example of how it is asked: a route without one fails the tests."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from meal_assets.event_store.tokens import SCOPES, Scope

from .conftest import GOAL, Api

PUBLIC = {"/livez", "/readyz", "/openapi.json"}
"""What tells nothing of anybody: nobody needs a token for it."""
MEAL = {"meal": "snack", "food": "Apple", "nutrition": {"kcal": 78, "protein_g": 0, "carbs_g": 21, "fat_g": 0}}
PROFILE = {"name": "Ada", "weight_kg": 64, "activity": "active", "aim": "maintain"}
PATHS: dict[str, str] = {
    "week": "2026-11-23",
    "person": "ada",
    "day": "2026-11-23",
    "meal": "dinner",
    "entry": "7f1d",
    "flag": "new-pages",
    "consumer": "generate_plan",
    "position": "7",
    "name": "week_plan",
    "read_model": "targets",
    "key": "ada",
    "webhook": "0a1b2c3d4e5f6071",
    "command_id": "01a2222f-8e86-7868-a953-44dc88611176",
}
"""What stands for each parameter of a path."""
BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/plans"): {"week": "2026-11-23", "persons": ["ada"]},
    ("PUT", "/plans/{week}/acceptance"): None,
    ("PUT", "/persons/{person}/profile"): PROFILE,
    ("PUT", "/persons/{person}/goal"): GOAL,
    ("PUT", "/persons/{person}/goal/acceptance"): None,
    ("PUT", "/persons/{person}/preferences"): {"exclude": ["peanut"]},
    ("DELETE", "/persons/{person}"): None,
    ("PUT", "/persons/{person}/weights/{day}"): {"weight_kg": 64.2},
    ("POST", "/persons/{person}/diary/{day}/meals"): MEAL,
    ("POST", "/persons/{person}/diary/{day}/planned/{meal}"): {"servings": 1},
    ("PUT", "/persons/{person}/diary/{day}/meals/{entry}/nutrition"): MEAL["nutrition"],
    ("DELETE", "/persons/{person}/diary/{day}/meals/{entry}"): None,
    ("PUT", "/persons/{person}/diary/{day}/closed"): None,
    ("PUT", "/shopping/{week}/ticks"): {"item": "carrots"},
    ("POST", "/pantry/stock"): {"item": "carrots", "amount": 6},
    ("POST", "/pantry/use"): {"item": "carrots"},
    ("POST", "/recipes/pages"): {"url": "https://example.org/soup"},
    ("POST", "/recipes/files"): b'{"recipes": []}',
    ("POST", "/recipes/syncs"): {"full": True},
    ("PUT", "/foods/matches"): {"text": "carrots", "food": None},
    ("PUT", "/flags/{flag}"): {"value": "on", "target_household": "next-door"},
    ("POST", "/subscribers/{name}/pause"): {},
    ("POST", "/subscribers/{name}/resume"): {},
    ("POST", "/webhooks"): {"url": "https://hooks.example.org/meals", "topics": ["plan"]},
    ("DELETE", "/webhooks/{webhook}"): None,
    ("POST", "/dead-letters/{consumer}/retry"): {},
    ("POST", "/dead-letters/{consumer}/{position}/retry"): None,
    ("POST", "/dead-letters/{consumer}/{position}/discard"): {"reason": "it is old"},
}
"""What is sent to each route that changes something."""


@dataclass(frozen=True)
class Route:
    """A route as it is asked; `scope` None: nobody needs a token. `operates`: only the installation's admin may."""

    method: str
    path: str
    scope: Scope | None
    operates: bool
    asked: dict[str, Any] = field(hash=False, compare=False)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def url(self) -> str:
        return self.path.replace("{key:path}", PATHS["key"]).format(**PATHS)


def routes_of(app: Any) -> list[Route]:
    """All of an app's. Raises `LookupError` for one that changes something and has no example in `BODIES`."""
    found = []
    for route in _walked(app.routes):
        for method in sorted(route.methods):
            scopes, operates = _needs(route.dependant)
            scope = max(scopes, key=SCOPES.index) if scopes else None
            asked: dict[str, Any] = {}
            if method != "GET":
                body = BODIES[method, route.path]
                asked = {"content": body} if isinstance(body, bytes) else {} if body is None else {"json": body}
            if route.path == "/recipes/files":
                asked["params"] = {"name": "recipes.json"}
            found.append(Route(method, route.path, scope, operates, asked))
    return found


def _walked(routes: Iterable[Any]) -> Iterator[APIRoute]:
    """Those of included routers as well. Fails for a kind of route that nothing here knows how to ask."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif inner := getattr(route, "original_router", None):
            yield from _walked(inner.routes)
        else:
            known = ("/", "/app")  # the pages have routes and tests of their own
            assert route.path in known, f"{route}: how is it guarded?"


def _needs(dependant: Dependant) -> tuple[set[Scope], bool]:
    scopes, operates = set[Scope](), getattr(dependant.call, "__name__", "") == "operator"
    if scope := getattr(dependant.call, "scope", None):
        scopes.add(scope)
    for inner in dependant.dependencies:
        more, also = _needs(inner)
        scopes, operates = scopes | more, operates or also
    return scopes, operates


def ask(api: Api, route: Route, secret: str | None) -> Any:
    with api.client(secret) as client:
        return client.request(route.method, route.url, **route.asked)
