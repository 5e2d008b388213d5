"""Retries without storms: one mechanism for runs of consumers, bounded, and a poison event ends as one dead letter."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.storage.tags import MAX_RUNTIME_SECONDS_TAG

from meal_assets.consumers import CONSUMERS, Consumer, Said
from meal_assets.consumers.base import MAX_ATTEMPTS
from meal_assets.contracts.shopping import ItemTicked, ItemUnticked
from meal_assets.contracts.system import DeadLettered
from meal_assets.errors import Permanent, Transient
from meal_assets.event_store import EventStore, Recorded
from meal_assets.platform import sensor
from meal_assets.platform.assets import consumer
from meal_assets.platform.resources import Log
from meal_assets.platform.sensor import consumers_behind
from meal_assets.subscriptions import SUBSCRIBERS
from tests.consumers.test_kit import item_of, said, tick, unticked
from tests.platform.test_sensor import tick as sensor_tick

PROJECT = Path(__file__).parents[2]
ENOUGH = 3 * MAX_ATTEMPTS
"""Runs after which it is a storm."""


class Terminated(BaseException):
    """A run was told to stop, and this is how its code learns of it."""


class Poisoned(Consumer):
    """Does not survive salt."""

    listens_to = (ItemTicked,)
    says = (ItemUnticked,)
    poison: BaseException = Transient("busy")

    def handle(self, recorded: Recorded, log: EventStore) -> Iterable[Said]:
        if item_of(recorded) == "salt":
            raise self.poison
        yield Said(ItemUnticked(week=recorded.event.week, item=item_of(recorded)))  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONSUMERS, "poisoned", Poisoned)
    monkeypatch.setitem(SUBSCRIBERS, "poisoned", Poisoned)
    monkeypatch.setattr(sensor, "TICK_SECONDS", 0.0)


def run_until_quiet(store: EventStore, instance: dg.DagsterInstance) -> int:
    """Do what the sensor asks for, as its runs do, until it asks for nothing more; how many runs that took."""
    for runs in range(ENOUGH):
        if "poisoned" not in consumers_behind(store):
            return runs
        with suppress(Terminated):
            dg.materialize([consumer(Poisoned)], resources={"log": Log()}, instance=instance, raise_on_error=False)
        with store.database.transaction() as db:
            db.execute("UPDATE log.attempts SET next_at = now() WHERE attempts > 0")  # the pause is over
    pytest.fail(f"still asked for after {ENOUGH} runs")


@pytest.mark.parametrize(
    ("poison", "runs", "attempts"),
    [
        (Permanent("never"), 1, 1),
        (Transient("busy"), MAX_ATTEMPTS, MAX_ATTEMPTS),
        (ZeroDivisionError("a bug"), MAX_ATTEMPTS, MAX_ATTEMPTS),
        (Terminated(), MAX_ATTEMPTS + 2, MAX_ATTEMPTS + 1),
    ],
    ids=["permanent", "transient", "bug", "terminated"],
)
def test_a_poison_event_ends_as_one_dead_letter_after_a_bounded_number_of_runs(
    store: EventStore,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    poison: BaseException,
    runs: int,
    attempts: int,
) -> None:
    monkeypatch.setattr(Poisoned, "poison", poison)
    tick(store, "milk", "salt", "tea")
    assert run_until_quiet(store, instance) == runs
    (letter,) = said(store, DeadLettered)
    assert (letter.position, letter.attempts) == (2, attempts)
    assert unticked(store) == ["milk", "tea"]
    assert run_until_quiet(store, instance) == 0
    assert len(instance.get_runs()) == runs


def test_a_failed_run_is_not_asked_for_while_its_pause_lasts(store: EventStore, instance: dg.DagsterInstance) -> None:
    tick(store, "salt")
    dg.materialize([consumer(Poisoned)], resources={"log": Log()}, instance=instance, raise_on_error=False)
    assert consumers_behind(store) == {}


def test_no_mechanism_of_dagster_retries_a_run_of_a_consumer(instance: dg.DagsterInstance) -> None:
    for kind in CONSUMERS.values():
        assert consumer(kind).op.retry_policy is None
    for file in ("dagster.yaml", "deploy/dagster.yaml"):
        settings = yaml.safe_load((PROJECT / file).read_text())
        assert not settings.get("run_retries", {}).get("enabled")
        assert settings["run_monitoring"]["max_resume_run_attempts"] == 0
        assert settings["run_monitoring"]["enabled"], "else no run that hangs is ended"


def test_every_run_that_is_asked_for_has_a_bound(store: EventStore, instance: dg.DagsterInstance) -> None:
    tick(store, "milk")
    result = sensor_tick(instance)
    assert isinstance(result, dg.SensorResult)
    (request,) = result.run_requests or ()
    assert request.tags[MAX_RUNTIME_SECONDS_TAG] == str(sensor.RUN_SECONDS)
