"""A server that a fake is: requests in, replies out, and on demand the faults that real networks have."""

import json
import random
import socket
import struct
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

MAX_BODY = 8 * 1024 * 1024
ABORT = struct.pack("ii", 1, 0)
"""Closed like this, a connection ends with a reset, and what was not read yet is lost."""
HTML_500 = '\n<!doctype html>\n<html lang="en">\n<head>\n  <title>Server Error (500)</title>\n</head></html>\n'


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: `query` and `form` hold the last value of each name, `body` decoded JSON or None."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any = None
    form: Mapping[str, str] = field(default_factory=dict)
    url: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: `body` goes out as JSON, a text as HTML."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Faulty:
    """Which request meets which fault: `rate` of them, the same ones for the same seed. `down` meets all.

    "slow" is an answer after `slow_seconds`. The next `lost_writes` that change something do so, and are not answered.
    """

    KINDS = ("500", "503", "429", "hang up", "break off", "reset", "half of the JSON", "HTML", "slow")

    def __init__(self, rate: float = 0.0, seed: int = 0, *, kinds: Sequence[str] = KINDS) -> None:
        self.rate, self.down, self.lost_writes, self.slow_seconds = rate, False, 0, 0.1
        self._kinds = kinds
        self._random, self._lock = random.Random(seed), threading.Lock()  # noqa: S311  # faults, not secrets

    def loses(self, method: str) -> bool:
        """Whether this request's answer is lost."""
        with self._lock:
            lost = method != "GET" and self.lost_writes > 0
            self.lost_writes -= lost
        return lost

    def next(self) -> str | None:
        """The fault of the next request, or None."""
        with self._lock:
            kind = self._random.choice(self._kinds) if self._random.random() < self.rate else None
        return "503" if self.down else kind


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, address: Any) -> None:
        """Whoever asked may be gone: that is no error here."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, address)


class FakeServer:
    """Subclass with `answer`; use it in `with`. `asked` lists every request as (method, path)."""

    def __init__(self, faults: Faulty | None = None, port: int = 0) -> None:
        self.faults = faults or Faulty()
        self.asked: list[tuple[str, str]] = []
        self.lock, self.gone = threading.RLock(), threading.Event()
        self._http = _Server(("127.0.0.1", port), _handler(self))
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def answer(self, asked: Asked) -> Reply:
        """What the remote says; called by one thread at a time."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.gone.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def _handler(server: FakeServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer waits 40 ms for the acknowledgement of its own headers

        def _serve(self) -> None:
            asked = _asked(self)
            fault = "hang up" if server.faults.loses(asked.method) else server.faults.next()
            with server.lock:
                server.asked.append((asked.method, asked.path))
                reply = _troubled(fault) if fault in TROUBLED else server.answer(asked)
            if fault == "slow":
                server.gone.wait(server.faults.slow_seconds)
            _send(self, reply, fault)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

        def log_message(self, *_: object) -> None:
            """Nothing on the screen."""

    return Handler


TROUBLED: dict[str | None, Callable[[], Reply]] = {
    "500": lambda: Reply(500, HTML_500),
    "503": lambda: Reply(503, {"detail": "Service Unavailable"}),
    "429": lambda: Reply(429, {"detail": "Request was throttled."}, {"Retry-After": "0"}),
    "HTML": lambda: Reply(200, "<html>Bad gateway</html>"),
}
"""Faults in which the remote does nothing. In the others it has done what was asked, and the answer is lost."""


def _troubled(fault: str | None) -> Reply:
    return TROUBLED[fault]()


def _asked(handler: BaseHTTPRequestHandler) -> Asked:
    parts = urlsplit(handler.path)
    content = handler.rfile.read(min(int(handler.headers.get("Content-Length") or 0), MAX_BODY))
    body, form = None, {}
    if "json" in handler.headers.get("Content-Type", ""):
        try:
            body = json.loads(content)
        except ValueError:
            body = None
    elif content:
        form = {k: v[-1] for k, v in parse_qs(content.decode(), keep_blank_values=True).items()}
    query = {k: v[-1] for k, v in parse_qs(parts.query, keep_blank_values=True).items()}
    headers = {k.lower(): v for k, v in handler.headers.items()}
    return Asked(handler.command, parts.path, query, headers, body, form, handler.path)


def _send(handler: BaseHTTPRequestHandler, reply: Reply, fault: str | None) -> None:
    if fault == "hang up":
        handler.close_connection = True
        return
    is_text = isinstance(reply.body, str)
    content = b"" if reply.body is None else reply.body.encode() if is_text else json.dumps(reply.body).encode()
    if fault == "half of the JSON":
        content = content[: len(content) // 2]
    handler.send_response(reply.status)
    for name, value in reply.headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Type", "text/html; charset=utf-8" if is_text else "application/json")
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    if fault in ("break off", "reset"):
        handler.wfile.write(content[: len(content) // 2])
        handler.close_connection = True
        if fault == "reset":
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
            handler.rfile.close()
            handler.connection.close()
        return
    handler.wfile.write(content)
