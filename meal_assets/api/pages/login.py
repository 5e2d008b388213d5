"""Logging in with a token, once; the browser then has a session of its own, and nobody sees the token again."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from ..problems import Problem
from ..state import shared_of
from .showing import is_ours, plain_page
from .visitor import Plain, Seen, caller_of, csrf_of, keep_session, log_in, log_out, secret_of

router = APIRouter()
FIRST = "/app/today"


@router.get("/", include_in_schema=False)
def root() -> Response:
    return RedirectResponse(FIRST, 303)


@router.get("/login")
def login(request: Request, token: str = "", next: str = FIRST) -> Response:
    """The form; a link may have filled it in."""
    if not token:
        try:
            caller_of(request, shared_of(request))
        except Problem:
            pass
        else:
            return RedirectResponse(next if is_ours(next) else FIRST, 303)
    return _form(next, token=token)


@router.post("/login")
def enter(request: Request, form: Plain) -> Response:
    try:
        secret, life = log_in(request, form["token"])
    except Problem as problem:
        return _form(form["next"], problem.status, problem.detail)
    answer = RedirectResponse(form["next"] if is_ours(form["next"]) else FIRST, 303)
    keep_session(request, answer, secret, life)
    return answer


@router.post("/logout")
def leave(visitor: Seen, form: Plain) -> Response:
    if form["csrf"] != csrf_of(secret_of(visitor.request)):
        raise Problem(403, "This form is from another session: load the page again.")
    log_out(visitor)
    answer = RedirectResponse("/app/login", 303)
    keep_session(visitor.request, answer, None)
    return answer


def _form(next: str, status: int = 200, wrong: str = "", token: str = "") -> Response:
    return plain_page(None, "login.html", status, next=next, wrong=wrong, token=token)
