"""What went wrong, as problem+json (RFC 9457): what it is, which field it is about, and the way out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from psycopg_pool import PoolTimeout
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException

from meal_assets import errors

JSON = "application/problem+json"
RETRY_SECONDS = 2
MAX_ERRORS = 20

Handler = Callable[[Request, Exception], Response]

TITLES = {
    400: "The request cannot be read",
    401: "Who are you?",
    403: "That is not yours to do",
    404: "There is no such thing",
    405: "This cannot be done with it",
    409: "It does not fit to what is there",
    410: "It lies in a file",
    412: "It has changed since you looked",
    413: "That is too much",
    415: "That is no JSON",
    421: "Another address is needed",
    422: "A field is not as it should be",
    429: "Too often",
    500: "An error of ours",
    502: "Somebody else refused",
    503: "Not now",
}


class Wrong(BaseModel):
    """One thing that is wrong with a request."""

    field: str = Field(description="Dotted name of it, as it was sent.")
    message: str


class ProblemDetails(BaseModel):
    """What every error of this API is told as."""

    type: str = Field(default="about:blank", description="Where this kind of problem is described.")
    title: str
    status: int
    detail: str = Field(description="What happened, to what, and what to do next.")
    field: str | None = Field(default=None, description="What of the request it is about.")
    errors: list[Wrong] | None = Field(default=None, description="All there is, where it is more than one.")


class Problem(Exception):
    """An answer that is none of the errors made on purpose below the API."""

    def __init__(
        self, status: int, detail: str, *, field: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.field, self.headers = status, detail, field, headers


def later(detail: str, seconds: int = RETRY_SECONDS) -> Problem:
    """503: nothing was done, and the same request may succeed later."""
    return Problem(503, detail, headers={"Retry-After": str(seconds)})


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """How OpenAPI describes these answers."""
    content = {JSON: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    retry = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
    return {
        s: {"description": TITLES[s], "content": content, **({"headers": retry} if s in (429, 503) else {})}
        for s in statuses
    }


def told(
    status: int,
    detail: str,
    *,
    field: str | None = None,
    wrong: Sequence[Wrong] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    body = ProblemDetails(
        title=TITLES.get(status, "An error"), status=status, detail=detail, field=field, errors=[*wrong] or None
    )
    return JSONResponse(body.model_dump(exclude_none=True), status, headers, media_type=JSON)


def add_to(app: FastAPI, shown: Callable[[Handler], Handler] = lambda handler: handler) -> None:
    """Let every error leave the app as a problem, or as `shown` makes of that."""
    app.add_exception_handler(Problem, shown(_problem))
    app.add_exception_handler(HTTPException, shown(_http))
    app.add_exception_handler(RequestValidationError, shown(_request))
    app.add_exception_handler(ValidationError, shown(_value))
    app.add_exception_handler(errors.MealAssetsError, shown(_ours))
    app.add_exception_handler(psycopg.Error, shown(_database))
    app.add_exception_handler(Exception, shown(_anything))


def _problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return told(error.status, error.detail, field=error.field, headers=error.headers)


def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    detail = {
        400: "The body is not what it says it is: send JSON in UTF-8.",
        404: "Nothing is at this address: /openapi.json lists what there is.",
        405: f"It takes {(error.headers or {}).get('Allow', 'other methods')}.",
    }.get(error.status_code, str(error.detail))
    return told(error.status_code, detail, headers=error.headers)


def _request(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return _wrong([(tuple(one["loc"][1:]) or tuple(one["loc"]), one) for one in error.errors()[:MAX_ERRORS]])


def _value(_: Request, error: Exception) -> JSONResponse:
    """What an event's own rules say of a request that had the right form."""
    assert isinstance(error, ValidationError)
    return _wrong([(one["loc"], dict(one)) for one in error.errors(include_url=False)[:MAX_ERRORS]])


def _wrong(found: Sequence[tuple[Sequence[int | str], Mapping[str, Any]]]) -> JSONResponse:
    wrong = [_one(loc, error) for loc, error in found]
    first = wrong[0]
    more = f" ({len(wrong) - 1} more in errors)" if len(wrong) > 1 else ""
    return told(422, f"{first.field}: {first.message}{more}", field=first.field, wrong=wrong)


def _one(loc: Sequence[int | str], error: Mapping[str, Any]) -> Wrong:
    message = str(error["msg"]).removeprefix("Value error, ")
    field = ".".join(map(str, loc))
    if error["type"] == "value_error" and not field:  # a rule over several fields names the one to change
        field, _, message = message.partition(": ") if ": " in message else ("body", "", message)
    if error["type"] == "extra_forbidden":
        message = "is not known here: leave it out, or look for how it is spelt in /docs"
    return Wrong(field=field or "body", message=message)


def _ours(_: Request, error: Exception) -> JSONResponse:
    soon = {"Retry-After": str(RETRY_SECONDS)}
    match error:
        case errors.Invalid():
            return told(422, str(error), field=error.field)
        case errors.StaleVersion():
            return told(412, str(error), field="If-Match")
        case errors.OnceConflict() | errors.IdConflict():
            return told(409, str(error))
        case errors.ArchivedEvents():
            return told(410, str(error))
        case errors.RemoteRefused():
            return told(502, str(error))
        case errors.Unavailable() | errors.Transient():
            return told(503, str(error), headers=soon)
        case errors.UnknownEvent() | errors.BrokenEvent():
            return told(500, str(error))
        case _:
            return told(422, str(error))


def _database(request: Request, error: Exception) -> JSONResponse:
    soon = {"Retry-After": str(RETRY_SECONDS)}
    if isinstance(error, PoolTimeout):
        return told(503, "All connections to the database are in use: ask again.", headers=soon)
    if isinstance(error, psycopg.errors.QueryCanceled):
        return told(503, "That took too long: ask for less of it.", headers=soon)
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        detail = (
            "The database does not answer. A command that was not answered may have been accepted or not: send it again"
            " with the same Idempotency-Key to know."
        )
        return told(503, detail, headers=soon)
    if isinstance(error, psycopg.DataError):  # a number beyond what a column holds, a NUL in a text
        return told(422, f"a value cannot be kept: {str(error).partition(chr(10))[0]}")
    return _anything(request, error)


def _anything(_: Request, error: Exception) -> JSONResponse:
    return told(500, f"{type(error).__name__}: the log of the API has more. Nothing was half done.")
