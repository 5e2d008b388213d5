"""Real data that lives beside the checkout; tests that need it skip, with a reason, where it is absent."""

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("MEALS_SHARED_DATA", Path(__file__).parents[1].parent / "shared" / "data"))


def shared_data(name: str) -> Path:
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"real data {name} is not at {FOLDER} (set MEALS_SHARED_DATA)")
    return path
