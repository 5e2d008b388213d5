"""What a figure is, how it is shown, and the machine it was measured on."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

SEED = 20_261_123
ROUNDS = 5
"""Ours and the peer take turns so often, so that noise hits both."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One claim: a rate or a duration, beside its peer's and the limit's, and whether the aim holds."""

    figure: str
    ours: float
    unit: str
    aim: str
    holds: bool
    peer: float | None = None
    peer_name: str = ""
    limit: float | None = None
    limit_name: str = ""
    seed: int = SEED

    def told(self) -> dict[str, object]:
        """The figure as one JSON line says it."""
        return {
            **asdict(self),
            "ratio_to_peer": round(self.ours / self.peer, 3) if self.peer else None,
            "ratio_to_limit": round(self.ours / self.limit, 3) if self.limit else None,
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores,"
            f" Python {platform.python_version()}",
        }

    def __str__(self) -> str:
        return json.dumps(self.told())


def rates(amount: int, *contestants: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Median amount a second of each contestant, in turn A B A B."""
    seconds: list[list[float]] = [[] for _ in contestants]
    for _ in range(rounds):
        for times, act in zip(seconds, contestants, strict=True):
            began = time.perf_counter()
            act()
            times.append(time.perf_counter() - began)
    return [amount / statistics.median(times) for times in seconds]
