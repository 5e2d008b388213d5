"""One sensor follows the log: it folds inside its tick, reports what it folded, and asks for runs of consumers."""

import dagster as dg
import pytest
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.test_utils import create_run_for_test

from meal_assets.commands.flags import pause, set_flag
from meal_assets.commands.recipes import request_recipes
from meal_assets.consumers import CONSUMERS, consume
from meal_assets.consumers.estimate_expenditure import EstimateExpenditure
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.system import FlagSet
from meal_assets.event_store import EventStore, Origin
from meal_assets.platform import reports, sensor
from meal_assets.platform.assets import read_model
from meal_assets.platform.checks import is_current
from meal_assets.platform.keys import key_of, topic_key
from meal_assets.platform.reports import report
from meal_assets.platform.resources import Log
from meal_assets.platform.sensor import consumers_behind, follow_the_log
from meal_assets.read_models.daily_nutrition import DailyNutrition
from meal_assets.read_models.event_statistics import EventStatistics
from meal_assets.read_models.weight_trend import WeightTrend
from meal_assets.subscriptions import flag_of, fold_all, settle, standings
from tests.event_store.material import PATIENCE

ONE_RECIPE = b'{"title": "Soup", "ingredients": ["1 leek"]}\n'


@pytest.fixture(autouse=True)
def short_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensor, "TICK_SECONDS", 0.0)
    monkeypatch.setattr(sensor, "FOLD_SECONDS", PATIENCE)


def tick(instance: dg.DagsterInstance, cursor: str | None = None) -> dg.SensorResult | dg.SkipReason:
    with dg.build_sensor_context(instance=instance, cursor=cursor, resources={"log": Log()}) as context:
        return follow_the_log(context)


def weigh(store: EventStore, origin: Origin, kg: float) -> int:
    said = WeightRecorded.model_validate({"person": "ada", "day": "2026-11-23", "weight_kg": kg})
    return store.append(said.stream_in("home"), [said], origin=origin).last


def rest(store: EventStore, origin: Origin) -> None:
    """Only read models hear of weigh-ins: a tick that asks for no run raises what could not be done, or is skipped."""
    pause(store, flag_of(EstimateExpenditure), origin)


def newest(instance: dg.DagsterInstance, key: dg.AssetKey) -> dg.AssetMaterialization:
    event = instance.get_latest_materialization_event(key)
    assert event is not None
    assert event.asset_materialization is not None
    return event.asset_materialization


def test_a_tick_folds_every_read_model(instance: dg.DagsterInstance, history: int, store: EventStore) -> None:
    tick(instance)
    assert [s.subscriber.name for s in standings(store) if s.behind and s.subscriber.name not in CONSUMERS] == []


def test_what_was_folded_is_reported_with_its_positions(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin
) -> None:
    first, last = weigh(store, origin, 64.0), weigh(store, origin, 64.2)
    tick(instance)
    made = newest(instance, key_of(WeightTrend))
    assert (made.metadata["from_position"].value, made.metadata["to_position"].value) == (first, last)
    assert made.metadata["events"].value == 2
    assert made.tags is not None
    assert made.tags["dagster/data_version"] == str(last)


def test_a_topic_is_reported_with_its_head(instance: dg.DagsterInstance, store: EventStore, origin: Origin) -> None:
    head = weigh(store, origin, 64.0)
    tick(instance)
    shown = newest(instance, topic_key("body")).metadata
    assert shown["to_position"].value == head
    assert shown["see_events"].value == f"meals events --topic body --after 0 --until {head} --limit 1"


def test_nothing_is_reported_twice(instance: dg.DagsterInstance, store: EventStore, origin: Origin) -> None:
    weigh(store, origin, 64.0)
    tick(instance)
    before = instance.fetch_materializations(key_of(WeightTrend), limit=10).records
    tick(instance)
    assert len(instance.fetch_materializations(key_of(WeightTrend), limit=10).records) == len(before) == 1


def test_what_another_process_folded_is_reported_too(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin
) -> None:
    head = weigh(store, origin, 64.0)
    settle(store)
    report(instance, store)
    assert newest(instance, key_of(WeightTrend)).metadata["to_position"].value == head


class Refusing(Exception):
    """The instance could not take a report."""


