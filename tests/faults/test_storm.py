"""Nothing is lost, nothing is there twice, nothing diverges, whoever is killed whenever."""

from pathlib import Path

import pytest

from .server import Server
from .storm import storm

pytestmark = pytest.mark.slow
SEED = 20_261_123
KILLS = 15
"""The long version is a benchmark: `python -m bench faults`."""


def test_after_many_deaths_every_event_is_there_once_and_every_model_is_as_from_zero(
    frail: Server, tmp_path: Path
) -> None:
    print(f"seed {SEED}")
    proof = storm(frail, tmp_path, SEED, KILLS)
    assert proof.findings == ()
    assert proof.acknowledged > KILLS
