"""An accepted week stands in Tandoor's meal plan, once, whatever happens on the way; what others made there stays."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from meal_assets.cli.app import app
from meal_assets.clients.outside import Outside
from meal_assets.commands.flags import set_flag
from meal_assets.commands.plan import accept_plan
from meal_assets.consumers import consume
from meal_assets.consumers.base import replay
from meal_assets.consumers.publish_plan import FLAG, PublishPlan
from meal_assets.contracts.plan import PlanGenerated
from meal_assets.contracts.publication import WeekPublished
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.contracts.system import DeadLettered, FlagSet
from meal_assets.errors import Invalid, Permanent
from meal_assets.event_store import EventStore, Origin
from meal_assets.fakes.server import Asked, Faulty, Reply
from meal_assets.fakes.tandoor import FakeTandoor, starter_space
from meal_assets.read_models import catch_up
from meal_assets.read_models.flags import Flags
from meal_assets.subscriptions import standings
from tests.consumers.test_sync_tandoor import time_passes
from tests.read_models.said import WEEK, append, like
from tests.remotes import Deadly, no_pauses

__all__ = ["no_pauses"]

HOME = Origin("home", "test")
Meals = dict[str, tuple[str, dict[str, float]]]
"""Day and meal -> recipe and portions."""
THREE: Meals = {
    "2026-11-23 dinner": ("tandoor-1", {"ada": 1.5, "ben": 2}),
    "2026-11-24 lunch": ("tandoor-2", {"ada": 1}),
    "2026-11-29 snack": ("nuts", {"ben": 0.25}),
}


@pytest.fixture
def fake() -> Iterator[FakeTandoor]:
    with FakeTandoor(starter_space(10)) as fake:
        yield fake


def outside(fake: FakeTandoor, zone: str = "Europe/Berlin") -> Outside:
    return Outside(fake.url, SecretStr(fake.space.token), time_zone=zone)


def switch(store: EventStore, flag: str = FLAG, value: str = "on") -> None:
    set_flag(store, FlagSet(flag=flag, value=value, target_household="home"), HOME)
    catch_up(Flags(), store)


def plan(store: EventStore, meals: Meals, week: date = WEEK) -> None:
    told = [
        {"day": slot[:10], "meal": slot[11:], "recipe": recipe, "title": recipe.title(), "portions": portions}
        for slot, (recipe, portions) in meals.items()
    ]
    append(store, like(PlanGenerated, week=week, meals=told))


def publish(store: EventStore, fake: FakeTandoor, zone: str = "Europe/Berlin") -> None:
    assert consume(PublishPlan(outside(fake, zone)), store).failed is None
    assert store.read(types=[DeadLettered]) == []


def accepted(store: EventStore, fake: FakeTandoor, meals: Meals = THREE) -> None:
    switch(store)
    plan(store, meals)
    accept_plan(store, WEEK, HOME)
    publish(store, fake)


def said(store: EventStore) -> list[WeekPublished]:
    return [r.event for r in store.read(types=[WeekPublished]) if isinstance(r.event, WeekPublished)]


def there(fake: FakeTandoor) -> list[tuple[Any, ...]]:
    """When, which meal, what, and how much of it."""
    return sorted(
        (p["from_date"], p["meal_type"]["name"], p["recipe"]["id"] if p["recipe"] else p["title"], p["servings"])
        for p in fake.space.plans.values()
    )


def writes(fake: FakeTandoor) -> list[str]:
    """Methods that changed the meal plan, in their order."""
    return [method for method, path in fake.asked if method != "GET" and "/meal-plan/" in path]


CONSUMING = """
import sys
from pydantic import SecretStr
from meal_assets.clients.outside import Outside
from meal_assets.consumers import CONSUMERS, consume
from meal_assets.event_store import Database, EventStore
with Database(sys.argv[2]) as database:
    outside = Outside(sys.argv[3], SecretStr(sys.argv[4]), time_zone="Europe/Berlin")
    consume(CONSUMERS[sys.argv[1]](outside), EventStore(database))
