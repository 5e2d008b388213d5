"""Asking for a week."""

from collections.abc import Sequence
from datetime import date

from meal_assets.contracts.plan_request import PlanRequested, PlanRules
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Origin

from .base import Accepted
from .profile import persons_of


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
