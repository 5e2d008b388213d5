"""Bringing the library in line with a Tandoor: what changed is said, once, whatever happens on the way."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from meal_assets.cli.app import app
from meal_assets.clients.attempts import ATTEMPTS
from meal_assets.clients.breaker import FAILURES, states
from meal_assets.clients.outside import Outside
from meal_assets.clients.tandoor_marks import Marks
from meal_assets.commands.recipes import FULL_EACH, request_sync
from meal_assets.consumers import consume
from meal_assets.consumers.base import failed_attempts
from meal_assets.consumers.sync_tandoor import SyncTandoor
from meal_assets.contracts import Event
from meal_assets.contracts.recipe import RecipeFetched, RecipeRemoved, RecipesSynced
from meal_assets.contracts.recipe_request import RecipeSyncRequested
from meal_assets.contracts.system import DeadLettered
from meal_assets.errors import Invalid, RemoteRefused, Unavailable
from meal_assets.event_store import EventStore, Origin
from meal_assets.fakes.server import Asked, Faulty, Reply
from meal_assets.fakes.tandoor import FakeTandoor, starter_space
from meal_assets.read_models import catch_up
from meal_assets.read_models.recipe_catalogue import RecipeCatalogue
from meal_assets.subscriptions import settle, standings
from tests.remotes import no_pauses

__all__ = ["no_pauses"]

HOME = Origin("home", "test")


@pytest.fixture
def fake() -> Iterator[FakeTandoor]:
    with FakeTandoor(starter_space(24)) as fake:
        yield fake


def outside(fake: FakeTandoor) -> Outside:
    return Outside(fake.url, SecretStr(fake.space.token))


def sync(store: EventStore, fake: FakeTandoor, *, full: bool = False) -> list[Event]:
    """Ask for it and do it; what was said because of it."""
    before = store.head()
    request_sync(store, outside(fake), Origin("home", "test"), full=full)
    assert consume(SyncTandoor(outside(fake)), store).failed is None
    return [r.event for r in store.read(before) if not isinstance(r.event, RecipeSyncRequested)]


def told(said: list[Event]) -> list[str]:
    """Recipes fetched by their title, and those removed with the reason."""
    return sorted(
        e.title if isinstance(e, RecipeFetched) else f"{e.recipe} {e.reason}"
        for e in said
        if isinstance(e, RecipeFetched | RecipeRemoved)
    )


def catalogue(store: EventStore) -> dict[str, str]:
    catch_up(RecipeCatalogue(), store)
    with store.database.transaction() as db:
        return dict(db.execute("SELECT recipe, title FROM read.recipe_catalogue ORDER BY recipe").fetchall())


def there(fake: FakeTandoor) -> dict[str, str]:
    space = fake.space
    return {f"tandoor-{n}": r["name"] for n, r in sorted(space.recipes.items()) if n not in space.private}


def every_fetched(store: EventStore) -> list[tuple[str, str]]:
    return [(e.recipe, e.content_hash) for r in store.read(types=[RecipeFetched])
            if isinstance(e := r.event, RecipeFetched)]  # fmt: skip


def details(fake: FakeTandoor) -> int:
    """How often a whole recipe was asked for."""
    return sum(path.removeprefix("/api/recipe/").rstrip("/").isdigit() for _, path in fake.asked)


def time_passes(store: EventStore) -> None:
    with store.database.transaction() as db:
        db.execute("UPDATE log.remotes SET retry_at = now() - interval '1 s'")
        db.execute("UPDATE log.attempts SET next_at = now() - interval '1 s'")


def test_five_hundred_recipes_come_in_and_the_second_time_nothing_is_said(store: EventStore) -> None:
    with FakeTandoor(starter_space(500)) as fake:
        *recipes, end = sync(store, fake)
        assert isinstance(end, RecipesSynced)
        assert (end.full, end.listed, end.fetched, end.removed, end.rejected) == (True, 500, 500, 0, 0)
        assert len(told(recipes)) == 500
        assert catalogue(store).keys() == there(fake).keys()
        head, asked = store.head(), details(fake)
        assert sync(store, fake) == []
        assert (store.head(), details(fake)) == (head, asked)


def test_one_edited_one_renamed_one_deleted_one_made_private_is_said_and_nothing_else(
    store: EventStore, fake: FakeTandoor
) -> None:
    sync(store, fake)
    asked = details(fake)
    fake.space.edit(1, steps=[{**fake.space.recipes[1]["steps"][0], "instruction": "Do nothing."}])
    fake.space.edit(2, name="Renamed")
    fake.space.remove(3)
    fake.space.private.add(4)
    said = sync(store, fake)
    assert told(said) == sorted([fake.space.recipes[1]["name"], "Renamed", "tandoor-3 deleted", "tandoor-4 private"])
    assert isinstance(said[-1], RecipesSynced)
    assert len(said) == 5
    assert details(fake) - asked == 4
    assert catalogue(store).keys() == there(fake).keys()
    assert sync(store, fake) == []


def test_a_recipe_that_is_shared_again_comes_back(store: EventStore, fake: FakeTandoor) -> None:
    sync(store, fake)
    fake.space.private.add(4)
    sync(store, fake)
    fake.space.private.clear()
    assert told(sync(store, fake)) == [fake.space.recipes[4]["name"]]


def test_an_edit_without_a_trace_comes_with_the_full_sync_of_each_day(store: EventStore, fake: FakeTandoor) -> None:
    sync(store, fake)
    ingredients = fake.space.recipes[5]["steps"][0]["ingredients"]
    step = {**fake.space.recipes[5]["steps"][0], "ingredients": [*ingredients, ingredients[0]]}
    fake.space.edit(5, silently=True, steps=[step])
    assert sync(store, fake) == []
    with store.database.transaction() as db:
        db.execute("UPDATE log.tandoor_syncs SET full_at = full_at - %s", (FULL_EACH,))
    assert told(sync(store, fake)) == [fake.space.recipes[5]["name"]]
    assert sync(store, fake) == []
    assert told(sync(store, fake, full=True)) == []


def test_a_changed_keyword_is_seen_in_the_list_though_no_time_says_so(store: EventStore, fake: FakeTandoor) -> None:
    sync(store, fake)
    fake.space.edit(6, silently=True, keywords=[{"id": 9, "name": "quick", "label": "quick"}])
    assert told(sync(store, fake)) == [fake.space.recipes[6]["name"]]


def test_a_recipe_that_is_none_is_left_out_and_not_read_again_until_it_changes(
    store: EventStore, fake: FakeTandoor
) -> None:
    fake.space.edit(7, steps=[])
    end = sync(store, fake)[-1]
    assert isinstance(end, RecipesSynced)
    assert [(one.recipe, one.field) for one in end.left_out] == [("tandoor-7", "ingredients")]
    assert (end.fetched, end.rejected) == (23, 1)
    asked = details(fake)
    assert sync(store, fake) == []
    assert details(fake) == asked


def test_a_recipe_that_the_list_lost_while_people_wrote_is_not_taken_for_gone(store: EventStore) -> None:
    class Shifting(FakeTandoor):
        lost: bool = False

        def answer(self, asked: Asked) -> Reply:
            reply = super().answer(asked)
            if self.lost and asked.path == "/api/recipe/":
                reply.body["results"] = reply.body["results"][1:]
            return reply

    with Shifting(starter_space(12)) as fake:
        sync(store, fake)
        fake.lost = True
        assert told(sync(store, fake)) == []
        fake.lost = False
        assert told(sync(store, fake)) == []
        assert len(catalogue(store)) == 12


def test_a_third_of_the_calls_failing_in_every_way_keeps_nothing_out(store: EventStore, fake: FakeTandoor) -> None:
    for seed in range(3):
        fake.faults = Faulty(0.3, seed)
        fake.space.edit(1 + seed, name=f"Again {seed}")
        request_sync(store, outside(fake), Origin("home", "test"), full=True)
        while consume(SyncTandoor(outside(fake)), store).failed:
            time_passes(store)
        assert catalogue(store) == there(fake)
    assert store.read(types=[DeadLettered]) == []
    assert len(every_fetched(store)) == len(set(every_fetched(store))) == 24 + 2


OTHER = """
import sys
from pydantic import SecretStr
from typer.testing import CliRunner
from meal_assets.clients.outside import Outside
from meal_assets.consumers import consume
from meal_assets.consumers.sync_tandoor import SyncTandoor
from meal_assets.event_store import Database, EventStore
import stamina
stamina.set_testing(True, attempts=4, cap=True)
with Database(sys.argv[1]) as database:
    outside = Outside(sys.argv[2], SecretStr(sys.argv[3]))
    failed = consume(SyncTandoor(outside), EventStore(database)).failed
    sys.exit(0 if failed and failed.startswith("Waiting: tandoor is left alone") else 3)
