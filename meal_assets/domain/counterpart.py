"""Which food of a food database stands for a meal logged here: the one whose energy comes from the same."""

from collections.abc import Iterable
from typing import TypeVar

from meal_assets.contracts.values import Nutrients

MOST_APART = 0.4
"""Of 2: the shares of the energy that come from protein, carbohydrates and fat may differ by so much in all."""
KCAL_OF = {"protein_g": 4.0, "carbs_g": 4.0, "fat_g": 9.0}

Candidate = TypeVar("Candidate")


def most_alike(wanted: Nutrients, candidates: Iterable[tuple[Candidate, Nutrients]]) -> Candidate | None:
    """The candidate whose energy comes most from the same; the first of several, None where all are too far apart."""
    ours = _shares(wanted)
    near = [(_apart(ours, _shares(holds)), n, one) for n, (one, holds) in enumerate(candidates)]
    distance, _, found = min(near, key=lambda row: row[:2], default=(2.0, 0, None))
    return found if distance <= MOST_APART else None


def _shares(holds: Nutrients) -> list[float]:
    kcal = [getattr(holds, name) * per_gram for name, per_gram in KCAL_OF.items()]
    return [part / sum(kcal) if sum(kcal) else 0.0 for part in kcal]


def _apart(ours: list[float], theirs: list[float]) -> float:
    """2 for one without energy, which is like nothing."""
    return sum(abs(a - b) for a, b in zip(ours, theirs, strict=True)) if any(ours) and any(theirs) else 2.0
