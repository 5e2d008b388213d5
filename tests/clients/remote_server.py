"""A remote on loopback that behaves as a test tells it to: answers in turn, then the last one for ever."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass(frozen=True)
class Call:
    """What came with a request."""

    headers: Mapping[str, str]
    body: bytes


@dataclass
class Server:
    """`asked` holds (method, path with query) of every request, `calls` the rest of it."""

    url: str
    script: list[Answer]
    asked: list[tuple[str, str]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)

    def next(self, method: str, path: str) -> Answer:
        with self.lock:
            self.asked.append((method, path))
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]


def says(status: int, body: bytes = b"{}", headers: Mapping[str, str] | None = None) -> Answer:
    """A whole answer."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def hangs_up(handler: BaseHTTPRequestHandler) -> None:
    """The connection ends without an answer."""
    handler.close_connection = True


def breaks_off(handler: BaseHTTPRequestHandler) -> None:
    """The connection ends in the middle of the body."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"half of i")
    handler.close_connection = True


def is_silent(handler: BaseHTTPRequestHandler) -> None:
    """Nothing comes until the client gives up."""
    handler.connection.settimeout(30)
    handler.connection.recv(1)
    handler.close_connection = True


@contextmanager
def serving(*script: Answer) -> Iterator[Server]:
    """A running server with that script."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            server.calls.append(Call(self.headers, body))
            server.next(self.command, self.path)(self)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        server = Server(f"http://127.0.0.1:{http.server_port}", list(script))
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


def wait_until(true: Callable[[], bool], patience: float = 10.0) -> None:
    """Fails when it does not come true."""
    end = time.monotonic() + patience
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.005)
