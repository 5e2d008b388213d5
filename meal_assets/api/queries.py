"""Asking read models: a route for every table of every one of them, made of its columns."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from hashlib import sha256
from inspect import Parameter, Signature
from threading import BoundedSemaphore
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from psycopg import sql
from pydantic import BaseModel, ConfigDict, Field, create_model

from meal_assets.event_store import Connection, EventStore
from meal_assets.event_store.households import see
from meal_assets.read_models import READ_MODELS, ReadModel, asking, position_at, wait_until
from meal_assets.read_models.base import Column, columns_of, keys_of, let_see, tables_as_of

from .caller import Caller, Reader, sees
from .problems import Problem, documented, later
from .state import Shared, shared_of

PATH = "/read-models"
PAGE, MAX_PAGE = 100, 500
WAIT_SECONDS, MAX_WAIT_SECONDS = 5.0, 20.0
LIVE, TEMPORARY = "read", "pg_temp"
MAX_TEXT = 500
MAX_POSITION = 2**63 - 1

TYPES: dict[str, Any] = {
    "text": str,
    "uuid": UUID,
    "date": date,
    "timestamptz": datetime,
    "numeric": float,
    "double precision": float,
    "bigint": int,
    "integer": int,
    "boolean": bool,
    "jsonb": Any,
    "text[]": list[str],
}
"""What a column is in JSON."""
FILTERED = {"text", "uuid", "date", "timestamptz", "numeric", "double precision", "bigint", "integer", "boolean"}
RANGED = {"date", "timestamptz", "numeric", "double precision", "bigint", "integer"}
BOUNDS: dict[str, dict[str, Any]] = {
    "text": {"max_length": MAX_TEXT, "pattern": r"^[^\x00]*$"},
    "bigint": {"ge": -(2**63), "le": MAX_POSITION},
    "integer": {"ge": -(2**31), "le": 2**31 - 1},
    "numeric": {"allow_inf_nan": False},
    "double precision": {"allow_inf_nan": False},
}

After = Annotated[
    int | None,
    Query(
        ge=0, le=MAX_POSITION, description="Wait until what happened up to this position is in: read your own write."
    ),
]
Wait = Annotated[
    float, Query(gt=0, le=MAX_WAIT_SECONDS, description="Seconds to wait for that; 503 when it takes longer.")
]
AsOf = Annotated[
    str | None,
    Query(
        pattern=r"^([0-9]{1,18}|[0-9]{4}-[0-9]{2}-[0-9]{2}T.{1,30})$",
        description="Show it as it stood at a position, or at a moment like 2026-11-23T18:00:00Z.",
    ),
]
Cursor = Annotated[str | None, Query(max_length=2_000, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Rows of a page, at most.")]
Descending = Annotated[bool, Query(description="Begin with the last.")]
NoneMatch = Annotated[str | None, Header(alias="If-None-Match", max_length=1_000)]

SHOWN: dict[int | str, dict[str, Any]] = {
    200: {
        "headers": {
            "ETag": {"description": "Of these rows: send it as If-None-Match.", "schema": {"type": "string"}},
            "X-Position": {"description": "Up to where the log is in.", "schema": {"type": "integer"}},
        }
    },
    304: {"description": "As you have it."},
    **documented(400, 401, 403, 404, 410, 422, 429, 503),
}


class Page(NamedTuple):
    rows: list[dict[str, Any]]
    next: str | None


class Asked(NamedTuple):
    """Which rows of a table: equal to `equal`, from `least` to `most`, beginning behind `cursor`."""

    equal: dict[str, Any]
    least: dict[str, Any]
    most: dict[str, Any]
    cursor: str | None
    limit: int
    descending: bool


def rows_of(db: Connection, model: type[ReadModel], table: str, schema: str, asked: Asked, caller: Caller) -> Page:
    """A page of rows in the order of the table's key, as JSON. Raises a 422 problem for a cursor that is none."""
    columns, keys = {c.name: c for c in columns_of(model, table)}, keys_of(model, table)
    where: list[sql.Composable] = [sql.SQL("true")]
    given: list[Any] = []
    if "household" in columns:  # the database sees to it as well
        where.append(sql.SQL("household = ANY(%s)"))
        given.append(["", caller.household] if model.seen else [caller.household])
    for values, compared in ((asked.equal, "="), (asked.least, ">="), (asked.most, "<=")):
        for name, value in values.items():
            where.append(sql.SQL("{} {} %s").format(sql.Identifier(name), sql.SQL(compared)))
            given.append(value)
    if asked.cursor is not None:
        last = _decoded(asked.cursor, [columns[k] for k in keys])
        typed = [sql.SQL("%s::text::{}").format(sql.SQL(columns[k].type)) for k in keys]
        names, compared = sql.SQL(", ").join(map(sql.Identifier, keys)), "<" if asked.descending else ">"
        where.append(sql.SQL("({}) {} ({})").format(names, sql.SQL(compared), sql.SQL(", ").join(typed)))
        given += last
    order = [sql.Identifier(k) + sql.SQL(" DESC" if asked.descending else "") for k in keys]
    query = sql.SQL("SELECT to_jsonb(t), ARRAY[{}] FROM {} AS t WHERE {} ORDER BY {} LIMIT %s").format(
        sql.SQL(", ").join(sql.Identifier(k) + sql.SQL("::text") for k in keys),
        sql.Identifier(schema, table),
        sql.SQL(" AND ").join(where),
        sql.SQL(", ").join(order),
    )
    found = db.execute(query, [*given, asked.limit + 1]).fetchall()
    more = len(found) > asked.limit
    return Page([row for row, _ in found[: asked.limit]], _encoded(found[asked.limit - 1][1]) if more else None)


