"""Joins two tables of partial sums: the pairs whose total lies in a box."""

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .portions import Floats, Ints

CHUNK = 2_000_000
"""Candidates looked at together: about 100 MB."""
LEFT_CHUNK = 20_000
NARROWEST_CELL = 0.5
"""Percent; keeps the grid's keys within 64 bits."""


def join(left: "Floats", right: "Floats", goal: "Floats", radius: "Floats") -> "Iterator[tuple[Ints, Ints]]":
    """Pairs of rows whose sum lies in the box around the goal, found through a grid of cells as wide as the box."""
    import numpy as np

    width = np.maximum(2 * radius, NARROWEST_CELL)
    cells = np.floor(right / width).astype(np.int64)
    shape = cells.max(axis=0, initial=0) + 1
    keys = np.ravel_multi_index(tuple(cells.T), tuple(shape))
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    parts = -(-len(left) // LEFT_CHUNK)
    for part in range(parts):
        mine = np.arange(part, len(left), parts)
        lowest = np.floor((goal - radius - left[mine]) / width).astype(np.int64)
        for corner in product((0, 1), repeat=len(goal)):
            cell = lowest + np.array(corner)
            inside = np.flatnonzero(((cell >= 0) & (cell < shape)).all(axis=1))
            key = np.ravel_multi_index(tuple(cell[inside].T), tuple(shape))
            begin, end = np.searchsorted(keys, key, "left"), np.searchsorted(keys, key, "right")
            yield from _pairs(left, right, goal, radius, mine[inside], order, begin, end)


def _pairs(
    left: "Floats",
    right: "Floats",
    goal: "Floats",
    radius: "Floats",
    rows: "Ints",
    order: "Ints",
    begin: "Ints",
    end: "Ints",
) -> "Iterator[tuple[Ints, Ints]]":
    import numpy as np

    ends = np.cumsum(end - begin)
    first = 0
    while first < len(rows):
        done = int(ends[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(ends, done + CHUNK, "right")))
        counts = (end - begin)[first:last]
        a = np.repeat(rows[first:last], counts)
        offset = np.arange(len(a)) - np.repeat(np.cumsum(counts) - counts, counts)
        b = order[np.repeat(begin[first:last], counts) + offset]
        keep = (np.abs(left[a] + right[b] - goal) <= radius).all(axis=1)
        if keep.any():
            yield a[keep], b[keep]
        first = last
