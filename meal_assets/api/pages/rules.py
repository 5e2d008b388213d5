"""What people decided of a week: the rules of its last request, without the locks that only kept meals in place."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from meal_assets.contracts import Event
from meal_assets.contracts.plan import PlanGenerated, PlannedMeal
from meal_assets.contracts.plan_request import Lock, PlanRequested, PlanRules, Skip
from meal_assets.contracts.values import Meal

Slot = tuple[date, Meal]
MEANT = 2
"""How often a lock stands in a request that also locks what only is to stay as it is."""


@dataclass(frozen=True, slots=True)
class Decided:
    """Rules of a week, for whom, and the meals that stand (slot -> recipe)."""

    rules: PlanRules = field(default_factory=PlanRules)
    persons: tuple[str, ...] = ()
    seed: int = 0
    stands: tuple[tuple[Slot, str], ...] = ()
    asked: bool = False

    @property
    def locked(self) -> dict[Slot, str]:
        return {(lock.day, lock.meal): lock.recipe for lock in self.rules.locks}

    @property
    def skipped(self) -> set[Slot]:
        return {(skip.day, skip.meal) for skip in self.rules.skips if skip.person is None}

    def lock(self, slot: Slot, recipe: str) -> "Decided":
        """Decide a meal."""
        locks = [lock for lock in self.rules.locks if (lock.day, lock.meal) != slot]
        skips = [skip for skip in self.rules.skips if (skip.day, skip.meal) != slot]
        return self._with([*locks, Lock(day=slot[0], meal=slot[1], recipe=recipe)], skips)

    def unlock(self, slot: Slot) -> "Decided":
        return self._with([lock for lock in self.rules.locks if (lock.day, lock.meal) != slot], self.rules.skips)

    def skip(self, slot: Slot) -> "Decided":
        """Plan nothing for a meal."""
        return self._with(self.unlock(slot).rules.locks, [*self.rules.skips, Skip(day=slot[0], meal=slot[1])])

    def unskip(self, slot: Slot) -> "Decided":
        return self._with(self.rules.locks, [s for s in self.rules.skips if (s.day, s.meal) != slot])

    def kept(self) -> PlanRules:
        """The rules with all other meals that stand locked as well: the week stays, but for what was decided."""
        free = self.locked.keys() | self.skipped
        keeps = [Lock(day=d, meal=m, recipe=r) for (d, m), r in self.stands if (d, m) not in free]
        own = [lock for lock in self.rules.locks for _ in range(MEANT)]
        return self._with([*own, *keeps], self.rules.skips).rules

    def _with(self, locks: Sequence[Lock], skips: Sequence[Skip]) -> "Decided":
        rules = PlanRules.model_validate({**dict(self.rules), "locks": tuple(locks), "skips": tuple(skips)})
        return replace(self, rules=rules)


def decided(history: Iterable[Event]) -> Decided:
    """Of the events of a week's stream, in their order.

    A request that locks every meal of the plan before it keeps that plan: a decision in it is what it locks twice.
    """
    found, plan = Decided(), dict[Slot, str]()
    for event in history:
        match event:
            case PlanRequested():
                locks = {(lock.day, lock.meal) for lock in event.rules.locks}
                skipped = {(skip.day, skip.meal) for skip in event.rules.skips}
                rules = event.rules
                if plan and all(slot in locks for slot in plan if slot not in skipped):
                    said = Counter(rules.locks)
                    rules = rules.model_copy(update={"locks": tuple(k for k, n in said.items() if n >= MEANT)})
                found = Decided(rules, event.persons, event.seed, found.stands, asked=True)
            case PlanGenerated():
                plan = {_slot(m): m.recipe for m in event.meals}
                found = replace(found, stands=tuple(plan.items()))
    return found


def _slot(meal: PlannedMeal) -> Slot:
    return meal.day, meal.meal
