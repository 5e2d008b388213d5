"""What another week would cost beside the planned one: the answer to why a meal is in it, and another is not."""

from dataclasses import dataclass

from ...contracts.plan import PlanGenerated, PlannedMeal

NOTHING = 1e-6
"""A cost that is the solver's rounding."""


@dataclass(frozen=True, slots=True)
class Difference:
    """`cost` more than the planned week, by its terms; less than nothing where the other is better."""

    cost: float
    terms: dict[str, float]
    changed: tuple[tuple[PlannedMeal | None, PlannedMeal | None], ...]
    """Meals with another recipe, as they are planned and as they would be."""


def difference(planned: PlanGenerated, other: PlanGenerated) -> Difference:
    """What the other costs more."""
    was, would = planned.proof.terms, other.proof.terms
    terms = {name: would.get(name, 0.0) - was.get(name, 0.0) for name in {**was, **would}}
    before = {(m.day, m.meal): m for m in planned.meals}
    after = {(m.day, m.meal): m for m in other.meals}
    return Difference(
        other.proof.objective - planned.proof.objective,
        {name: round(cost, 6) for name, cost in terms.items() if abs(cost) > NOTHING},
        tuple(
            (before.get(slot), after.get(slot))
            for slot in sorted({*before, *after})
            if (before[slot].recipe if slot in before else None) != (after[slot].recipe if slot in after else None)
        ),
    )
