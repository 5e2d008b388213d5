"""What became of a command."""

import pytest

from meal_assets.contracts import Event
from meal_assets.contracts.plan import PlanGenerated, PlanRejected
from meal_assets.contracts.plan_request import PlanRequested
from meal_assets.contracts.recipe import RecipeFetched, RecipesFetched
from meal_assets.contracts.recipe_request import RecipesRequested
from meal_assets.contracts.system import DeadLettered
from meal_assets.event_store import EventStore, Origin
from meal_assets.read_models import catch_up
from meal_assets.read_models.command_status import CommandStatus

from .said import append, like


def status(store: EventStore, origin: Origin) -> tuple[object, ...] | None:
    catch_up(CommandStatus(), store)
    with store.database.transaction() as db:
        return db.execute(
            "SELECT state, events, failures, command, result, actor FROM read.command_status WHERE correlation_id = %s",
            (origin.correlation_id,),
        ).fetchone()


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([PlanRequested], "working"),
        ([PlanRequested, PlanGenerated], "done"),
        ([PlanRequested, PlanRejected], "failed"),
        ([PlanRequested, DeadLettered], "failed"),
        ([PlanRequested, DeadLettered, PlanGenerated], "failed"),
        ([RecipesRequested, RecipeFetched], "working"),
        ([RecipesRequested, RecipeFetched, RecipesFetched], "done"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(e.__name__ for e in value),
)
@pytest.mark.parametrize("between", [False, True], ids=["folded at once", "folded in between"])
def test_it_is_working_until_it_is_through_and_failed_once_anything_failed(
    store: EventStore, origin: Origin, events: list[type[Event]], state: str, between: bool
) -> None:
    for kind in events:
        append(store, like(kind), origin=origin)
        if between:
            status(store, origin)
    failures = sum(kind.outcome == "failed" for kind in events)
    assert status(store, origin) == (
        state, len(events), failures, events[0].type_name, events[-1].type_name, "test",
    )  # fmt: skip


def test_two_commands_do_not_mix(store: EventStore) -> None:
    one, other = Origin("home", "ada"), Origin("home", "ben")
    append(store, like(PlanRequested), origin=one)
    append(store, like(PlanRequested), origin=other)
    append(store, like(PlanRejected), origin=one)
    assert [status(store, o)[0] for o in (one, other)] == ["failed", "working"]  # type: ignore[index]


def test_the_answer_of_a_consumer_does_not_change_who_asked(store: EventStore, origin: Origin) -> None:
    append(store, like(PlanRequested), origin=origin)
    status(store, origin)
    append(store, like(PlanGenerated), origin=Origin("home", "consumer/generate_plan", origin.correlation_id))
    assert status(store, origin) == (
        "done", 2, 0, PlanRequested.type_name, PlanGenerated.type_name, "test",
    )  # fmt: skip
