"""Ctrl-C at the wrong moment, when Python drops what is raised."""

import signal
from collections.abc import Iterator

import pytest

from meal_assets.cli.interrupts import Interrupt


class Tidied:
    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_one_that_is_dropped_is_told_at_the_next_look() -> None:
    interrupt = Interrupt()
    interrupt.check()
    Tidied()  # had it been raised here, the test would have ended
    with pytest.raises(KeyboardInterrupt):
        interrupt.check()


def test_the_first_is_raised_and_those_after_it_where_each_counts() -> None:
    for each in (False, True):
        interrupt = Interrupt(each=each)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        if each:
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        else:
            signal.raise_signal(signal.SIGINT)
        assert interrupt.count == 2