def test_a_report_that_did_not_arrive_is_made_again(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = weigh(store, origin, 64.0)
    fold_all(store)

    def refuse(*_: object, **__: object) -> None:
        raise Refusing

    with monkeypatch.context() as patched:
        patched.setattr(instance, "report_runless_asset_event", refuse)
        with pytest.raises(Refusing):
            report(instance, store)
    report(instance, store)
    assert newest(instance, key_of(WeightTrend)).metadata["to_position"].value == head


def test_each_day_that_changed_is_a_partition_that_was_materialized(
    instance: dg.DagsterInstance, history: int, store: EventStore
) -> None:
    tick(instance)
    assert instance.get_materialized_partitions(key_of(DailyNutrition)) == {"2026-11-23"}


def test_the_check_is_reported_with_the_materialization(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin
) -> None:
    weigh(store, origin, 64.0)
    tick(instance)
    check = dg.AssetCheckKey(key_of(WeightTrend), "is_current")
    record = instance.event_log_storage.get_latest_asset_check_execution_by_key([check])[check]
    assert record.status.value == "SUCCEEDED"


def test_a_consumer_that_is_behind_is_asked_for(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin
) -> None:
    request_recipes(store, "one.jsonl", ONE_RECIPE, origin)
    result = tick(instance)
    assert isinstance(result, dg.SensorResult)
    (request,) = result.run_requests or ()
    assert request.asset_selection == [key_of(CONSUMERS["fetch_recipes"])]


def test_it_is_not_asked_for_again_while_its_run_may_be_starting(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin
) -> None:
    request_recipes(store, "one.jsonl", ONE_RECIPE, origin)
    first = tick(instance)
    assert isinstance(first, dg.SensorResult)
    again = tick(instance, cursor=first.cursor)
    same_stretch = isinstance(again, dg.SkipReason)
    assert same_stretch or again.run_requests[0].run_key != first.run_requests[0].run_key


def test_it_is_not_asked_for_again_while_its_run_waits_in_the_queue(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin
) -> None:
    request_recipes(store, "one.jsonl", ONE_RECIPE, origin)
    tags = {"meals/consumer": "fetch_recipes"}
    location = GrpcServerCodeLocationOrigin(host="127.0.0.1", port=1, location_name="meal_assets")
    job = RemoteRepositoryOrigin(location, "__repository__").get_job_origin("__ASSET_JOB")
    run = create_run_for_test(instance, status=dg.DagsterRunStatus.QUEUED, tags=tags, remote_job_origin=job)
    assert isinstance(tick(instance), dg.SkipReason)
    instance.report_run_canceled(run)
    result = tick(instance)
    assert isinstance(result, dg.SensorResult)
    assert [r.tags["meals/consumer"] for r in result.run_requests or ()] == ["fetch_recipes"]


def test_nobody_is_asked_for_in_an_empty_log(instance: dg.DagsterInstance, store: EventStore) -> None:
    assert isinstance(tick(instance), dg.SkipReason)
    assert consumers_behind(store) == {}


def test_a_consumer_that_is_at_it_is_left_alone(store: EventStore, origin: Origin) -> None:
    request_recipes(store, "one.jsonl", ONE_RECIPE, origin)
    with store.database.dedicated() as other:
        other.execute("SELECT pg_advisory_lock(hashtext('consumer/fetch_recipes'))")
        assert consumers_behind(store) == {}
    assert list(consumers_behind(store)) == ["fetch_recipes"]


def test_a_consumer_that_is_done_is_not_asked_for(store: EventStore, origin: Origin) -> None:
    request_recipes(store, "one.jsonl", ONE_RECIPE, origin)
    consume(CONSUMERS["fetch_recipes"](), store)
    assert list(consumers_behind(store)) == ["compute_nutrition"]  # of the recipe that was fetched
    consume(CONSUMERS["compute_nutrition"](), store)
    assert consumers_behind(store) == {}


def test_a_consumer_that_is_paused_or_only_shadows_and_is_done_is_not_asked_for(
    store: EventStore, origin: Origin
) -> None:
    request_recipes(store, "one.jsonl", ONE_RECIPE, origin)
    flag = flag_of(CONSUMERS["fetch_recipes"])
    pause(store, flag, origin)
    assert consumers_behind(store) == {}
    set_flag(store, FlagSet(flag=flag, value="shadow"), origin)
    assert list(consumers_behind(store)) == ["fetch_recipes"]
    consume(CONSUMERS["fetch_recipes"](), store)
    assert consumers_behind(store) == {}


def test_a_paused_read_model_is_no_error_and_its_check_says_who_paused_it(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin
) -> None:
    rest(store, origin)
    weigh(store, origin, 64.0)
    pause(store, flag_of(WeightTrend), origin, "its table is being moved")
    assert isinstance(tick(instance), dg.SkipReason)
    (check,) = is_current(WeightTrend).check_specs
    result = dg.materialize(
        [read_model(WeightTrend), is_current(WeightTrend)],
        resources={"log": Log()},
        instance=instance,
        selection=dg.AssetSelection.checks(check.key),
    )
    (found,) = result.get_asset_check_evaluations()
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    shown = {name: found.metadata[name].value for name in ("mode", "switched_by", "switched_because")}
    assert shown == {"mode": "off", "switched_by": "test", "switched_because": "its table is being moved"}


def test_a_read_model_that_cannot_go_on_is_told_at_the_end_of_the_tick_and_the_others_follow(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Exception):
        pass

    def fold(self: object, batch: object) -> None:
        raise Broken("here")

    monkeypatch.setattr(WeightTrend, "fold", fold)
    rest(store, origin)
    head = weigh(store, origin, 64.0)
    with pytest.raises(Broken, match="here"):
        tick(instance)
    assert newest(instance, key_of(EventStatistics)).metadata["to_position"].value == head


def test_what_cannot_be_reported_is_told_when_the_tick_ends_and_until_then_everything_is_folded(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[object] = []

    def refuse(*event: object) -> None:
        refused.append(event)
        if len(refused) <= 3:
            weigh(store, origin, 64.0 + len(refused))  # something to report again
        raise Refusing

    rest(store, origin)
    weigh(store, origin, 64.0)
    with monkeypatch.context() as patched:
        patched.setattr(sensor, "TICK_SECONDS", 1.0)
        patched.setattr(reports, "REPORT_SECONDS", 0.01)
        patched.setattr(instance, "report_runless_asset_event", refuse)
        with pytest.raises(Refusing):
            tick(instance)
    assert next(s for s in standings(store) if s.subscriber is WeightTrend).position == store.head()
    tick(instance)
    assert newest(instance, key_of(WeightTrend)).metadata["to_position"].value == store.head()


def test_a_consumer_with_nothing_to_do_is_seen_to_be_looked_after(store: EventStore) -> None:
    assert all(s.looked_at is None for s in standings(store) if s.subscriber.name in CONSUMERS)
    consumers_behind(store)
    assert all(s.looked_at for s in standings(store) if s.subscriber.name in CONSUMERS)
