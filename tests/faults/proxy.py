"""A way to the server that can lose an answer: what was asked arrives and is done, but nobody hears of it."""

import socket
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

CHUNK = 65_536


class Proxy:
    """Forwards connections on a loopback port to a server's socket."""

    def __init__(self, to: Path) -> None:
        self.to = to
        self.losing: bytes | None = None
        self.lost = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.listener.close()

    def url(self, of: str) -> str:
        """The URL of a database by way of this proxy."""
        return f"{of.partition('?')[0]}?host=127.0.0.1&port={self.listener.getsockname()[1]}".replace(":@/", "@/")

    def lose_answer_to(self, words: bytes) -> None:
        """The next time somebody asks something with these words, let it be done and cut the connection."""
        self.losing = words

    def _accept(self) -> None:
        try:
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()
        except OSError:
            return  # closed

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(str(self.to))
            silent = threading.Event()
            answering = threading.Thread(target=_answer, args=(server, client, silent), daemon=True)
            answering.start()
            while asked := client.recv(CHUNK):
                if self.losing is not None and self.losing in asked:
                    self.losing = None
                    silent.set()
                    self.lost += 1
                server.sendall(asked)
                if silent.is_set():
                    break
            server.shutdown(socket.SHUT_WR)
            answering.join()  # the server has done what it was asked, and ended the session


def _answer(server: socket.socket, client: socket.socket, silent: threading.Event) -> None:
    while data := server.recv(CHUNK):
        if not silent.is_set():
            with suppress(OSError):  # a client that is gone reads no answer
                client.sendall(data)
