"""A server of its own for the tests that ill-treat it."""

from collections.abc import Iterator

import pytest

from .server import Server, server


@pytest.fixture(scope="package")
def frail() -> Iterator[Server]:
    """The server that may be killed."""
    with server() as started:
        yield started
