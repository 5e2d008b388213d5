"""The document says what the API does: schemathesis asks every route what it may be asked, and what not.

A few examples of each here; `python -m bench api` asks for longer.
"""

import pytest

from meal_assets.api.limits import Rate

from .conftest import Api
from .fuzz import ROLES, fuzzed


@pytest.fixture(scope="module")
def secrets(api: Api) -> dict[str, str]:
    """It also asks with tokens that are none, more often than one may."""
    api.app.state.shared.failed_logins = Rate(1_000_000)
    return {role: api.secret(*asked) for role, asked in ROLES.items()}


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("role", ROLES)
def test_every_route_keeps_to_its_description(api: Api, secrets: dict[str, str], role: str) -> None:
    found = fuzzed(api.url, secrets[role], examples=1, seed=1)
    assert not found, "\n\n".join(found)
