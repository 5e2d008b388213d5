"""What a person's day should hold, in percent of each target: where it costs nothing, what it costs beyond, and where
it may not be at all.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from ...contracts.plan_request import NutrientLimit, PlanRules
from ...contracts.values import MACROS, Nutrients
from .solver import INFINITY

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .week import Eater

    Floats = NDArray[np.float64]

DEAD_ZONE_PCT = 2.0
"""Inside this distance from a target there is nothing to gain: nobody eats the third decimal."""
DEVIATION = 1.0
"""Cost of each percentage point outside the dead zone, for each nutrient of each person and day."""
TOUCH = 1e-6
"""Percentage points by which a sum may miss its bounds: rounding, not eating."""


@dataclass(frozen=True, slots=True)
class Aim:
    """One nutrient of a person's day, in percent of `unit`: free of cost from `low` to `high`, each point beyond costs
    `slope`, and none is allowed outside of `least` and `most`.
    """

    nutrient: str
    unit: float
    low: float
    high: float
    least: float
    most: float
    slope: float = DEVIATION
    limit: NutrientLimit | None = None
    """The rule it comes from, where it is not a target."""

    def percent(self, held: Nutrients, energy: float) -> float:
        """Of the unit. What is not known of a limited nutrient counts as much as its part of the energy, in percent."""
        amount = getattr(held, self.nutrient)
        return energy if amount is None else 100 * float(amount) / self.unit

    def cost(self, percent: float) -> float:
        """What a day with so much costs."""
        return self.slope * (max(0.0, self.low - percent) + max(0.0, percent - self.high))

    def after(self, percent: float) -> Self:
        """What is left of it when so much was eaten already."""
        return replace(
            self, low=self.low - percent, high=self.high - percent, least=self.least - percent, most=self.most - percent
        )


Aims = tuple[Aim, ...]
"""Of one person: the targets in the order of MACROS, then the limits."""


def aims_of(rules: PlanRules, eater: "Eater") -> Aims:
    """What a whole day of the person should hold."""
    return (*_targets(rules, eater), *_limits(rules, eater))


def _targets(rules: PlanRules, eater: "Eater") -> Iterator[Aim]:
    for nutrient in MACROS:
        target = float(getattr(eater.target, nutrient))
        goal = 100.0 if target else 0.0
        allowed = rules.kcal_tolerance_pct if nutrient == "kcal" else rules.macro_tolerance_pct
        zone = min(DEAD_ZONE_PCT, allowed)
        allowed = INFINITY if rules.relax else allowed
        yield Aim(nutrient, target or 1.0, goal - zone, goal + zone, goal - allowed, goal + allowed)


def _limits(rules: PlanRules, eater: "Eater") -> Iterator[Aim]:
    for limit in rules.limits:
        if limit.person in (None, eater.person):
            unit = limit.most or limit.least or 1.0
            low = -INFINITY if limit.least is None else 100 * limit.least / unit
            high = INFINITY if limit.most is None else 100 * limit.most / unit
            if limit.weight is None:
                yield Aim(limit.nutrient, unit, low, high, low, high, limit=limit)
            else:
                yield Aim(limit.nutrient, unit, low, high, -INFINITY, INFINITY, limit.weight, limit)


def percents(aims: Aims, held: Nutrients) -> list[float]:
    """What an amount of food holds, in percent of each aim."""
    energy = aims[0].percent(held, 0.0)
    return [aim.percent(held, energy) for aim in aims]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Aims as arrays, an entry for each."""

    low: "Floats"
    high: "Floats"
    least: "Floats"
    most: "Floats"
    slope: "Floats"

    @classmethod
    def of(cls, aims: Aims) -> "Bounds":
        import numpy as np

        columns = zip(*((a.low, a.high, a.least, a.most, a.slope) for a in aims), strict=True)
        return cls(*(np.array(column, dtype=float) for column in columns))

    def cost(self, sums: "Floats") -> "Floats":
        """What days with these sums (days, aims) cost, a number each."""
        import numpy as np

        beyond = np.maximum(0.0, self.low - sums) + np.maximum(0.0, sums - self.high)
        costs: Floats = (self.slope * beyond).sum(axis=-1)
        return costs

    def within(self, reach: float) -> "tuple[Floats, Floats]":
        """Between which sums a day lies that costs no more than this: never beyond least and most."""
        import numpy as np

        lower = np.maximum(self.least, self.low - reach / self.slope)
        upper = np.minimum(self.most, self.high + reach / self.slope)
        return lower - TOUCH, upper + TOUCH
