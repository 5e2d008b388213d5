"""A page is made of panels: each is loaded by one function, lives in one template, and can be shown again alone."""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from psycopg.errors import UndefinedTable
from starlette.datastructures import MutableHeaders

from meal_assets.contracts.values import MEALS
from meal_assets.errors import Unavailable
from meal_assets.event_store import Connection
from meal_assets.read_models import ReadModel, asking

from ..desk import Receipt
from ..limits import App, Message, Receive, Scope, Send
from ..problems import Handler, Problem
from ..queries import wait_for
from .visitor import Visitor

STATIC = Path(__file__).parent / "static"
WAIT_SECONDS = 3.0
"""How long a page waits for what was just written; then it says that it is not in yet."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
FOR_GOOD = "public, max-age=31536000, immutable"
"""A file whose address changes with what is in it."""
MENU = (
    ("today", "Today"),
    ("week", "Week"),
    ("shopping", "Shopping"),
    ("recipes", "Recipes"),
    ("trends", "Trends"),
    ("history", "History"),
    ("system", "System"),
)
NUTRIENTS = (
    ("kcal", "Energy", "kcal"),
    ("protein_g", "Protein", "g"),
    ("carbs_g", "Carbs", "g"),
    ("fat_g", "Fat", "g"),
)
"""Name, what people call it, unit."""

Load = Callable[[Visitor, Connection], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Panel:
    """`load` gives what `panels/<name>.html` shows, from rows of these read models, all of one moment."""

    name: str
    models: tuple[type[ReadModel], ...]
    load: Load


@cache
def templates() -> Environment:
    found = Environment(
        loader=PackageLoader("meal_assets.api.pages"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"amount": amount, "signed": signed, "path": lambda text: quote(str(text), safe="")}
    found.globals |= {
        "menu": MENU,
        "meals": MEALS,
        "nutrients": NUTRIENTS,
        "asset": _asset,
        "new_key": lambda: secrets.token_urlsafe(12),
        "timedelta": timedelta,
        "min": min,
        "max": max,
        "zip": zip,
    }
    return found


@cache
def _asset(name: str) -> str:
    """Where a static file is; the address changes with what is in it."""
    return f"/app/static/{name}?{sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


def amount(value: float | None, unit: str = "", digits: int = 0) -> str:
    """A number as people write it, with its unit; a dash for what is not known."""
    if value is None:
        return "–"
    return f"{value:,.{digits}f}{chr(0xA0) + unit if unit else ''}"


def signed(value: float) -> str:
    """A deviation: +3, -4, 0."""
    return f"{value:+.0f}" if round(value) else "0"


def page(visitor: Visitor, current: str, title: str, panels: Sequence[Panel], **given: Any) -> Response:
    """The page, or with `?panel=` one panel of it. With `?after=` what was said up to there is in, or it says so."""
    query = visitor.request.query_params
    asked = [p for p in panels if query.get("panel") in (None, p.name)]
    models = list(dict.fromkeys(m for p in asked for m in p.models))
    late = False
    if (after := query.get("after", "")).isdigit():
        try:
            wait_for(visitor.shared, visitor.store, models, int(after), WAIT_SECONDS)
        except (Unavailable, Problem):
            late = True
    try:
        with asking(visitor.store, *models) as (db, position):
            shown = {p.name: p.load(visitor, db) for p in asked}
    except UndefinedTable as error:
        raise Unavailable("This is being made for the first time; it is here in a moment.") from error
    context = {
        **_everywhere(visitor),
        **given,
        "current": current,
        "title": title,
        "panels": asked,
        "late": late,
        "position": position,
        "again": str(visitor.request.url.include_query_params().query),
    }
    for each in asked:
        context |= shown[each.name]
    if "panel" in query:
        if not asked:
            raise Problem(404, "There is no such part of this page.")
        html = templates().get_template("panel.html").render(context, panel=asked[0])
    else:
        html = templates().get_template(f"{current}.html").render(context)
    return HTMLResponse(html)


def plain_page(visitor: Visitor | None, template: str, status: int = 200, **given: Any) -> HTMLResponse:
    """A page that is made of no panels."""
    context = _everywhere(visitor) if visitor else {"visitor": None, "current": "", "csrf": ""}
    return HTMLResponse(templates().get_template(template).render({**context, "late": False, **given}), status)


def _everywhere(visitor: Visitor) -> dict[str, Any]:
    zone = visitor.shared.settings.zone

    def local(moment: datetime | None, how: str = "%a %d %b %H:%M") -> str:
        return moment.astimezone(zone).strftime(how) if moment else "–"

    return {
        "visitor": visitor,
        "may_write": visitor.may("write"),
        "may_admin": visitor.may("admin"),
        "csrf": visitor.csrf,
        "today": visitor.today,
        "local": local,
    }


def done(receipt: Receipt | None, where: str, **more: str) -> RedirectResponse:
    """Back to a page (303) that then shows what was just said."""
    there = urlsplit(where if is_ours(where) else "/app/today")
    query = dict(parse_qsl(there.query)) | more
    for gone in ("after", "panel"):
        query.pop(gone, None)
    if receipt is not None:
        query["after"] = str(receipt.position)
    return RedirectResponse(f"{there.path}?{urlencode(query)}" if query else there.path, 303)


def is_ours(where: str) -> bool:
    """Whether an address is a page here, and of no other site."""
    return where.startswith("/app/") and "\\" not in where and not any(ord(c) < 32 for c in where)


def day_of(text: str | None, default: date) -> date:
    """Raises a 404 problem for what is no day."""
    if not text:
        return default
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise Problem(404, f"“{text[:40]}” is no day: write it as {default}.") from None
    if not 1970 <= found.year <= 2200:
        raise Problem(404, "There is nothing so far away.")
    return found


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def as_page(handler: Handler) -> Handler:
    """An error as a page that says what happened and what to do; programs of the page get its text."""

    def shown(request: Request, error: Exception) -> Response:
        answer = handler(request, error)
        problem = json.loads(bytes(answer.body))
        keep = {k: v for k, v in answer.headers.items() if k in ("retry-after", "www-authenticate", "allow")}
        title, detail = problem["title"], problem["detail"]
        if answer.status_code in (404, 405) and "openapi" in detail:
            detail = "There is no page at this address."
        soon = answer.status_code == 503 and request.method == "GET"
        html = plain_page(None, "error.html", answer.status_code, title=title, detail=detail, soon=soon)
        html.headers.update(keep)
        return html

    return shown


class PageHeaders:
    """Says what browsers may do with a page, and how long they may keep it."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", POLICY)
                headers.setdefault("Referrer-Policy", "same-origin")  # without it, browsers send forms with no origin
                for_good = "/static/" in scope["path"] and scope["query_string"] and message["status"] == 200
                headers.setdefault("Cache-Control", FOR_GOOD if for_good else "no-store")
            await send(message)

        await self._app(scope, receive, sending if scope["type"] == "http" else send)


def to_login(request: Request, _: Exception) -> Response:
    """Who is not logged in goes to the login, and comes back from there."""
    wants_page = "text/html" in request.headers.get("accept", "") and "panel" not in request.query_params
    if request.method != "GET" or not wants_page:
        return plain_page(None, "error.html", 401, title="Log in again", detail="Your session has ended.", soon=False)
    where = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/app/login?{urlencode({'next': where})}", 303)
