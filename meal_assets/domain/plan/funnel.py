"""Conflicts that show before anything is solved: locks that cannot be kept, meals with too few dishes."""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations

from ...contracts.plan import Conflict
from ...contracts.plan_request import Lock
from ...contracts.values import Meal
from .tallies import most_servings
from .week import DAYS, Week


def shortages(week: Week, left_out: Mapping[str, int]) -> tuple[Conflict, ...]:
    """What no search could repair, the first kind found: locks, then meals without a dish, then too few dishes."""
    for found in (_locks(week), _empty_meals(week, left_out), _too_few(week)):
        if conflicts := tuple(found):
            return conflicts
    return ()


def _locks(week: Week) -> Iterator[Conflict]:
    known = {d.recipe for d in (*week.dishes, *week.locked_in)}
    days: dict[tuple[str, str], Lock] = {}
    locks = sorted(set(week.rules.locks), key=lambda lock: (lock.day, lock.meal))
    for lock in locks:
        rule = f"lock of {lock.recipe} for {lock.meal} on {lock.day:%A}"
        if not 0 <= (lock.day - week.monday).days < DAYS:
            yield Conflict(rule=rule, detail=f"{lock.day} is not in the week of {week.monday}")
        elif lock.meal not in week.rules.meals:
            yield Conflict(rule=rule, detail=f"{lock.meal} is not among the meals to plan")
        elif not any(
            c.locked == lock.recipe and c.meal == lock.meal for c in week.days[(lock.day - week.monday).days].courses
        ):
            yield Conflict(rule=rule, detail=f"everybody skips {lock.meal} on {lock.day}")
        elif lock.recipe not in known:
            yield Conflict(rule=rule, detail=f"{lock.recipe} is not a recipe that can be planned")
        elif other := days.get((str(lock.day), lock.recipe)):
            yield Conflict(
                rule=rule, detail=f"it is locked for {other.meal} on the same day, no recipe comes twice a day"
            )
        days[str(lock.day), lock.recipe] = lock
    for recipe, count in sorted(Counter(lock.recipe for lock in locks).items()):
        if count > (most := most_servings(week)):
            detail = f"{recipe} is locked {count} times, at most {most} servings of a recipe a week are allowed"
            yield Conflict(rule=f"locks of {recipe}", detail=detail)


def _empty_meals(week: Week, left_out: Mapping[str, int]) -> Iterator[Conflict]:
    for meal, needed in _needed(week).items():
        if needed and not any(meal in d.meals for d in week.dishes):
            reasons = ", ".join(f"{count} {why}" for why, count in sorted(left_out.items()))
            detail = f"none of {len(week.dishes)} dishes suits {meal}" + (f"; left out: {reasons}" if reasons else "")
            yield Conflict(rule=f"{meal}: a dish for each day", detail=detail)


def _too_few(week: Week) -> Iterator[Conflict]:
    """The smallest set of meals whose dishes cannot fill it (Hall's condition), the locked servings set aside."""
    locked = Counter(c.locked for day in week.days for c in day.courses if c.locked)
    needed, most = _needed(week), most_servings(week)
    for size in range(1, len(needed) + 1):
        for meals in combinations(needed, size):
            dishes = [d for d in week.dishes if not d.meals.isdisjoint(meals)]
            servings = sum(max(0, min(most, DAYS) - locked[d.recipe]) for d in dishes)
            if servings < (wanted := sum(needed[m] for m in meals)):
                names = " and ".join(meals)
                detail = (
                    f"{wanted} servings for {names} are wanted; {len(dishes)} dishes suit, "
                    f"at most {most} times a week each: {servings} servings"
                )
                yield Conflict(rule=f"at most {most} servings of a recipe a week", detail=detail)
                return


def _needed(week: Week) -> dict[Meal, int]:
    """How many dishes each meal still needs in the week."""
    open_courses = Counter(c.meal for day in week.days for c in day.courses if c.locked is None)
    return {meal: open_courses[meal] for meal in week.rules.meals if open_courses[meal]}
