"""Why there is no week: a smallest set of rules that cannot hold together, in words with numbers.

Rules are left out one by one (a deletion filter); what stays is needed for the contradiction.
"""

from copy import copy
from dataclasses import replace

from ...contracts.plan import Conflict
from ...contracts.values import MACROS
from .day_program import Band, band_of, bands_of, extreme, reachable
from .search import Nothing, possible
from .solver import Solver
from .tallies import most_servings
from .week import DAYS, Course, Day, Week

GENEROUS = {"portion_min": 0.05, "portion_max": 10.0, "portion_step": 0.05}
"""Portions of any size, as far as a kitchen is concerned."""
NAMES = {
    "kcal": "energy", "protein_g": "protein", "carbs_g": "carbs", "fat_g": "fat",
    "fiber_g": "fibre", "sugar_g": "sugar", "saturated_fat_g": "saturated fat", "sodium_mg": "sodium",
}  # fmt: skip


def explain(week: Week, nothing: Nothing, solver: Solver) -> tuple[Conflict, ...]:
    """The rules in the way when the search found nothing."""
    for day in nothing.without_menu:
        if nothing.proven or not reachable(week, day, bands_of(week, day), solver):
            return _day_conflicts(week, day, solver)
    if nothing.proven and not nothing.without_menu:
        return _week_conflicts(week, nothing, solver)
    return (
        Conflict(rule="the search's bound on work", detail="no week was found; it is not proven that there is none"),
    )


def _week_conflicts(week: Week, nothing: Nothing, solver: Solver) -> tuple[Conflict, ...]:
    """The deletion filter over the rules of the week."""
    named: dict[str, frozenset[int]] = {}
    for n, tally in enumerate(nothing.pool.tallies):
        if tally.rule:
            named[tally.rule] = named.get(tally.rule, frozenset()) | {n}
    dropped, kept = frozenset[int](), []
    # what is said of every recipe is needed for nearly every contradiction: it is tried last
    for rule, tallies in sorted(named.items(), key=lambda item: (len(item[1]), item[0])):
        if possible(week, nothing.pool, solver, dropped | tallies):
            kept.append(rule)
        else:
            dropped |= tallies
    together = f"{len(nothing.pool)} menus keep the rules of a day, but no seven of them go together"
    return tuple(Conflict(rule=rule, detail=together + _enough(week, rule, nothing, solver)) for rule in kept)


def _enough(week: Week, rule: str, nothing: Nothing, solver: Solver) -> str:
    most, pool = most_servings(week), nothing.pool
    if rule != f"at most {most} servings of a recipe a week":
        mine = frozenset(n for n, tally in enumerate(pool.tallies) if tally.rule == rule)
        return "; without it some do" if possible(week, pool, solver, mine) else ""
    for more in range(most + 1, DAYS + 1):
        looser = copy(pool)
        looser.tallies = tuple(replace(t, most=float(more)) if t.rule == rule else t for t in pool.tallies)
        if possible(week, looser, solver):
            return f"; with {more} servings some do"
    return ""


def _day_conflicts(week: Week, day: Day, solver: Solver) -> tuple[Conflict, ...]:
    """The deletion filter over what the day must keep: portions, locks, then each person's bands, energy last."""
    when = _when(week, day)
    portions = True
    loose = replace(week, rules=week.rules.model_copy(update=GENEROUS))
    if not reachable(loose, day, bands_of(week, day), solver):
        week, portions = loose, False
    locks = [c for c in day.courses if c.locked]
    for course in list(locks):
        without = _unlocked(day, course)
        if not reachable(week, without, bands_of(week, day), solver):
            day = without
            locks.remove(course)
    kept = _smallest(week, day, solver)
    rules = week.rules
    found = [_band_conflict(week, day, kept, band, when, solver) for band in sorted(kept)]
    for course in locks:
        detail = f"with another recipe for {course.meal} the day can be planned"
        found.append(Conflict(rule=f"lock of {course.locked} for {course.meal}{when}", detail=detail))
    if portions:
        detail = f"with portions of any size the day can be planned, now in steps of {rules.portion_step:g}"
        found.append(
            Conflict(rule=f"portions of {rules.portion_min:g} to {rules.portion_max:g} servings", detail=detail)
        )
    return tuple(found)


def _smallest(week: Week, day: Day, solver: Solver) -> frozenset[Band]:
    """Bands that cannot be kept together, none superfluous: whole persons go first, then nutrients, energy last.

    A limit or a share says more than a target, and stays where either would do.
    """
    kept = bands_of(week, day)
    persons = [frozenset(b for b in kept if b[0] == e.person) for e in week.there(day)]
    order = sorted(kept, key=lambda b: (b[1] == 0, b[1] >= len(MACROS), -b[1], b[0]))
    singles = [frozenset({b}) for b in order]
    for some in [*(persons if len(persons) > 1 else []), *singles]:
        if some <= kept and not reachable(week, day, kept - some, solver):
            kept -= some
    return kept


def _band_conflict(week: Week, day: Day, kept: frozenset[Band], band: Band, when: str, solver: Solver) -> Conflict:
    person, number = band
    low, high, aim = band_of(week, day, band)
    if aim is None:
        eater = next(e for e in week.eaters if e.person == person)
        course = day.courses[number - len(week.aims(day, eater))]
        rule, unit, scale = f"share of {course.meal} for {person}{when}", "% of the day's energy", 1.0
    else:
        rule = f"{NAMES[aim.nutrient]} of {person}{when}"
        unit, scale = aim.nutrient.rpartition("_")[2], aim.unit / 100
    low, high, others = max(0.0, scale * low), scale * high, kept - {band}
    rest = " with the other rules named here" if others else ""
    most = extreme(week, day, others, band, True, solver)
    if most is not None and scale * most < low:
        reached = f"at most {_number(scale * most, unit)} {unit} a day can be reached{rest}"
        return Conflict(rule=rule, detail=f"{reached}, at least {_number(low, unit)} {unit} are wanted")
    least = extreme(week, day, others, band, False, solver)
    if least is not None and scale * least > high:
        reached = f"at least {_number(scale * least, unit)} {unit} a day come together{rest}"
        return Conflict(rule=rule, detail=f"{reached}, at most {_number(high, unit)} {unit} are wanted")
    between = f"{_number(low, unit)} to {_number(high, unit)} {unit} a day are wanted"
    return Conflict(rule=rule, detail=f"{between}; no menu{rest} holds that")


def _number(amount: float, unit: str) -> str:
    return f"{amount:.0f}" if unit == "kcal" or amount >= 100 else f"{amount:.1f}"


def _unlocked(day: Day, course: Course) -> Day:
    return replace(day, courses=tuple(replace(c, locked=None) if c == course else c for c in day.courses))


def _when(week: Week, day: Day) -> str:
    """Nothing when every day is like this one, else its weekdays."""
    names = [f"{week.date_of(n):%A}" for n, other in enumerate(week.days) if other == day]
    return "" if len(names) == DAYS else " on " + " and ".join(names)
