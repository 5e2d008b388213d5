"""Runs benchmarks by name, all without one, and notes each figure in RESULTS.md in the place of the one before.

`--events N` and `--quick` are for those that have another size: see their first lines. What was quick is not noted.
"""

import argparse
import importlib
import inspect
import pkgutil
import sys
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.table import Table

import bench

from .figures import Figure

NOT_BENCHMARKS = {
    "__main__", "figures", "labelled", "library", "peer", "peer_projection", "platforms", "scratch", "simulated",
}  # fmt: skip

RESULTS = Path(bench.__path__[0]) / "RESULTS.md"
ABOUT = """# Results

Each figure as `python -m bench NAME` measured it last, on a machine with two cores. Peer and limit ran beside ours, so
ratios mean something, and seconds little.
"""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--events", type=int)
    parser.add_argument("--quick", action="store_true")
    given = vars(parser.parse_args(arguments))
    names = given.pop("names")
    options = {name: value for name, value in given.items() if value}
    known = [m.name for m in pkgutil.iter_modules(bench.__path__) if m.name not in NOT_BENCHMARKS]
    if unknown := sorted(set(names) - set(known)):
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    for name in names or known:
        run = importlib.import_module(f"bench.{name}").run
        takes = inspect.signature(run).parameters
        measured = run(**{option: value for option, value in options.items() if option in takes})
        figures += measured
        print(*measured, sep="\n", flush=True)  # what is known is not lost with what comes after
        if "quick" not in options:
            _note(measured, date.today())
    table = Table("figure", "ours", "peer", "limit", "aim", "holds")
    for f in figures:
        table.add_row(*_row(f))
    Console(stderr=True).print(table)
    return 0 if all(f.holds for f in figures) else 1


def _note(figures: list[Figure], day: date) -> None:
    """Put the figures into the table, by name; the others stay as they are."""
    known = [line for line in RESULTS.read_text().splitlines() if line.startswith("| ")] if RESULTS.exists() else []
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in known[1:]}
    rows |= {f.figure: f"| {' | '.join([*_row(f), str(day)])} |" for f in figures}
    head = "| figure | ours | peer | limit | aim | holds | measured |"
    RESULTS.write_text("\n".join([ABOUT, head, "|---" * 7 + "|", *(rows[name] for name in sorted(rows)), ""]))


def _row(f: Figure) -> list[str]:
    peer = f"{_number(f.peer)} ({f.peer_name}, {f.ours / f.peer:.2f}×)" if f.peer else ""
    limit = f"{_number(f.limit)} ({f.limit_name}, {f.ours / f.limit:.2f}×)" if f.limit else ""
    return [f.figure, f"{_number(f.ours)} {f.unit}", peer, limit, f.aim, "yes" if f.holds else "no"]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.4g}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
