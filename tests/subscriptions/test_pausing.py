"""A read model or a consumer is paused by a flag: it stays where it is, the others go on, and a restart knows it."""

from typing import Any

import pytest
from typer.testing import CliRunner

from meal_assets.cli.app import app
from meal_assets.commands.flags import pause, resume, set_flag
from meal_assets.commands.recipes import request_recipes
from meal_assets.consumers.fetch_recipes import FetchRecipes
from meal_assets.contracts.diary import MealLogged
from meal_assets.contracts.system import FlagSet
from meal_assets.errors import Unavailable
from meal_assets.event_store import Database, EventStore, Origin
from meal_assets.read_models import READ_MODELS, catch_up, wait_until
from meal_assets.read_models.daily_nutrition import DailyNutrition
from meal_assets.read_models.food_log import FoodLog
from meal_assets.subscriptions import SUBSCRIBERS, Standing, Subscriber, flag_of, settle, standings
from tests.event_store.material import PATIENCE
from tests.read_models.conftest import with_fold
from tests.read_models.said import append, like

OPERATOR = Origin("home", "operator")
ONE_RECIPE = b'{"title": "Soup", "ingredients": ["1 leek"]}\n'


def standing_of(store: EventStore, subscriber: Subscriber) -> Standing:
    return next(s for s in standings(store) if s.subscriber is subscriber)


def behind(store: EventStore) -> set[str]:
    return {s.subscriber.name for s in standings(store) if s.behind}


def test_no_read_model_has_the_name_of_a_consumer() -> None:
    """Checkpoints and commands know them by their names alone."""
    assert [s.name for s in SUBSCRIBERS.values()] == list(SUBSCRIBERS)
    assert {type(s.__doc__) for s in SUBSCRIBERS.values()} == {str}


def test_a_paused_read_model_stays_where_it_is_and_the_others_go_on(store: EventStore) -> None:
    append(store, like(MealLogged, entry="a"))
    settle(store)
    pause(store, flag_of(DailyNutrition), OPERATOR, "its table is being moved")
    last = append(store, like(MealLogged, entry="b")).last
    settle(store)
    assert catch_up(DailyNutrition(), store).batches == 0
    assert behind(store) == {"daily_nutrition"}
    stands = standing_of(store, DailyNutrition)
    assert (stands.position, stands.paused, stands.due) == (1, True, False)
    assert (stands.switch.actor, stands.switch.reason) == ("operator", "its table is being moved")
    assert stands.switch.since == store.read(1, limit=1)[0].recorded_at
    assert stands.lag_seconds > 0
    resume(store, flag_of(DailyNutrition), OPERATOR)
    settle(store)
    assert standing_of(store, DailyNutrition).position == last
    assert behind(store) == set()


def test_a_paused_consumer_stays_where_it_is_over_a_restart(store: EventStore, database_url: str) -> None:
    pause(store, flag_of(FetchRecipes), OPERATOR, "Tandoor is being updated")
    request_recipes(store, "one.jsonl", ONE_RECIPE, OPERATOR)
    settle(store)
    with Database(database_url) as database:
        later = EventStore(database)
        settle(later)
        stands = standing_of(later, FetchRecipes)
        assert (stands.position, stands.due, stands.switch.reason) == (0, False, "Tandoor is being updated")
        resume(later, flag_of(FetchRecipes), OPERATOR)
        settle(later)
        assert not standing_of(later, FetchRecipes).behind


def test_a_pause_ends_a_long_catch_up_with_its_batch(store: EventStore) -> None:
    for entry in "abc":
        append(store, like(MealLogged, entry=entry))

    def pauses(batch: Any, fold: Any) -> None:
        fold(batch)
        pause(store, flag_of(DailyNutrition), OPERATOR)

    done = catch_up(with_fold(DailyNutrition(), pauses), store, batch=1)
    assert (done.position, done.batches) == (1, 1)


def test_to_pause_again_says_something_new_only_with_another_reason(store: EventStore) -> None:
    flag = flag_of(DailyNutrition)
    said = [pause(store, flag, OPERATOR, reason).events for reason in ("one", "one", None, "another")]
    assert said == [1, 0, 0, 1]
    assert [resume(store, flag, OPERATOR).events for _ in range(2)] == [1, 0]
    assert resume(store, flag_of(FoodLog), OPERATOR).events == 0


def test_what_only_shadowed_before_the_pause_only_shadows_after_it(store: EventStore) -> None:
    flag = flag_of(FetchRecipes)
    set_flag(store, FlagSet(flag=flag, value="shadow"), OPERATOR)
    pause(store, flag, Origin("next-door", "operator"))
    pause(store, flag, Origin("next-door", "operator"), "still")
    assert standing_of(store, FetchRecipes).paused
    resume(store, flag, OPERATOR)
    assert standing_of(store, FetchRecipes).switch.mode == "shadow"


def test_a_shadow_is_due_until_it_is_at_the_head_though_the_live_one_stays(store: EventStore) -> None:
    set_flag(store, FlagSet(flag=flag_of(FetchRecipes), value="shadow"), OPERATOR)
    request_recipes(store, "one.jsonl", ONE_RECIPE, OPERATOR)
    assert standing_of(store, FetchRecipes).due
    settle(store)
    stands = standing_of(store, FetchRecipes)
    assert (stands.behind, stands.due, stands.position) == (True, False, 0)


def test_nobody_waits_for_a_paused_read_model(store: EventStore) -> None:
    append(store, like(MealLogged, entry="a"))
    settle(store)
    pause(store, flag_of(DailyNutrition), OPERATOR)
    wait_until(store, DailyNutrition, 1, PATIENCE)
    last = append(store, like(MealLogged, entry="b")).last
    with pytest.raises(Unavailable, match="paused before position 3: `meals resume daily_nutrition`"):
        wait_until(store, DailyNutrition, last, PATIENCE)


@pytest.mark.parametrize("subscriber", SUBSCRIBERS.values(), ids=SUBSCRIBERS)
def test_each_is_paused_seen_and_resumed_on_the_command_line(
    subscriber: Subscriber, database_url: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEALS_DATABASE_URL", database_url)
    monkeypatch.setenv("MEALS_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "250")

    def meals(*arguments: str) -> str:
        done = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return " ".join(done.output.split())

    told = meals("pause", subscriber.name, "--reason", "[dis]k full")
    assert told.startswith(f"{subscriber.name} is paused since ")
    assert told.partition(",")[0].endswith("by person: [dis]k full")
    assert "by person: [dis]k full" in meals("status")
    shown = meals("flags")
    assert f"{flag_of(subscriber)} │ off" in shown or "flags is paused" in shown
    assert meals("resume", subscriber.name) == f"{subscriber.name} is on, current."
    assert "paused" not in meals("status")


def test_a_name_that_is_nobodys_is_told_the_names_there_are() -> None:
    done = CliRunner().invoke(app, ["pause", "lunch"])
    assert done.exit_code == 1
    assert all(name in str(done.exception) for name in READ_MODELS)
