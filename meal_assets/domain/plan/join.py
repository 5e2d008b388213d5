"""Joins two tables of partial sums: the pairs whose total lies in a box and does not cost too much.

Both lie in a grid of cells; pairs of cells that can meet are looked up, and in each the cheap enough rows. Sums are in
single precision: a pair may be in the result that is up to `SINGLE` outside, and none is missing.
"""

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .kinds import Floats, Ints

    Singles = NDArray[np.float32]

CHUNK = 1_000_000
"""Pairs looked at together."""
LEFT_CHUNK = 50_000
DIMENSIONS = 3
"""Of the grid, at most: those of the narrowest boxes."""
PARTS = 2
"""Cells that the width of a box is cut into."""
NARROWEST = 1.0
MOST_CELLS = 300_000
BINS = 24
"""Steps of cost in a cell."""
SINGLE = 1e-2
"""Percentage points that single precision may be off."""


def join(
    left: "Singles", right: "Singles", left_cost: "Singles", right_cost: "Singles",
    lower: "Floats", upper: "Floats", room: float,
) -> "Iterator[tuple[Ints, Ints, int]]":  # fmt: skip
    """Pairs of rows with a sum from `lower` to `upper`, whose costs together are within the room; and how many were
    looked at for them.

    Tables are (dimensions, rows), so that each dimension lies together.
    """
    import numpy as np

    if not (left.shape[1] and right.shape[1]):
        return
    room = min(room, float(left_cost.max() + right_cost.max()))
    grid = _Grid(right, right_cost, lower - SINGLE, upper + SINGLE, room)
    order = grid.order_of(left)
    right, right_cost = right[:, grid.rows], right_cost[grid.rows]
    for start in range(0, len(order), LEFT_CHUNK):
        mine = order[start : start + LEFT_CHUNK]
        begin, count, rows = grid.matches(left[:, mine], left_cost[mine])
        ends = np.cumsum(count)
        first = 0
        while first < len(rows):
            done = int(ends[first - 1]) if first else 0
            last = max(first + 1, int(np.searchsorted(ends, done + CHUNK, "right")))
            counts = count[first:last]
            a = mine[np.repeat(rows[first:last], counts)]
            b = np.arange(len(a)) - np.repeat(np.cumsum(counts) - counts - begin[first:last], counts)
            looked = len(a)
            keep = left_cost[a] + right_cost[b] <= room + SINGLE
            a, b = a[keep], b[keep]
            for d in range(len(left)):
                total = left[d, a] + right[d, b]
                keep = (total >= lower[d] - SINGLE) & (total <= upper[d] + SINGLE)
                a, b = a[keep], b[keep]
            yield a, grid.rows[b], looked
            first = last


class _Grid:
    """The right table in cells of a grid, in each by cost."""

    def __init__(self, right: "Singles", cost: "Singles", lower: "Floats", upper: "Floats", room: float) -> None:
        import numpy as np

        width = upper - lower
        bounded = np.flatnonzero(np.isfinite(width))
        narrow = bounded[np.argsort(width[bounded], kind="stable")]
        # energy is nearly the sum of the others: a grid of them is as good, and finer
        self._dims = sorted(([d for d in narrow if d] or list(narrow))[:DIMENSIONS])
        self._lower, self._upper = lower[self._dims], upper[self._dims]
        self._width = np.maximum(width[self._dims] / PARTS, NARROWEST)
        table = right[self._dims]
        self._floor = table.min(axis=1) if len(self._dims) else np.zeros(0)
        most = table.max(axis=1) if len(self._dims) else np.zeros(0)
        while np.prod(shape := np.floor((most - self._floor) / self._width).astype(np.int64) + 1) > MOST_CELLS:
            self._width = self._width * 1.25
        self._shape = shape
        self._room = room
        self._scale = BINS / max(room, 1e-9)
        bins = np.clip((cost * self._scale).astype(np.int64), 0, BINS - 1)
        keys = self._key(self._cells(table)) * BINS + bins
        self.rows = np.argsort(keys, kind="stable")
        counts = np.bincount(keys, minlength=int(np.prod(shape)) * BINS)
        self._ends = np.cumsum(counts)

    def order_of(self, left: "Singles") -> "Ints":
        """The rows of the left table, those of a cell together."""
        import numpy as np

        if not self._dims:
            return np.arange(left.shape[1])
        table = left[self._dims]
        cells = np.floor((table - table.min(axis=1, keepdims=True)) / self._width[:, None]).astype(np.int64)
        return np.lexsort(cells)

    def matches(self, left: "Singles", cost: "Singles") -> "tuple[Ints, Ints, Ints]":
        """First row, number of rows of the right table in its order, and the row of the left: those with any."""
        import numpy as np

        table = left[self._dims]
        low = np.floor((self._lower[:, None] - table - self._floor[:, None]) / self._width[:, None]).astype(np.int64)
        high = np.floor((self._upper[:, None] - table - self._floor[:, None]) / self._width[:, None]).astype(np.int64)
        bins = ((self._room + SINGLE - cost) * self._scale).astype(np.int64)
        bins, fits = np.minimum(bins, BINS - 1), bins >= 0
        begins, counts, rows = [], [], []
        spans = (high - low).max(axis=1, initial=0) if len(self._dims) else ()
        for corner in product(*(range(int(span) + 1) for span in spans)):
            cell = low + np.array(corner, dtype=np.int64)[:, None]
            inside = (
                fits & (cell <= high).all(axis=0) & (cell >= 0).all(axis=0) & (cell < self._shape[:, None]).all(axis=0)
            )
            found = np.flatnonzero(inside)
            key = self._key(cell[:, found]) * BINS
            begin = np.where(key > 0, self._ends[key - 1], 0)
            count = self._ends[key + bins[found]] - begin
            some = count > 0
            begins.append(begin[some])
            counts.append(count[some])
            rows.append(found[some])
        return np.concatenate(begins), np.concatenate(counts), np.concatenate(rows)

    def _cells(self, table: "Singles") -> "Ints":
        import numpy as np

        cells: Ints = np.floor((table - self._floor[:, None]) / self._width[:, None]).astype(np.int64)
        return cells

    def _key(self, cells: "Ints") -> "Ints":
        import numpy as np

        key = np.zeros(cells.shape[1], dtype=np.int64)
        for cell, size in zip(cells, self._shape.tolist(), strict=True):
            key = key * size + cell
        return key
