"""The app: all routes, the bounds around them, and what they share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from threading import Lock
from typing import Any

import anyio.to_thread
from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, RedirectResponse

from meal_assets.event_store import Database
from meal_assets.settings import Settings

from . import problems
from .limits import Bounds
from .pages import PREFIX, create_pages
from .queries import read_model_routes
from .routes import routers
from .state import Shared

THREADS = 24
"""Requests that work at the same moment; the others wait for one of them. Fewer than the database's connections."""
ABOUT = """
Commands answer **202** with a receipt: `Location` shows what becomes of them, and a query with `after=<position>` shows
what was written. Send an `Idempotency-Key` with each: then it is done once, however often you send it. Errors are
problem details (RFC 9457) that name the field and the way out.
"""


def create_app(settings: Settings, database: Database, *, open: bool = False) -> FastAPI:
    """The API over this database, which stays the caller's to close.

    `open`: who asks from this machine without a token is the household's admin. It is for a demo on loopback.
    """
    shared = Shared.of(settings, database, open=open)
    app = FastAPI(
        title="meal_assets",
        version=version("meal-assets"),
        description=ABOUT,
        lifespan=_lifespan,
        openapi_url=None,  # told below: it takes a second to make, during which others are answered
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    app.state.shared = shared
    for router in (*routers(), read_model_routes()):
        app.include_router(router)
    app.mount(PREFIX, create_pages(shared), name="pages")
    app.add_route("/", _to_pages, include_in_schema=False)
    problems.add_to(app)
    app.add_middleware(Bounds)
    _describe(app)
    return app


async def _to_pages(_: Request) -> Response:
    return RedirectResponse(f"{PREFIX}/today", 303)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    yield
    app.state.shared.tail.close()


def _describe(app: FastAPI) -> None:
    """Let OpenAPI say what the errors of all routes look like."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            details = problems.ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas = schema.setdefault("components", {}).setdefault("schemas", {})
            schemas |= details.pop("$defs", {})
            schemas["ProblemDetails"] = details
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]  # FastAPI's own way
    making = Lock()

    @app.get("/openapi.json", include_in_schema=False)
    def openapi() -> JSONResponse:
        with making:
            return JSONResponse(app.openapi())
