"""Pictures are drawn of whatever people's numbers are."""

import signal
from collections.abc import Iterator
from datetime import date, timedelta
from types import FrameType
from xml.etree import ElementTree

import pytest

from meal_assets.charts import lines

MONDAY = date(2026, 11, 23)
PATIENCE_SECONDS = 30


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """One that would never end fails."""

    def give_up(_signal: int, _frame: FrameType | None) -> None:
        pytest.fail("it draws without end")

    former = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(PATIENCE_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, former)


@pytest.mark.parametrize(
    "values",
    [(60.0, 60.0), (60.0, 59.99999999999999), (0.0, 0.0), (1e-9, 2e-9), (123_456.78, 123_456.79), (-5.0, 5.0), (60.0,)],
)
def test_values_however_near_to_each_other_are_drawn(values: tuple[float, ...]) -> None:
    points = {MONDAY + timedelta(n): value for n, value in enumerate(values)}
    tree = ElementTree.fromstring(lines("Weight", "kg", {"ada": points}, beside={"trend": {"ada": points}}))  # ours
    assert "ada, trend" in {text.strip() for text in tree.itertext()}
