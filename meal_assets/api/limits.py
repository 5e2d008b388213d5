"""The bounds around all routes: bytes of a body, requests at work, requests a minute, failed logins a minute."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from starlette.exceptions import HTTPException

from .problems import later, told

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

TOO_LARGE = "The body has more than {:,} bytes: send less at once."
MAX_BODY_BYTES = 1 << 20
MAX_FILE_BYTES = 32 << 20
"""Of a file of recipes."""
FILES = "/recipes/files"
MAX_AT_WORK = 128
"""Requests at the same moment; streams are counted by themselves."""
MAX_KNOWN = 10_000
"""Whose requests are counted; who was quiet the longest is forgotten first."""
FAILED_LOGINS_A_MINUTE = 10

SECURITY = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""On every answer; a page that needs more sets its own Content-Security-Policy."""


class Bounds:
    """Outermost: refuses what is too large or too much before anything reads it, and adds the security headers."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._at_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = MAX_FILE_BYTES if scope["path"] == FILES else MAX_BODY_BYTES
        declared = next((v for k, v in scope["headers"] if k == b"content-length"), b"0")
        send = _with_security(send)
        if not declared.isdigit() or int(declared) > most:
            answer = told(413, TOO_LARGE.format(most))
            await answer(scope, receive, send)
            return
        if self._at_work >= MAX_AT_WORK:
            problem = later(f"{MAX_AT_WORK} requests are at work already: ask again.")
            await told(problem.status, problem.detail, headers=problem.headers)(scope, receive, send)
            return
        self._at_work += 1
        left = _Once(self._leave)
        scope["leave_bounds"] = left
        try:
            await self._app(scope, _counted(receive, most), send)
        finally:
            left()

    def _leave(self) -> None:
        self._at_work -= 1


class _Once:
    """A stream that goes on for hours is counted by itself, and leaves the place it had as a request."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act: Callable[[], None] | None = act

    def __call__(self) -> None:
        act, self._act = self._act, None
        if act:
            act()


class TooLarge(HTTPException):
    """A body without a length turned out to be longer than is taken."""

    def __init__(self, most: int) -> None:
        super().__init__(413, TOO_LARGE.format(most))


def _counted(receive: Receive, most: int) -> Receive:
    read = 0

    async def counted() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > most:
            raise TooLarge(most)
        return message

    return counted


def _with_security(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            there = {name.lower() for name, _ in message["headers"]}
            added = [(k.encode(), v.encode()) for k, v in SECURITY.items() if k.encode() not in there]
            message["headers"] = [*message["headers"], *added]
        await send(message)

    return sending


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Rate:
    """So many a minute of each name, all of them at once if need be: a token bucket."""

    def __init__(self, a_minute: int) -> None:
        self._most = a_minute
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._lock = Lock()

    def take(self, name: str, count: int = 1) -> float:
        """0 where there was one left, else the seconds until there is."""
        with self._lock:
            bucket = self._filled(name)
            if bucket.left < count:
                return (count - bucket.left) * 60 / self._most
            bucket.left -= count
            return 0.0

    def waits(self, name: str) -> float:
        """As `take`, which takes nothing."""
        with self._lock:
            return max(0.0, (1 - self._filled(name).left) * 60 / self._most)

    def _filled(self, name: str) -> _Bucket:
        now = time.monotonic()
        bucket = self._buckets.pop(name, None) or _Bucket(self._most, now)
        bucket.left = min(self._most, bucket.left + (now - bucket.at) * self._most / 60)
        bucket.at = now
        self._buckets[name] = bucket
        while len(self._buckets) > MAX_KNOWN:
            self._buckets.popitem(last=False)
        return bucket
