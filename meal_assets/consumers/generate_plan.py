"""Find the week of meals that was asked for."""

from collections.abc import Iterator

from meal_assets.contracts.plan import PlanGenerated, PlanRejected
from meal_assets.contracts.plan_request import PlanRequested
from meal_assets.domain.plan import Dish, Eater, plan_week
from meal_assets.domain.recipes import meals_for, minutes
from meal_assets.domain.targets import Targets, targets
from meal_assets.errors import Permanent
from meal_assets.event_store import EventStore, Recorded

from .base import Consumer, Said
from .library import computed_at, recipes_at, usable


class GeneratePlan(Consumer):
    """Plans the week over the whole library as of the request, for the targets that hold on its Monday."""

    listens_to = (PlanRequested,)
    says = (PlanGenerated, PlanRejected)

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said]:
        request = recorded.event
        assert isinstance(request, PlanRequested)
        eaters = []
        for person in request.persons:
            stands = self._targets(person, request, recorded, log)
            eaters.append(Eater(person, stands.macros, stands.exclude))
        excluded = {word: f"a word that {eater.person} excludes" for eater in eaters for word in eater.exclude}
        excluded |= {word: f"excluded word: {word}" for word in request.rules.exclude}
        recipes, left_out = usable(recipes_at(recorded, log), computed_at(recorded, log), excluded)
        dishes = [
            Dish(r.recipe, r.title, meals_for(r), r.per_serving, minutes(r))
            for r in recipes
            if r.per_serving is not None
        ]
        yield Said(
            plan_week(
                request.week,
                eaters,
                dishes,
                request.rules,
                seed=request.seed,
                position=recorded.position,
                left_out=left_out,
            )
        )

    def _targets(self, person: str, request: PlanRequested, recorded: Recorded, log: EventStore) -> Targets:
        stream = f"{recorded.household}/profile/{person}"
        history = log.read_person(stream, recorded.household, person, until=recorded.position)
        stands = targets([r.event for r in history], on=request.week)
        if stands is None:
            raise Permanent(
                f"{person} has neither a profile nor a goal:"
                f" `meals profile {person}` or `meals goals {person}`, then plan again"
            )
        return stands
