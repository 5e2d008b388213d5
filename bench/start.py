"""How soon `meals up` answers, what importing the code costs, and what the platform takes while nothing happens."""

import os
import subprocess
import sys
import time

import psutil

from .figures import Figure
from .platforms import Ours, ours

IDLE_SECONDS = float(os.environ.get("BENCH_SECONDS", "60"))
SETTLE_SECONDS = 15.0
ROUNDS = 3


def run() -> list[Figure]:
    with ours() as platform:
        start = platform.start_seconds
        time.sleep(SETTLE_SECONDS)
        cpu, memory, names = _idle(platform)
    print(names, file=sys.stderr)
    name = "import dagster"
    code, dagster = _import("import definitions"), _import("import dagster")
    return [
        Figure("start to UI answering", start, "s", "≤ 10 s", start <= 10),
        Figure("import of the code location", code, "s", "≤ 1.6 s", code <= 1.6, limit=dagster, limit_name=name),
        Figure("idle CPU", cpu, "% of a core", "≤ 6 %", cpu <= 6),
        Figure("memory of all processes", memory, "MiB", "≤ 1024 MiB", memory <= 1024),
    ]


def _idle(platform: Ours) -> tuple[float, float, str]:
    """Percent of a core over a while, MiB that are not shared, and what runs."""
    processes = platform.processes()
    before = sum(sum(p.cpu_times()[:2]) for p in processes)
    time.sleep(IDLE_SECONDS)
    cpu = (sum(sum(p.cpu_times()[:2]) for p in processes) - before) / IDLE_SECONDS * 100
    each = {p.pid: p.memory_full_info().pss / 2**20 for p in processes}
    names = ", ".join(f"{' '.join(p.cmdline()[1:5])}: {each[p.pid]:.0f} MiB" for p in processes)
    return cpu, sum(each.values()), names


def _import(statement: str) -> float:
    """CPU seconds of a fresh interpreter, the least of a few: what it takes on a machine that does nothing else."""
    seconds = []
    for _ in range(ROUNDS):
        began = psutil.Process().cpu_times()
        subprocess.run([sys.executable, "-c", statement], check=True)
        ended = psutil.Process().cpu_times()
        seconds.append(ended.children_user + ended.children_system - began.children_user - began.children_system)
    return min(seconds)
