"""A program run once, within bounds: of time, of what it may write, and of what it may know of us."""

import os
import selectors
import shutil
import signal
import subprocess  # programs that a consumer names, without a shell
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import IO

import psutil

from meal_assets.errors import Permanent, Transient

INHERITED = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ")
"""All that a program gets of our environment: the rest holds passwords."""
MAX_OUTPUT = 1 << 20
"""Bytes on standard output."""
MAX_STDERR = 2_000
"""Bytes of standard error that are kept, the last ones."""
GUARD_SECONDS = 5.0
"""Should we die meanwhile, `timeout` ends the program so much later than we would have."""
LOOK_SECONDS = 0.05
DRAIN_SECONDS = 1.0
"""A program has ended, but somebody who left its process group holds its output: he is heard no longer."""
AGAIN = {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
"""Signals that come from outside: it did not crash by itself."""


@dataclass(frozen=True, slots=True)
class Ended:
    """`status` as the system tells it, negative for a signal; `stderr` is only its end."""

    status: int
    stdout: bytes
    stderr: str


def run(command: Sequence[str], given: bytes, environment: Mapping[str, str], seconds: float) -> Ended:
    """Run the command in an empty folder of its own, and end it and all of its process group.

    Raises `Permanent` when there is no such program or it writes too much, `Transient` when it takes too long or is
    killed from outside.
    """
    with TemporaryDirectory(prefix="meals-program-") as folder:
        kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
        kept |= {"HOME": folder, "TMPDIR": folder, **environment}
        if shutil.which(command[0], path=kept.get("PATH")) is None:
            raise Permanent(f"there is no program {command[0]}, or it may not be executed: install it, or name another")
        process = subprocess.Popen(  # noqa: S603  # what a consumer's class names
            [*_guard(seconds), *command],
            cwd=folder,
            env=kept,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            ended = _talk(process, command[0], given, time.monotonic() + seconds, seconds)
        finally:
            _end(process)
    if (killed := _signal_of(ended.status)) in AGAIN:
        raise Transient(f"{command[0]} was ended by {killed.name}{_quoted(ended.stderr)}")
    return ended


def told(ended: Ended, name: str) -> str:
    """How it ended, in words, and the end of what it said about it."""
    number = _signal_of(ended.status)
    how = f"crashed with {number.name}" if number else f"ended with status {ended.status}"
    return f"{name} {how}{_quoted(ended.stderr)}"


def _guard(seconds: float) -> list[str]:
    program = shutil.which("timeout")  # of GNU; elsewhere a program that outlives us ends by itself or not
    return [program, "--kill-after=1", str(seconds + GUARD_SECONDS)] if program else []


def _talk(process: "subprocess.Popen[bytes]", name: str, given: bytes, end: float, seconds: float) -> Ended:
    assert process.stdin
    assert process.stdout
    assert process.stderr
    streams: dict[IO[bytes], bytearray] = {process.stdout: bytearray(), process.stderr: bytearray()}
    rest, gone_since = memoryview(given), None
    with selectors.DefaultSelector() as ready:
        for stream in (process.stdin, *streams):
            os.set_blocking(stream.fileno(), False)
            ready.register(stream, selectors.EVENT_WRITE if stream is process.stdin else selectors.EVENT_READ)
        while any(stream in ready.get_map() for stream in streams):
            now = time.monotonic()
            if now > end:
                heard = _text(streams[process.stderr])
                raise Transient(f"{name} took longer than {seconds:g} s and was ended{_quoted(heard)}")
            if gone_since is None and _is_over(process):
                gone_since = now
                _kill_group(process)  # else what it left behind could hold its output open
            if gone_since is not None and now - gone_since > DRAIN_SECONDS:
                break
            for key, _ in ready.select(min(end - now, LOOK_SECONDS)):
                if key.fileobj is process.stdin:
                    rest = _write(process.stdin, rest)
                    if not rest:
                        ready.unregister(process.stdin)
                        with suppress(BrokenPipeError):
                            process.stdin.close()
                    continue
                stream = process.stdout if key.fileobj is process.stdout else process.stderr
                data = os.read(stream.fileno(), 65_536)
                if not data:
                    ready.unregister(stream)
                streams[stream] += data
                if stream is process.stderr:
                    del streams[stream][:-MAX_STDERR]
                elif len(streams[stream]) > MAX_OUTPUT:
                    raise Permanent(f"{name} wrote more than {MAX_OUTPUT:,} bytes and was ended")
    try:
        status = process.wait(max(end - time.monotonic(), 0))
    except subprocess.TimeoutExpired:
        raise Transient(f"{name} took longer than {seconds:g} s and was ended") from None
    return Ended(status, bytes(streams[process.stdout]), _text(streams[process.stderr]))


def _write(stream: IO[bytes], rest: memoryview) -> memoryview:
    """What is left to write; nothing when nobody reads it, which is no error."""
    try:
        return rest[os.write(stream.fileno(), rest[:65_536]) :]
    except BrokenPipeError:
        return rest[:0]


def _is_over(process: "subprocess.Popen[bytes]") -> bool:
    """Without burying it: its number is its group's as well, and must not become another's yet."""
    try:
        return bool(psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End it, those that it started, and its group."""
    if process.returncode is None:
        with suppress(psutil.Error):
            for child in psutil.Process(process.pid).children(recursive=True):  # also those with a group of their own
                with suppress(psutil.Error):
                    child.kill()
    _kill_group(process)
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(BrokenPipeError):
                stream.close()


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _signal_of(status: int) -> signal.Signals | None:
    """The signal that ended it, also as `timeout` and shells tell it."""
    number = -status if status < 0 else status - 128
    try:
        return signal.Signals(number) if number > 0 else None
    except ValueError:
        return None


def _text(data: bytes | bytearray) -> str:
    return bytes(data).decode(errors="replace").strip()


def _quoted(text: str) -> str:
    return f": {text}" if text else ""
