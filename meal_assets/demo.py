"""A made-up household, for looking around. Doing it again says nothing new, except a plan for a week without one."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta

from meal_assets.commands.body import record_weights
from meal_assets.commands.diary import log_meals, planned_meal
from meal_assets.commands.plan import request_plan
from meal_assets.commands.profile import set_profile
from meal_assets.commands.recipes import request_recipes
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.plan_request import PlanRequested, PlanRules
from meal_assets.contracts.profile import PreferencesSet, ProfileSet
from meal_assets.contracts.values import MEALS
from meal_assets.event_store import EventStore, Origin
from meal_assets.starter import library

PEOPLE = (
    ProfileSet(
        person="ada",
        name="Ada",
        weight_kg=62,
        activity="moderate",
        aim="maintain",
        sex="female",
        height_cm=168,
        born=date(1990, 3, 14),
    ),
    ProfileSet(
        person="ben",
        name="Ben",
        weight_kg=84,
        activity="moderate",
        aim="lose",
        sex="male",
        height_cm=183,
        born=date(1986, 9, 2),
    ),
)
NEVER = PreferencesSet(person="ben", exclude=("shrimp",))
LOGGED_DAYS = 3
Act = Callable[[], object]


def steps(store: EventStore, origin: Callable[[], Origin], today: date) -> Iterator[tuple[str, Act]]:
    """(what is being done, the command that does it), in order; each is to be settled before the next."""
    yield (
        "Bringing in the starter library",
        lambda: request_recipes(store, library().name, library().read_bytes(), origin()),
    )
    yield "Meeting Ada and Ben", lambda: [set_profile(store, said, origin()) for said in (*PEOPLE, NEVER)]
    weeks = sorted({_monday(today), _monday(logged_days(today)[0])})
    yield "Planning the week", lambda: _plan(store, origin, weeks)
    yield "Eating, and closing the days", lambda: _eat(store, origin, today)


def logged_days(today: date) -> tuple[date, date]:
    """First and last day that the household has eaten: the days before today."""
    return today - timedelta(days=LOGGED_DAYS), today - timedelta(days=1)


def _plan(store: EventStore, origin: Callable[[], Origin], weeks: Sequence[date]) -> None:
    for monday in weeks:
        command = origin()
        standing = store.read_stream(f"{command.household}/plan/{monday}")
        if not any(isinstance(r.event, PlanRequested) for r in standing):
            request_plan(store, monday, command, persons=[p.person for p in PEOPLE], rules=PlanRules())


def _eat(store: EventStore, origin: Callable[[], Origin], today: date) -> None:
    """Ada eats as planned, Ben three quarters of it: the loop has something to say."""
    household = origin().household
    first, last = logged_days(today)
    for person, share, weight in (("ada", 1.0, 62.3), ("ben", 0.75, 84.4)):
        weights = []
        for n in range((last - first).days + 1):
            day = first + timedelta(days=n)
            planned = [planned_meal(store, household, person, day, meal) for meal in MEALS]
            meals = [planned_meal(store, household, person, day, m.meal, (m.servings or 1) * share) for m in planned]
            log_meals(store, person, day, meals, origin(), close=True)
            weights.append(WeightRecorded(person=person, day=day, weight_kg=round(weight - 0.1 * n, 1)))
        record_weights(store, person, weights, origin())


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
