"""What a request asks of the planner, as the log told it then: whoever asks again later gets the same problem."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

from meal_assets.contracts import Event
from meal_assets.contracts.diary import MealLogged, MealLogRetracted
from meal_assets.contracts.kitchen import IngredientsWeighed
from meal_assets.contracts.pantry import PantryItemStocked, PantryItemUsed
from meal_assets.contracts.plan import PlanAccepted, PlanGenerated, PlanRejected
from meal_assets.contracts.plan_request import PlanRequested, PlanRules
from meal_assets.contracts.rating import RecipeRated
from meal_assets.domain.candidates import Facts, Problem, problem, served_on
from meal_assets.domain.pantry import Lot, lots_of
from meal_assets.domain.plan import Dish, plan_week
from meal_assets.domain.targets import Targets, targets
from meal_assets.errors import Permanent
from meal_assets.event_store import EventStore, Recorded

from .library import At, Standing, computed_at, last_said, recipes_at

WEEK = timedelta(weeks=1)


def problem_of(recorded: Recorded, log: EventStore) -> Problem:
    """The planner's problem of a PlanRequested, of what the log held at its position.

    Raises `Permanent` where it is told of a person neither what they weigh nor what they should eat.
    """
    request = recorded.event
    assert isinstance(request, PlanRequested)
    return _problem(request, recorded, log)


def planned(
    problem: Problem, rules: PlanRules, position: int, progress: Callable[[str], None] | None = None
) -> PlanGenerated | PlanRejected:
    """The week of a problem with these rules in the place of its own."""
    return plan_week(
        problem.week,
        problem.eaters,
        problem.dishes,
        rules,
        seed=problem.seed,
        position=position,
        left_out=problem.left_out,
        under_way=problem.under_way,
        progress=progress,
    )


def targets_at(person: str, day: date, household: str, position: int, log: EventStore) -> Targets:
    """What a person should eat on a day. Raises `Permanent` where nobody said what they weigh or should eat."""
    return _targets(person, day, At(household, position), log)


def dishes_for(person: str, day: date, household: str, position: int, log: EventStore) -> tuple[Dish, ...]:
    """What a person with targets may be served, and what each costs, as the log stands at a position."""
    week = day - timedelta(days=day.weekday())
    return _problem(PlanRequested(week=week, persons=(person,)), At(household, position), log).dishes


def _problem(request: PlanRequested, recorded: Standing, log: EventStore) -> Problem:
    rules = request.rules
    facts = Facts(
        targets={person: _targets(person, request.week, recorded, log) for person in request.persons},
        recipes=recipes_at(recorded, log),
        computed=computed_at(recorded, log),
        ratings=_ratings(request, recorded, log),
        served=served_on(_served(request, recorded, log), request.week, rules.cooldown_days)
        if rules.cooldown_days
        else {},
        lots=_lots(recorded, log) if rules.use_pantry else (),
        weighed=_weighed(recorded, log) if rules.use_pantry else {},
        plan=_plan(request.week, recorded, log) if request.keep or request.since else None,
        diaries=_diaries(request, request.since, recorded, log) if request.since else {},
    )
    return problem(request, facts)


def _targets(person: str, week: date, recorded: Standing, log: EventStore) -> Targets:
    stream = f"{recorded.household}/profile/{person}"
    history = log.read_person(stream, recorded.household, person, until=recorded.position)
    stands = targets([r.event for r in history], on=week)
    if stands is None:
        raise Permanent(
            f"{person} has neither a profile nor a goal:"
            f" `meals profile {person}` or `meals goals {person}`, then plan again"
        )
    return stands


def _ratings(request: PlanRequested, recorded: Standing, log: EventStore) -> list[RecipeRated]:
    latest = log.latest((RecipeRated,), household=recorded.household, until=recorded.position)
    forgotten = {p: log.forgotten_at(recorded.household, p, recorded.position) for p in request.persons}
    return [
        r.event for r in latest if isinstance(r.event, RecipeRated) and r.position > forgotten.get(r.event.person, 0)
    ]


def _served(request: PlanRequested, recorded: Standing, log: EventStore) -> Iterator[tuple[str, date]]:
    """Recipes and days: of the accepted weeks around the one asked for, and of the diaries before it."""
    yield from _planned(request.week, request.rules, recorded, log)
    days = [request.week - timedelta(days=back) for back in range(1, request.rules.cooldown_days + 1)]
    for person in request.persons:
        told = log.read_days(
            (MealLogged, MealLogRetracted), days, household=recorded.household, person=person, until=recorded.position
        )
        undone = {r.event.entry for r in told if isinstance(r.event, MealLogRetracted)}
        for r in told:
            if isinstance(r.event, MealLogged) and r.event.recipe is not None and r.event.entry not in undone:
                yield r.event.recipe, r.event.day


def _planned(week: date, rules: PlanRules, recorded: Standing, log: EventStore) -> Iterator[tuple[str, date]]:
    reach = -(-rules.cooldown_days // WEEK.days)
    for monday in (week + n * WEEK for n in range(-reach, reach + 1) if n):
        history = [r.event for r in log.read_stream(f"{recorded.household}/plan/{monday}", recorded.position)]
        plans = [e for e in history if isinstance(e, PlanGenerated)]
        if plans and any(isinstance(e, PlanAccepted) for e in history):
            yield from ((meal.recipe, meal.day) for meal in plans[-1].meals)


def _plan(week: date, recorded: Standing, log: EventStore) -> PlanGenerated | None:
    said = last_said(log, f"{recorded.household}/plan/{week}", PlanGenerated, recorded.position)
    return None if said is None else said[1]


def _diaries(request: PlanRequested, day: date, recorded: Standing, log: EventStore) -> dict[str, list[Event]]:
    return {
        person: [
            r.event
            for r in log.read_person(
                f"{recorded.household}/diary/{person}/{day}", recorded.household, person, recorded.position
            )
        ]
        for person in request.persons
    }


def _lots(recorded: Standing, log: EventStore) -> list[Lot]:
    latest = log.latest((PantryItemStocked, PantryItemUsed), household=recorded.household, until=recorded.position)
    streams = [log.read_stream(r.stream, recorded.position) for r in latest]
    return [lot for stream in streams for lot in lots_of(r.event for r in stream)]


def _weighed(recorded: Standing, log: EventStore) -> dict[str, IngredientsWeighed]:
    latest = log.latest((IngredientsWeighed,), household=recorded.household, until=recorded.position)
    return {r.event.recipe: r.event for r in latest if isinstance(r.event, IngredientsWeighed)}
