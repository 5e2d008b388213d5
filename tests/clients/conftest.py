"""Retries without their pauses."""

from collections.abc import Iterator

import pytest
import stamina

from meal_assets.clients.attempts import ATTEMPTS


@pytest.fixture(autouse=True)
def no_pauses() -> Iterator[None]:
    """As many attempts as ever, one right after the other."""
    with stamina.set_testing(True, attempts=ATTEMPTS, cap=True):
        yield
