"""Ctrl-C that is not lost: for commands that go on until they are told to end."""

import signal
from types import FrameType


class Interrupt:
    """Counts SIGINT and SIGTERM from now on. The first raises `KeyboardInterrupt`; with `each`, every one does.

    Python drops what is raised while it tidies up, as in `__del__` or at the end of a generator: who loops calls
    `check` in every turn.
    """

    def __init__(self, *, each: bool = False) -> None:
        self.count = 0
        self._each = each
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)

    def check(self) -> None:
        """Raises `KeyboardInterrupt` where there was one."""
        if self.count:
            raise KeyboardInterrupt

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
        if self.count == 1 or self._each:
            raise KeyboardInterrupt
