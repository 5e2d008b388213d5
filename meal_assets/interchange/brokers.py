"""The brokers that a relay can publish to, by the scheme of their URL."""

import json
import os
import sys
from collections import deque
from pathlib import Path
from urllib.parse import unquote, urlsplit

from meal_assets.errors import Invalid, Transient, Unavailable

from .relay import Broker

REMEMBERED = 10_000
"""Message ids at the end of a file that are recognised when they come again."""


def broker_at(url: str) -> Broker:
    """The broker of a URL; raises `Invalid` for one that we cannot publish to."""
    parts = urlsplit(url)
    if parts.scheme in ("nats", "tls"):
        from .nats import Nats

        return Nats(url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path:
        return File(Path(unquote(parts.path)))
    if url == "stdout:":
        return Stdout()
    raise Invalid("URL", f"{url!r} is none of nats://host:4222, tls://host:4222, file:///path/to/events.jsonl, stdout:")


class File:
    """JSON lines at the end of a file, each on the disk before it counts as published."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            end, self._ids = _recalled(path)
            self._file = path.open("ab")
            self._file.truncate(end)
        except OSError as error:
            raise Invalid("URL", f"cannot write {path}: {error.strerror}") from error

    def publish(self, subject: str, body: bytes, message_id: str) -> None:  # noqa: ARG002 - the port has them
        if message_id in self._ids:
            return
        whole = self._file.seek(0, os.SEEK_END)
        try:
            self._file.write(body + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            self._file.truncate(whole)
            raise Transient(f"{self._path} took no more: {error.strerror}") from error
        self._ids.append(message_id)

    def close(self) -> None:
        self._file.close()


class Stdout:
    """JSON lines for whatever reads our output; it remembers nothing, so a reader drops ids it has seen."""

    def publish(self, subject: str, body: bytes, message_id: str) -> None:  # noqa: ARG002 - the port has them
        try:
            sys.stdout.buffer.write(body + b"\n")
            sys.stdout.buffer.flush()
        except BrokenPipeError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered has nowhere to go
            raise Unavailable("nobody reads our output any more: give the command again to go on") from error

    def close(self) -> None:
        sys.stdout.buffer.flush()


def _recalled(path: Path) -> tuple[int, deque[str]]:
    """Where the last whole line of a file ends, and the last ids in it."""
    end, last = 0, deque[bytes](maxlen=REMEMBERED)
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    end += len(line)
                    last.append(line)
    try:
        return end, deque((str(json.loads(line)["id"]) for line in last), maxlen=REMEMBERED)
    except (ValueError, TypeError, KeyError) as error:
        raise Invalid("URL", f"{path} holds something else than events: name another file") from error
