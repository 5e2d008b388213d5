"""The pages as an app of their own below the API: their errors are pages, their visitors have a session."""

import importlib
import pkgutil

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from .. import problems
from ..state import Shared
from .showing import STATIC, PageHeaders, as_page, to_login
from .visitor import NoVisitor

PREFIX = "/app"


def create_pages(shared: Shared) -> FastAPI:
    """To be mounted at `PREFIX`. A module here that has a `router` is found by itself."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.shared = shared
    for info in sorted(pkgutil.iter_modules([str(STATIC.parent)]), key=lambda i: i.name):
        module = importlib.import_module(f"{__package__}.{info.name}")
        if router := getattr(module, "router", None):
            app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(PageHeaders)
    problems.add_to(app, as_page)
    app.add_exception_handler(NoVisitor, to_login)
    return app
