"""Find the week of meals that was asked for."""

from collections.abc import Iterator

from meal_assets.contracts.plan import PlanGenerated, PlanRejected
from meal_assets.contracts.plan_request import PlanRequested
from meal_assets.event_store import EventStore, Recorded

from .base import Consumer, Said
from .problem import planned, problem_of


class GeneratePlan(Consumer):
    """Plans the week over the whole library as of the request, for the targets that hold on its Monday."""

    listens_to = (PlanRequested,)
    says = (PlanGenerated, PlanRejected)

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said]:
        found = problem_of(recorded, log)
        yield Said(planned(found, found.rules, recorded.position))