"""


def other_process(store: EventStore, fake: FakeTandoor) -> subprocess.Popen[bytes]:
    """Another process that consumes, and ends."""
    command = [sys.executable, "-c", OTHER, store.database.url, fake.url, fake.space.token]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def test_one_that_is_down_is_left_alone_by_all_keeps_nobody_and_is_found_again(
    store: EventStore, fake: FakeTandoor
) -> None:
    fake.faults.down = True
    request_sync(store, outside(fake), HOME)
    for _ in range(FAILURES):
        failed = consume(SyncTandoor(outside(fake)), store).failed or ""
    assert failed.startswith("Waiting: tandoor is left alone until")
    assert [s.state for s in states(store.database)] == ["open"]
    asked = len(fake.asked)

    assert other_process(store, fake).wait() == 0
    assert len(fake.asked) == asked
    request_sync(store, outside(fake), Origin("next-door", "test"))
    settle(store, outside(fake))
    assert len(fake.asked) == asked
    assert {s.subscriber.name: s.lag for s in standings(store) if s.lag}.keys() == {"sync_tandoor"}
    tried = failed_attempts(store)["sync_tandoor"]
    assert (tried.attempts, tried.backing_off) == (0, True)

    time_passes(store)
    settle(store, outside(fake))  # it tries once, and waits for longer
    assert len(fake.asked) == asked + ATTEMPTS
    fake.faults.down = False
    time_passes(store)
    settle(store, outside(fake))
    assert [s.lag for s in standings(store)] == [0] * len(list(standings(store)))
    assert catalogue(store) == there(fake)
    assert store.read(types=[DeadLettered]) == []


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_moment_it_goes_on_where_it_was_and_says_nothing_twice(store: EventStore, seed: int) -> None:
    """Killed while a recipe is on its way, or just when one was appended; meanwhile one is edited."""
    chance = random.Random(seed)

    class Deadly(FakeTandoor):
        victim: subprocess.Popen[bytes] | None = None
        left = chance.randint(10, 40)

        def answer(self, asked: Asked) -> Reply:
            self.left -= 1
            if self.left == 0 and self.victim:
                os.kill(self.victim.pid, signal.SIGKILL)
            return super().answer(asked)

    with Deadly(starter_space(60)) as fake:
        request_sync(store, outside(fake), HOME)
        fake.victim = other_process(store, fake)
        assert fake.victim.wait() == -signal.SIGKILL
        fake.space.edit(1, name="Meanwhile")
        with store.listen() as appended:
            victim = other_process(store, fake)
            wanted = store.head() + chance.randint(1, 8)
            while store.head() < wanted and victim.poll() is None:
                appended(1)
            victim.kill()
            assert victim.wait() == -signal.SIGKILL
        assert consume(SyncTandoor(outside(fake)), store, wait=True).failed is None
        assert catalogue(store) == there(fake)
        assert len(every_fetched(store)) == len(set(every_fetched(store))) <= 61
        (end,) = store.read(types=[RecipesSynced])
        assert isinstance(end.event, RecipesSynced)
        assert end.event.fetched == len(every_fetched(store))
        assert details(fake) < 60 + 2 * 25


def test_a_crash_between_the_last_word_and_the_checkpoint_says_nothing_new(
    store: EventStore, fake: FakeTandoor
) -> None:
    sync(store, fake)
    head = store.head()
    with store.database.transaction() as db:
        db.execute("DELETE FROM log.checkpoints WHERE subscriber = 'sync_tandoor'")
    consume(SyncTandoor(outside(fake)), store)
    assert store.head() == head


def test_a_request_that_is_at_work_is_not_made_twice_and_a_full_one_is(store: EventStore, fake: FakeTandoor) -> None:
    first = request_sync(store, outside(fake), Origin("home", "test"))
    again = request_sync(store, outside(fake), Origin("home", "test"))
    assert first
    assert again
    assert (again.correlation_id, again.events) == (first.correlation_id, 0)
    consume(SyncTandoor(outside(fake)), store)
    fake.space.edit(1, name="New")
    partly = request_sync(store, outside(fake), Origin("home", "test"))
    whole = request_sync(store, outside(fake), Origin("home", "test"), full=True)
    assert [one.events for one in (partly, whole) if one] == [1, 1]


def test_how_far_it_is_can_be_seen(store: EventStore, fake: FakeTandoor) -> None:
    sync(store, fake)
    progress = Marks(store.database, "home").progress()
    assert progress
    assert (progress.read, progress.of) == (24, 24)
    assert Marks(store.database, "next-door").progress() is None


def test_a_token_that_is_refused_is_a_dead_letter_that_says_what_to_do(store: EventStore, fake: FakeTandoor) -> None:
    request_sync(store, outside(fake), Origin("home", "test"))
    stranger = Outside(fake.url, SecretStr("tda_wrong"))
    assert consume(SyncTandoor(stranger), store).set_aside == 1
    (letter,) = store.read(types=[DeadLettered])
    assert isinstance(letter.event, DeadLettered)
    assert "Make one in Tandoor's Settings" in letter.event.message


def test_where_no_tandoor_is_set_nothing_is_asked(store: EventStore, fake: FakeTandoor) -> None:
    with pytest.raises(Unavailable, match="MEALS_TANDOOR_URL"):
        request_sync(store, Outside(), HOME)
    sync(store, fake)
    with pytest.raises(RemoteRefused):
        request_sync(store, Outside(fake.url, SecretStr("tda_wrong")), HOME)


def test_the_program_syncs_shows_the_remote_and_steers_it(
    store: EventStore, fake: FakeTandoor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, arguments)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.output

    monkeypatch.setenv("MEALS_HOME", str(tmp_path))
    monkeypatch.setenv("MEALS_DATABASE_URL", store.database.url)
    assert "No service outside was called yet" in run("remotes")
    with pytest.raises(Unavailable, match="MEALS_TANDOOR_URL"):
        run("sync", "tandoor")
    monkeypatch.setenv("MEALS_TANDOOR_URL", fake.url)
    monkeypatch.setenv("MEALS_TANDOOR_TOKEN", fake.space.token)
    assert "24 recipes in Tandoor: 24 new or changed, 0 as before, 0 gone, 0 left out" in run("sync", "tandoor")
    head = store.head()
    assert "Nothing new" in run("sync", "tandoor")
    assert store.head() == head
    assert "tandoor: answers" in run("remotes")
    assert "left alone until" in run("remotes", "trip", "tandoor", "--reason", "moving house")
    assert "moving house" in run("remotes")
    fake.space.edit(1, name="Renamed")
    assert "sync_tandoor could not go on and waits" in run("sync", "tandoor")
    assert "tandoor is called again" in run("remotes", "reset", "tandoor")
    assert "24 recipes in Tandoor: 1 new or changed" in run("sync", "tandoor")
    with pytest.raises(Invalid, match="none of those that were called: tandoor"):
        run("remotes", "reset", "elsewhere")
