"""Each fault of the test partners is on the wire what it is called."""

from collections.abc import Callable

import httpx
import pytest

from meal_assets.fakes.server import Asked, FakeServer, Faulty, Reply

BODY = {"told": "x" * 4_000_000}
"""More than the buffers of a connection hold."""


class Server(FakeServer):
    def answer(self, asked: Asked) -> Reply:
        return Reply(body=BODY)


def met(kind: str, *, patience: float = 5.0, slow_seconds: float = 0.0) -> object:
    """What somebody who does not try again sees: the answer, or the error."""
    faults = Faulty(1.0, kinds=[kind])
    faults.slow_seconds = slow_seconds
    with Server(faults) as server, httpx.Client(timeout=patience, trust_env=False) as client:
        try:
            return client.get(server.url)
        except httpx.TransportError as error:
            return error


EXPECTED: dict[str, Callable[[object], bool]] = {
    "500": lambda seen: isinstance(seen, httpx.Response) and seen.status_code == 500 and "Server Error" in seen.text,
    "503": lambda seen: isinstance(seen, httpx.Response) and seen.status_code == 503,
    "429": lambda seen: isinstance(seen, httpx.Response) and "retry-after" in seen.headers,
    "hang up": lambda seen: isinstance(seen, httpx.RemoteProtocolError),
    "break off": lambda seen: isinstance(seen, httpx.RemoteProtocolError),
    "reset": lambda seen: isinstance(seen, httpx.ReadError),
    "half of the JSON": lambda seen: isinstance(seen, httpx.Response) and seen.text[-1] != "}",
    "HTML": lambda seen: isinstance(seen, httpx.Response) and seen.text.startswith("<html>"),
    "slow": lambda seen: isinstance(seen, httpx.Response) and seen.json() == BODY,
}


@pytest.mark.parametrize("kind", Faulty.KINDS)
def test_a_fault_is_what_it_is_called(kind: str) -> None:
    assert EXPECTED[kind](met(kind))


def test_one_that_is_too_slow_is_given_up_and_keeps_nobody_from_ending() -> None:
    assert isinstance(met("slow", patience=0.2, slow_seconds=3_600.0), httpx.ReadTimeout)