"""


def consuming(name: str, store: EventStore, fake: FakeTandoor) -> "subprocess.Popen[bytes]":
    """Another process in which the consumer is at work."""
    arguments = [name, store.database.url, fake.url, fake.space.token]
    return subprocess.Popen([sys.executable, "-c", CONSUMING, *arguments])


PUBLISHED = [
    ("2026-11-23T18:30:00+01:00", "Dinner", 1, 3.5),
    ("2026-11-24T12:30:00+01:00", "Lunch", 2, 1.0),
    ("2026-11-29T15:30:00+01:00", "Snack", "Nuts", 0.25),
]


def test_an_accepted_week_is_in_tandoor_with_its_times_and_says_who_eats_how_much(
    store: EventStore, fake: FakeTandoor
) -> None:
    accepted(store, fake)
    assert there(fake) == PUBLISHED
    assert all(p["from_date"] == p["to_date"] for p in fake.space.plans.values())
    assert min(p["note"] for p in fake.space.plans.values()).startswith("ada 1\n\nmeals:")
    (event,) = said(store)
    assert {m.entry for m in event.meals} == set(fake.space.plans)
    assert event.meal_types == {"dinner": 3, "lunch": 2, "snack": 4}


@pytest.mark.parametrize("switched", [None, "off"])
def test_nothing_is_sent_while_the_flag_is_off_or_nobody_accepted(
    store: EventStore, fake: FakeTandoor, switched: str | None
) -> None:
    if switched:
        switch(store, value=switched)
    plan(store, THREE)
    accept_plan(store, WEEK, HOME)
    publish(store, fake)
    switch(store)
    plan(store, THREE, date(2026, 11, 30))
    publish(store, fake)
    assert fake.asked == []
    accept_plan(store, WEEK, HOME)
    publish(store, fake)
    assert there(fake) == PUBLISHED


def test_a_replay_of_what_was_never_published_does_not_publish_it(store: EventStore, fake: FakeTandoor) -> None:
    plan(store, THREE)
    accept_plan(store, WEEK, HOME)
    publish(store, fake)
    switch(store)
    head = store.head()
    replay(PublishPlan(outside(fake)), store, say=True)
    assert (store.head(), writes(fake)) == (head, [])
    with pytest.raises(Permanent, match="meals accept"):
        replay(PublishPlan(outside(fake)), store, act=True)
    assert fake.space.plans == {}


def test_no_run_is_spent_on_plans_before_the_first_week_is_accepted(store: EventStore) -> None:
    def due() -> list[str]:
        return [s.subscriber.name for s in standings(store) if s.due and s.subscriber.name.startswith("publish")]

    plan(store, THREE)
    assert due() == []
    accept_plan(store, WEEK, HOME)
    assert due() == ["publish_plan", "publish_shopping"]


def test_a_week_that_was_never_planned_cannot_be_accepted(store: EventStore) -> None:
    with pytest.raises(Invalid, match="meals plan 2026-11-23"):
        accept_plan(store, WEEK, HOME)


def test_what_is_planned_anew_changes_what_changed_and_nothing_of_others(store: EventStore, fake: FakeTandoor) -> None:
    theirs = fake.space.planned.new(
        {"title": "Pizza out", "meal_type": 3, "servings": 2, "from_date": "2026-11-23T18:30:00+01:00",
         "note": "meals:000000000000/2026-11-23/dinner"}
    ).body  # fmt: skip
    accepted(store, fake)
    before, numbers = dict(fake.space.plans), {m.meal: m.entry for m in said(store)[0].meals}
    fake.asked.clear()
    other: Meals = THREE | {
        "2026-11-24 lunch": ("tandoor-5", {"ada": 2}),
        "2026-11-25 lunch": ("tandoor-2", {"ada": 1}),
    }
    del other["2026-11-23 dinner"]
    plan(store, other)
    publish(store, fake)
    assert writes(fake) == ["PATCH", "POST", "DELETE"]
    assert there(fake) == sorted(
        [
            ("2026-11-23T18:30:00+01:00", "Dinner", "Pizza out", 2.0),
            ("2026-11-24T12:30:00+01:00", "Lunch", 5, 2.0),
            ("2026-11-25T12:30:00+01:00", "Lunch", 2, 1.0),
            PUBLISHED[2],
        ]
    )
    assert fake.space.plans[theirs["id"]] == before[theirs["id"]]
    assert fake.space.plans[numbers["snack"]] == before[numbers["snack"]]
    assert numbers["dinner"] not in fake.space.plans
    fake.asked.clear()
    plan(store, other)
    publish(store, fake)
    assert fake.asked == []
    assert len(said(store)) == 2


def test_an_answer_that_is_lost_is_looked_for_and_nothing_is_made_twice(store: EventStore, fake: FakeTandoor) -> None:
    fake.faults.lost_writes = 2
    accepted(store, fake)
    assert there(fake) == PUBLISHED
    assert writes(fake) == ["POST"] * 3


def test_an_entry_that_comes_to_be_after_it_was_given_up_is_taken_away(store: EventStore) -> None:
    class Slow(FakeTandoor):
        held: Any = None
        reads = 0

        def answer(self, asked: Asked) -> Reply:
            if (asked.method, asked.path) == ("POST", "/api/meal-plan/") and self.held is None:
                self.held = asked
                return Reply(503, {})
            reply = super().answer(asked)
            if self.held and asked.path == "/api/meal-plan/" and asked.method == "POST" and self.reads == 0:
                self.reads = 1
                super().answer(self.held)
            return reply

    space = starter_space(1)
    with Slow(space) as fake:
        accepted(
            store,
            fake,
            {"2026-11-23 dinner": ("tandoor-1", {"ada": 1}), "2026-11-24 dinner": ("tandoor-1", {"ada": 1})},
        )
        assert [p["from_date"][:10] for p in space.plans.values()] == ["2026-11-23", "2026-11-24"]
        assert {m.entry for m in said(store)[0].meals} == set(space.plans)


@pytest.mark.parametrize("dies_after", [1, 3])
def test_killed_when_an_entry_was_just_made_it_goes_on_and_makes_nothing_twice(
    store: EventStore, dies_after: int
) -> None:
    with Deadly(starter_space(3)) as fake:
        fake.call, fake.dies_after = ("POST", "/api/meal-plan/"), dies_after
        switch(store)
        plan(store, THREE)
        accept_plan(store, WEEK, HOME)
        fake.victim = consuming(PublishPlan.name, store, fake)
        assert fake.victim.wait() == -signal.SIGKILL
        fake.victim = None
        assert said(store) == []
        assert len(there(fake)) == dies_after
        assert consume(PublishPlan(outside(fake)), store, wait=True).failed is None
        assert there(fake) == PUBLISHED
        assert {m.entry for m in said(store)[0].meals} == set(fake.space.plans)


def test_a_third_of_the_calls_failing_in_every_way_publishes_each_meal_once(
    store: EventStore, fake: FakeTandoor
) -> None:
    meals: Meals = {
        f"2026-11-{day} {meal}": (f"tandoor-{1 + (day + n) % 10}", {"ada": 1.0})
        for day in range(23, 30)
        for n, meal in enumerate(("breakfast", "lunch", "dinner"))
    }
    switch(store)
    for seed in range(2):
        fake.faults = Faulty(0.3, seed)
        plan(store, {slot: (r, {"ada": 1.0 + seed}) for slot, (r, _) in meals.items()})
        accept_plan(store, WEEK, HOME)
        while consume(PublishPlan(outside(fake)), store).failed:
            time_passes(store)
        assert [row[3] for row in there(fake)] == [1.0 + seed] * 21
    assert store.read(types=[DeadLettered]) == []


def test_what_somebody_deleted_there_stays_deleted_until_the_week_is_accepted_again(
    store: EventStore, fake: FakeTandoor
) -> None:
    accepted(store, fake)
    gone = said(store)[0].meals[0].entry
    del fake.space.plans[gone]
    plan(store, THREE | {"2026-11-24 lunch": ("tandoor-3", {"ada": 1})})
    publish(store, fake)
    assert len(there(fake)) == 2
    accept_plan(store, WEEK, HOME)
    publish(store, fake)
    assert len(there(fake)) == 3
    fake.asked.clear()
    accept_plan(store, WEEK, HOME)
    publish(store, fake)
    assert writes(fake) == []


def test_a_meal_type_is_made_where_there_is_none_and_known_by_its_number_afterwards(
    store: EventStore, fake: FakeTandoor
) -> None:
    types = fake.space.planned.types
    types.clear()
    types[7] = {"id": 7, "name": "LUNCH", "order": 0, "time": "13:00:00"}
    accepted(store, fake)
    assert sorted(t["name"] for t in types.values()) == ["Dinner", "LUNCH", "Snack"]
    assert ("2026-11-24T13:00:00+01:00", "LUNCH", 2, 1.0) in there(fake)
    for t in types.values():
        t["name"] = f"Essen {t['id']}"
    plan(store, THREE | {"2026-11-25 dinner": ("tandoor-3", {"ada": 1})})
    publish(store, fake)
    assert len(types) == 3


def test_a_household_elsewhere_eats_at_its_own_times_also_when_the_clocks_change(
    store: EventStore, fake: FakeTandoor
) -> None:
    switch(store)
    plan(
        store,
        {"2026-10-31 dinner": ("tandoor-1", {"ada": 1}), "2026-11-01 dinner": ("tandoor-1", {"ada": 1})},
        date(2026, 10, 26),
    )
    accept_plan(store, date(2026, 10, 26), HOME)
    publish(store, fake, "America/New_York")
    assert [p["from_date"] for p in fake.space.plans.values()] == [
        "2026-10-31T23:30:00+01:00", "2026-11-02T00:30:00+01:00",
    ]  # fmt: skip


def test_a_recipe_that_is_gone_there_leaves_its_name(store: EventStore, fake: FakeTandoor) -> None:
    accepted(store, fake)
    fake.space.remove(1)
    assert len(there(fake)) == 2
    accept_plan(store, WEEK, HOME)
    publish(store, fake)
    assert there(fake)[0][2] == "Tandoor-1"


def test_a_replay_and_a_shadow_send_nothing(store: EventStore, fake: FakeTandoor) -> None:
    accepted(store, fake)
    fake.asked.clear()
    assert replay(PublishPlan(outside(fake)), store) == []
    assert replay(PublishPlan(outside(fake)), store, say=True, act=True) == []
    assert fake.asked == []
    set_flag(store, FlagSet(flag="consumer.publish_plan", value="shadow"), HOME)
    plan(store, {})
    consume(PublishPlan(outside(fake)), store)
    assert writes(fake) == []
    assert len(there(fake)) == 3


def test_the_program_accepts_and_publishes(
    store: EventStore, fake: FakeTandoor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, arguments)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.output

    monkeypatch.setenv("MEALS_HOME", str(tmp_path))
    monkeypatch.setenv("MEALS_DATABASE_URL", store.database.url)
    monkeypatch.setenv("MEALS_TIME_ZONE", "Europe/Berlin")
    plan(store, THREE)
    assert "in Tandoor" not in run("accept", "2026-11-25")
    run("flags", "set", FLAG, "on")
    with pytest.raises(Permanent, match="MEALS_TANDOOR_URL"):
        run("accept", "2026-11-25")
    monkeypatch.setenv("MEALS_TANDOOR_URL", fake.url)
    monkeypatch.setenv("MEALS_TANDOOR_TOKEN", fake.space.token)
    assert "3 meals are in Tandoor's meal plan" in run("accept", "2026-11-25")
    assert there(fake) == PUBLISHED
    run("flags", "set", "tandoor.shopping_list", "on")
    assert "shopping list" not in run("accept", "2026-11-25")
    append(store, like(RecipeFetched, recipe="tandoor-1"))
    assert "2 lines are in Tandoor's shopping list" in run("accept", "2026-11-25")


def test_no_tandoor_is_told_at_once(store: EventStore) -> None:
    switch(store)
    plan(store, THREE)
    accept_plan(store, WEEK, HOME)
    assert consume(PublishPlan(Outside()), store).set_aside == 1
    (letter,) = store.read(types=[DeadLettered])
    assert "MEALS_TANDOOR_URL" in str(letter.event)
