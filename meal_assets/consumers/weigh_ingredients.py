"""Work out which foods the recipes of a planned week need, so that their amounts can be added up."""

from collections.abc import Iterator, Sequence

from meal_assets.contracts.kitchen import IngredientsWeighed
from meal_assets.contracts.plan import PlanAccepted, PlanGenerated
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.event_store import EventStore, Recorded

from .base import Consumer, Said
from .library import last_said, recipes_of, weighed


class WeighIngredients(Consumer):
    """Weighs the recipes of a week when it is planned or accepted, and one that was weighed before when it changes."""

    listens_to = (PlanGenerated, PlanAccepted, RecipeFetched)
    waits_for = PlanGenerated
    says = (IngredientsWeighed,)

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said]:
        recipes = self._recipes(recorded, log)
        if not recipes:
            return
        for said in weighed(log, recorded.household, recipes, recorded.position):
            before = self._said_before(said.recipe, recorded, log)
            if before is None or said.model_copy(update={"as_of": before.as_of, "food_set": before.food_set}) != before:
                yield Said(said, key=said.recipe)

    def _recipes(self, recorded: Recorded, log: EventStore) -> Sequence[RecipeFetched]:
        event = recorded.event
        if isinstance(event, RecipeFetched):
            return [event] if self._said_before(event.recipe, recorded, log) else []
        assert isinstance(event, PlanGenerated | PlanAccepted)
        planned = last_said(log, event.stream_in(recorded.household), PlanGenerated, recorded.position)
        return recipes_of(planned[1], recorded.household, log, recorded.position) if planned else []

    def _said_before(self, recipe: str, recorded: Recorded, log: EventStore) -> IngredientsWeighed | None:
        """What was said last because of an earlier event: what a first attempt at this one said does not count."""
        stream = log.read_stream(f"{recorded.household}/kitchen/{recipe}")
        said = [r.event for r in stream if isinstance(r.event, IngredientsWeighed)]
        return next((e for e in reversed(said) if e.as_of < recorded.position), None)