def _encoded(key: Sequence[str]) -> str:
    return urlsafe_b64encode(json.dumps(key, ensure_ascii=False).encode()).rstrip(b"=").decode()


def _decoded(cursor: str, columns: Sequence[Column]) -> list[str]:
    wrong = Problem(422, "cursor: is none that this gave out: begin without one.", field="cursor")
    try:
        key = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        raise wrong from None
    if not isinstance(key, list) or len(key) != len(columns) or not all(isinstance(k, str) for k in key):
        raise wrong
    for value, column in zip(key, columns, strict=True):
        if "\0" in value or not _fits(value, column.type):
            raise wrong
    return key


def _fits(value: str, type_: str) -> bool:
    try:
        match type_:
            case "date":
                date.fromisoformat(value)
            case "uuid":
                UUID(value)
            case "bigint" | "integer":
                return abs(int(value)) <= MAX_POSITION
            case "text":
                return True
            case _:
                return False
    except ValueError:
        return False
    return True


@contextmanager
def held(places: BoundedSemaphore, what: str) -> Iterator[None]:
    """One of so many places. Raises a 503 problem where none is free."""
    if not places.acquire(blocking=False):
        raise later(f"As many as can {what} already: ask again.")
    try:
        yield
    finally:
        places.release()


def wait_for(shared: Shared, store: EventStore, models: Sequence[type[ReadModel]], after: int, seconds: float) -> None:
    """Until the models have taken in all the caller may see up to `after`. 503 where that takes long."""
    with asking(store, *models) as (_, position):
        if position >= after:
            return
    if after > shared.store.head():
        raise Problem(422, f"after: the log ends at {shared.store.head():,}.", field="after")
    with held(shared.waits, "wait do"):
        for model in models:
            wait_until(store, model, after, seconds)


def _shown(
    request: Request, response: Response, caller: Caller, model: type[ReadModel], table: str, given: dict[str, Any]
) -> Any:
    shared, store = shared_of(request), sees(request, caller)
    equal, least, most = given["filters"]
    asked = Asked(equal, least, most, given["cursor"], given["limit"], given["descending"])
    if given["after"] is not None:
        wait_for(shared, store, [model], given["after"], given["wait"])
    if given["as_of"] is not None:
        page, position = page_as_of(shared, caller, model, table, given["as_of"], asked)
    else:
        with asking(store, model) as (db, position):
            there = db.execute("SELECT to_regclass(%s)", (f"{LIVE}.{table}",)).fetchone() != (None,)
            page = rows_of(db, model, table, LIVE, asked, caller) if there else Page([], None)
            page = Page(store.personal.opened(db, page.rows), page.next)
    return tagged(request, response, {"rows": page.rows, "next": page.next, "position": position}, position)


