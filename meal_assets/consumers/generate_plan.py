"""Find the week of meals that was asked for."""

from collections.abc import Iterator

from meal_assets.contracts.plan import PlanGenerated, PlanRejected
from meal_assets.contracts.plan_request import PlanRequested
from meal_assets.domain.plan import plan_week
from meal_assets.event_store import EventStore, Recorded

from .base import Consumer, Said
from .problem import problem_of


class GeneratePlan(Consumer):
    """Plans the week over the whole library as of the request, for the targets that hold on its Monday."""

    listens_to = (PlanRequested,)
    says = (PlanGenerated, PlanRejected)

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said]:
        found = problem_of(recorded, log)
        yield Said(
            plan_week(
                found.week,
                found.eaters,
                found.dishes,
                found.rules,
                seed=found.seed,
                position=recorded.position,
                left_out=found.left_out,
                under_way=found.under_way,
            )
        )
