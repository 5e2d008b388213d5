"""A real NATS server on loopback, which can be stopped and started, and what its stream holds."""

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import nats
import pytest
from nats.js import JetStreamContext

BINARY = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin:/usr/local/bin")
TRIES = 200
STOP_SECONDS = 10
T = TypeVar("T")


class NatsServer:
    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, _free_port()
        self.url = f"nats://127.0.0.1:{self._port}"

    def start(self) -> None:
        command = [BINARY, "-js", "-sd", str(self._folder), "-a", "127.0.0.1", "-p", str(self._port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # type: ignore[list-item,arg-type]
        for _ in range(TRIES):
            with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=1) as greeting:
                if greeting.recv(4) == b"INFO":
                    return
            with suppress(subprocess.TimeoutExpired):
                raise AssertionError(f"nats-server ended with {self._process.wait(timeout=0.05)}")
        raise AssertionError("nats-server does not listen")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(timeout=STOP_SECONDS)

    def arrived(self) -> list[bytes]:
        """The bodies of all messages of the stream, in its order."""

        async def read(stream: JetStreamContext) -> list[bytes]:
            last = (await stream.stream_info("MEALS")).state.last_seq
            return [(await stream.get_msg("MEALS", n)).data or b"" for n in range(1, last + 1)]

        return self._asked(read)

    def make_stream(self, name: str, subjects: str) -> None:
        async def make(stream: JetStreamContext) -> None:
            await stream.add_stream(name=name, subjects=[subjects])

        self._asked(make)

    def _asked(self, ask: Callable[[JetStreamContext], Awaitable[T]]) -> T:
        async def session() -> T:
            connection = await nats.connect(self.url)
            try:
                return await ask(connection.jetstream())
            finally:
                await connection.close()

        return asyncio.run(session())


@contextmanager
def nats_server(folder: Path) -> Iterator[NatsServer]:
    if BINARY is None:
        pytest.skip("there is no nats-server here: apt-get install nats-server")
    server = NatsServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