def tagged(request: Request, response: Response, body: dict[str, Any], position: int) -> Any:
    """The answer with its ETag and position; 304 for who has it already."""
    shown = {k: v for k, v in body.items() if k != "position"}
    tag = f'"{sha256(json.dumps(shown, sort_keys=True, default=str).encode()).hexdigest()[:32]}"'
    headers = {"ETag": tag, "X-Position": str(position), "Cache-Control": "private, no-cache"}
    known = [t.strip().removeprefix("W/") for t in request.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return body


def page_as_of(
    shared: Shared, caller: Caller, model: type[ReadModel], table: str, when: str, asked: Asked
) -> tuple[Page, int]:
    if when.isdigit():
        position = min(int(when), shared.store.head())
    else:
        try:
            position = position_at(shared.store, datetime.fromisoformat(when))
        except ValueError:
            reason = "is neither a position nor a moment with its time zone, as 2026-11-23T18:00:00Z"
            raise Problem(422, f"as_of: {when} {reason}.", field="as_of") from None
    with held(shared.as_of, "look back"), tables_as_of(model(), shared.store, position) as db:
        for each in model.tables:
            let_see(db, model(), each, TEMPORARY)
        see(db, caller.household, caller.person)
        page = rows_of(db, model, table, TEMPORARY, asked, caller)
    return Page(shared.store.opened(page.rows), page.next), position


def _route(model: type[ReadModel], table: str) -> Callable[..., Any]:
    """The function that FastAPI calls, with a parameter for each column that may be asked for."""
    columns = [c for c in columns_of(model, table) if c.type in FILTERED and c.name != "household"]
    ranged = [c for c in columns if c.type in RANGED]
    names = {c.name: f"filter_{c.name}" for c in columns}

    def ask(request: Request, response: Response, caller: Caller, **given: Any) -> Any:
        given.pop("if_none_match")  # the request has it
        filters = (
            {c.name: v for c in columns if (v := given.pop(names[c.name])) is not None},
            {c.name: v for c in ranged if (v := given.pop(f"{names[c.name]}_from")) is not None},
            {c.name: v for c in ranged if (v := given.pop(f"{names[c.name]}_to")) is not None},
        )
        return _shown(request, response, caller, model, table, {**given, "filters": filters})

    def optional(column: Column, alias: str, name: str, told: str) -> Parameter:
        query = Query(default=None, alias=alias, description=told, **BOUNDS.get(column.type, {}))
        return Parameter(name, Parameter.KEYWORD_ONLY, default=query, annotation=TYPES[column.type] | None)

    def fixed(name: str, annotation: Any, default: Any = Parameter.empty) -> Parameter:
        return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)

    parameters = [
        fixed("request", Request),
        fixed("response", Response),
        fixed("caller", Reader),
        fixed("if_none_match", NoneMatch, None),
        *(optional(c, c.name, names[c.name], "Only rows with this.") for c in columns),
        *(optional(c, f"{c.name}_from", f"{names[c.name]}_from", "Only from here on.") for c in ranged),
        *(optional(c, f"{c.name}_to", f"{names[c.name]}_to", "Only up to here.") for c in ranged),
        fixed("after", After, None),
        fixed("wait", Wait, WAIT_SECONDS),
        fixed("as_of", AsOf, None),
        fixed("cursor", Cursor, None),
        fixed("limit", Limit, PAGE),
        fixed("descending", Descending, False),
    ]
    ask.__signature__ = Signature(parameters)  # type: ignore[attr-defined]  # which FastAPI reads
    ask.__name__ = f"ask_{table}"
    ask.__doc__ = model.__doc__
    return ask


def _answer(model: type[ReadModel], table: str) -> type[BaseModel]:
    """How OpenAPI describes a page of the table."""
    name = "".join(part.title() for part in table.split("_"))
    fields: dict[str, Any] = {
        c.name: (TYPES[c.type] | None, ...) if c.nullable and c.type != "jsonb" else (TYPES[c.type], ...)
        for c in columns_of(model, table)
    }
    row: type[BaseModel] = create_model(f"{name}Row", __config__=ConfigDict(extra="forbid"), **fields)
    page: type[BaseModel] = create_model(
        f"{name}Page",
        rows=(list[row], ...),
        next=(str | None, Field(description="`cursor` of the next page; null for the last.")),
        position=(int, Field(description="Up to where the log is in.")),
    )
    return page


class Described(BaseModel):
    """A read model, and where its tables are asked for."""

    name: str
    about: str
    tables: list[str]
    key: list[str]


def read_models(_: Reader) -> list[Described]:
    """What can be asked for."""
    return [
        Described(
            name=m.name,
            about=" ".join((m.__doc__ or "").split()),
            tables=[_path(m, t) for t in m.tables],
            key=keys_of(m),
        )
        for m in READ_MODELS.values()
    ]


def _path(model: type[ReadModel], table: str) -> str:
    part = table.removeprefix(model.name).lstrip("_")
    return f"{PATH}/{model.name}/{part}" if part else f"{PATH}/{model.name}"


def read_model_routes() -> APIRouter:
    """A route for each table of each read model there is, and their list."""
    router = APIRouter(tags=["read models"])
    router.get(PATH, responses=documented(401, 403, 422, 429, 503))(read_models)
    for model in READ_MODELS.values():
        for table in model.tables:
            router.add_api_route(
                _path(model, table),
                _route(model, table),
                methods=["GET"],
                responses={**SHOWN, 200: {**SHOWN[200], "model": _answer(model, table)}},
                response_model=None,
                summary=f"Rows of {table}",
            )
    return router
