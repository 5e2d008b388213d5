"""One call, tried a bounded number of times: what is worth repeating, and how long to wait in between."""

import time
from datetime import timedelta

import httpx
import stamina

from meal_assets.errors import RemoteFailed, RemoteRefused

from .remote import Remote

REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
"""Methods that may be sent twice (RFC 9110 §9.2.2); the `repeatable` extension of a call says otherwise."""
ATTEMPTS = 4
FIRST_PAUSE, LONGEST_PAUSE, JITTER = 0.5, 10.0, 0.5
"""Seconds; doubled from attempt to attempt."""
ALL_SECONDS = 120.0
"""No further attempt after this."""
ATTEMPT_SECONDS = 60.0
"""An answer that trickles in is given up after this."""
MAX_BODY = 32 * 1024 * 1024
"""Bytes of an answer, unpacked."""
GONE_HEADERS = ("content-encoding", "content-length", "transfer-encoding")
"""They are about the bytes on the wire."""


class Attempting(httpx.BaseTransport):
    """Reads answers whole. Raises `RemoteFailed` when the last attempt met trouble."""

    def __init__(self, inner: httpx.BaseTransport, remote: Remote) -> None:
        self._inner, self._remote = inner, remote

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        may_repeat = bool(request.extensions.get("repeatable", request.method in REPEATABLE))
        for attempt in stamina.retry_context(
            on=_pause,
            attempts=ATTEMPTS if may_repeat else 1,
            timeout=ALL_SECONDS,
            wait_initial=FIRST_PAUSE,
            wait_max=LONGEST_PAUSE,
            wait_jitter=JITTER,
        ):
            with attempt:
                return self._once(request, attempt.num)
        raise AssertionError("stamina either returns or raises")

    def close(self) -> None:
        self._inner.close()

    def _once(self, request: httpx.Request, number: int) -> httpx.Response:
        try:
            response = self._read(self._inner.handle_request(request), request)
        except httpx.TransportError as error:
            raise self._failed(request, number, type(error).__name__, None) from error
        trouble = self._remote.judge(response)
        if trouble is not None:
            raise self._failed(request, number, trouble.reason, trouble.wait)
        return response

    def _read(self, response: httpx.Response, request: httpx.Request) -> httpx.Response:
        body, deadline = bytearray(), time.monotonic() + ATTEMPT_SECONDS
        response.request = request
        try:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MAX_BODY:
                    raise RemoteRefused(f"{self._what(request)}: more than {MAX_BODY:,} bytes", response.status_code)
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout(f"not through after {ATTEMPT_SECONDS:g} s", request=request)
        finally:
            response.close()
        headers = [(k, v) for k, v in response.headers.multi_items() if k.lower() not in GONE_HEADERS]
        return httpx.Response(response.status_code, headers=headers, content=bytes(body), request=request)

    def _failed(self, request: httpx.Request, number: int, why: str, wait: timedelta | None) -> RemoteFailed:
        tried = "" if number == 1 else f" after {number} attempts"
        return RemoteFailed(f"{self._what(request)}: {why}{tried}", wait)

    def _what(self, request: httpx.Request) -> str:
        """The call without its query, where keys and tokens may be."""
        return f"{self._remote.name} {request.method} {request.url.path}"


def _pause(error: Exception) -> bool | float:
    """Whether another attempt makes sense; the remote's own pause where it is short."""
    if not isinstance(error, RemoteFailed):
        return False
    if error.wait is None:
        return True
    seconds = error.wait.total_seconds()
    return seconds if seconds <= LONGEST_PAUSE else False
