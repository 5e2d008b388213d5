"""Asking for a week, and accepting it."""

from collections.abc import Callable, Sequence
from datetime import date

from meal_assets.contracts import Event
from meal_assets.contracts.plan import PlanAccepted, PlanGenerated
from meal_assets.contracts.plan_request import Lock, PlanRequested, PlanRules
from meal_assets.contracts.values import Meal
from meal_assets.domain.asked import newest_plan
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Origin

from .base import Accepted, command
from .profile import persons_of

KEEP = 2.0
"""What a changed meal costs a week that is planned anew: two points by which a day may miss a target for it."""
SWAP_KEEP = 100.0
"""The same where one meal is swapped: the rest stays unless no week is possible with it."""
Change = Callable[[PlanRequested, PlanGenerated], dict[str, object]]


def request_plan(
    store: EventStore, week: date, origin: Origin, *, persons: Sequence[str] = (), rules: PlanRules, seed: int = 0
) -> Accepted:
    """Ask for a plan of the week, for everybody of the household when nobody is named.

    Raises `Invalid` when the household is empty.
    """
    eaters = tuple(persons) or tuple(persons_of(store, origin.household))
    if not eaters:
        raise Invalid("persons", "nobody has a profile yet: `meals profile NAME` or `meals goals NAME` first")
    event = PlanRequested(week=week, persons=eaters, rules=rules, seed=seed)
    appended = store.append(event.stream_in(origin.household), [event], origin=origin)
    return Accepted(origin.correlation_id, appended.last, 1)


def replan(store: EventStore, week: date, origin: Origin, *, since: date | None = None, keep: float = KEEP) -> Accepted:
    """Ask for the week anew by the rules it was planned by: from `since` on, where what was eaten that day counts.

    `keep` is what each changed meal costs. Raises `Invalid` when there is no plan.
    """
    return _again(store, week, origin, lambda *_: {"since": since, "keep": keep})


def swap_meal(store: EventStore, week: date, day: date, meal: Meal, origin: Origin) -> Accepted:
    """Ask for another dish at one meal; the other meals stay wherever that is possible at all.

    Raises `Invalid` when nothing is planned there.
    """

    def change(asked: PlanRequested, plan: PlanGenerated) -> dict[str, object]:
        dish = next((m for m in plan.meals if (m.day, m.meal) == (day, meal)), None)
        if dish is None:
            raise Invalid("meal", f"nothing is planned for {meal} on {day:%A}: `meals week {day}` shows what is")
        ban = Lock(day=day, meal=meal, recipe=dish.recipe)
        locks = tuple(lock for lock in asked.rules.locks if (lock.day, lock.meal) != (day, meal))
        rules = asked.rules.model_copy(update={"bans": (*asked.rules.bans, ban), "locks": locks})
        since = asked.since if asked.since and asked.since <= day else None  # else that day would stay as it was
        return {"rules": rules, "keep": SWAP_KEEP, "since": since}

    return _again(store, week, origin, change)


def _again(store: EventStore, week: date, origin: Origin, change: Change) -> Accepted:
    """The request of the newest plan, changed."""
    stream = PlanAccepted(week=week).stream_in(origin.household)
    _, asked, plan = newest_plan(store.read_stream(stream), week)
    event = asked.model_copy(update=change(asked, plan))
    appended = store.append(stream, [event], origin=origin)
    return Accepted(origin.correlation_id, appended.last, 1)


def accept_plan(store: EventStore, week: date, origin: Origin) -> Accepted:
    """Cook the week as it is planned. Said again, what is missing where it is published is published again.

    Raises `Invalid` when there is no plan.
    """
    event = PlanAccepted(week=week)

    def decide(history: list[Event]) -> list[Event]:
        if not any(isinstance(e, PlanGenerated) for e in history):
            raise Invalid("week", f"nothing is planned for the week of {week}: `meals plan {week}` first")
        return [event]

    return command(store, event.stream_in(origin.household), decide, origin)
