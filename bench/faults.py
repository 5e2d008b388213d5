"""Killing whoever works on the log, BENCH_KILLS times at random moments: what is lost, doubled, divergent after it?"""

import os
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.server import server
from tests.faults.storm import storm

from .figures import SEED, Figure

KILLS = 500
AIM = "0"


def run() -> list[Figure]:
    kills = int(os.environ.get("BENCH_KILLS", KILLS))
    print(f"seed {SEED}, {kills} kills", file=sys.stderr)
    with server() as frail, tempfile.TemporaryDirectory(prefix="meals-journals-") as folder:
        began = time.perf_counter()
        proof = storm(frail, Path(folder), SEED, kills)
        seconds = time.perf_counter() - began
    size = f"{proof.events} events, {proof.acknowledged} appends acknowledged, {seconds:.0f} s"
    print(size, *proof.findings, sep="\n", file=sys.stderr)
    found = {"lost": proof.lost, "doubled": proof.doubled, "divergent": proof.divergent}
    return [
        Figure("faults: kills", kills, "kills", f"{kills}, each survived", True),
        *(Figure(f"faults: {name}", len(what), "findings", AIM, not what) for name, what in found.items()),
    ]
