"""The asset graph is the map of who reacts to what, and a materialization shows which events made it."""

from collections.abc import Iterator
from datetime import date, datetime
from graphlib import TopologicalSorter
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from typer.testing import CliRunner

from definitions import defs
from meal_assets.cli.app import app
from meal_assets.commands.diary import log_meals
from meal_assets.commands.flags import pause, set_flag
from meal_assets.commands.recipes import request_recipes
from meal_assets.consumers import CONSUMERS, Consumer, Said
from meal_assets.contracts import TOPICS
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.diary import MealLogged
from meal_assets.contracts.system import FlagSet
from meal_assets.errors import Transient
from meal_assets.event_store import EventStore, Origin, Recorded
from meal_assets.platform.assets import consumer, days_in, read_model
from meal_assets.platform.checks import IS_CURRENT, is_current
from meal_assets.platform.keys import FATSECRET_DIARY, GROUPS, key_of, topic_key
from meal_assets.platform.reports import report
from meal_assets.platform.resources import Log
from meal_assets.read_models import READ_MODELS, catch_up
from meal_assets.read_models.daily_nutrition import DailyNutrition
from meal_assets.read_models.recipe_catalogue import RecipeCatalogue
from meal_assets.read_models.weight_trend import WeightTrend
from meal_assets.subscriptions import flag_of, fold_all

SUBSCRIBERS = [*READ_MODELS.values(), *CONSUMERS.values()]


@pytest.fixture(scope="module")
def specs() -> dict[dg.AssetKey, dg.AssetSpec]:
    return {s.key: s for s in defs.resolve_all_asset_specs()}


def test_the_definitions_load() -> None:
    dg.Definitions.validate_loadable(defs)


def test_no_asset_comes_from_itself_by_whatever_way(specs: dict[dg.AssetKey, dg.AssetSpec]) -> None:
    TopologicalSorter({key: {d.asset_key for d in spec.deps} for key, spec in specs.items()}).prepare()


def test_every_topic_read_model_and_consumer_is_an_asset(specs: dict[dg.AssetKey, dg.AssetSpec]) -> None:
    assert set(specs) == {*map(topic_key, TOPICS), *map(key_of, SUBSCRIBERS), FATSECRET_DIARY}


def test_every_asset_says_what_it_is_and_whose(specs: dict[dg.AssetKey, dg.AssetSpec]) -> None:
    for spec in specs.values():
        assert spec.description, spec.key
        assert spec.owners, spec.key
        assert spec.kinds, spec.key
        assert spec.group_name in GROUPS.values()


@pytest.mark.parametrize("subscriber", SUBSCRIBERS, ids=lambda s: s.name)
def test_a_subscriber_depends_on_the_topics_it_listens_to(
    subscriber: type, specs: dict[dg.AssetKey, dg.AssetSpec]
) -> None:
    assert {d.asset_key for d in specs[key_of(subscriber)].deps} == {topic_key(e.topic) for e in subscriber.listens_to}


@pytest.mark.parametrize("kind", CONSUMERS.values(), ids=lambda c: c.name)
def test_a_topic_depends_on_the_consumers_that_speak_in_it(kind: type, specs: dict[dg.AssetKey, dg.AssetSpec]) -> None:
    for event in kind.says:
        assert key_of(kind) in {d.asset_key for d in specs[topic_key(event.topic)].deps}


def test_every_subscriber_has_its_check_and_the_sensor_targets_it() -> None:
    repository = defs.get_repository_def()
    current = {k.asset_key for k in repository.asset_graph.asset_check_keys if k.name == IS_CURRENT}
    assert current == set(map(key_of, SUBSCRIBERS))
    (sensor,) = repository.sensor_defs
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    selection = sensor.targets[0].resolvable_to_job.selection
    assert selection.resolve(repository.asset_graph) == set(map(key_of, SUBSCRIBERS))


def test_materializing_a_read_model_brings_it_to_the_head_and_shows_what_made_it(
    instance: dg.DagsterInstance, history: int, store: EventStore
) -> None:
    result = dg.materialize([read_model(RecipeCatalogue)], resources={"log": Log()}, instance=instance)
    (made,) = result.asset_materializations_for_node("read_model__recipe_catalogue")
    heard = store.read(types=RecipeCatalogue.listens_to)
    newest = heard[-1]
    shown = {name: value.value for name, value in made.metadata.items()}
    assert shown["from_position"] == 1
    assert shown["to_position"] == newest.position
    assert set(shown["correlation_ids"]) == {r.correlation_id.hex for r in heard}
    assert shown["dagster/row_count"] == 1
    assert sum(r.data["events"] for r in made.metadata["events_by_type"].records) == len(heard)
    assert made.metadata["preview"].records[0].data["recipe"] == "overnight-oats"
    assert made.tags["dagster/data_version"] == str(newest.position)
    with store.database.transaction() as db:
        (chain_head,) = db.execute(
            "SELECT encode(hash, 'hex') FROM log.events WHERE position = %s", (newest.position,)
        ).fetchone()
        (unreported,) = db.execute("SELECT count(*) FROM log.outbox WHERE reported_at IS NULL").fetchone()
    assert shown["chain_head"] == chain_head
    assert unreported == 0
    result = dg.materialize([read_model(RecipeCatalogue)], resources={"log": Log()}, instance=instance)
    (made,) = result.asset_materializations_for_node("read_model__recipe_catalogue")
    assert (made.metadata["events"].value, made.metadata["chain_head"].value) == (0, chain_head)


def test_a_partition_is_summed_up_anew_from_its_own_events(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin
) -> None:
    for n, day in enumerate(("2026-11-22", "2026-11-23")):
        meal = MealLogged.model_validate(MealLogged.examples[n] | {"day": day})
        log_meals(store, meal.person, meal.day, [meal], origin)
    asset = read_model(DailyNutrition)
    read = "SELECT person, day::text, entries, kcal FROM read.daily_nutrition ORDER BY day"

    def materialize_last_day() -> list[tuple[object, ...]]:
        dg.materialize([asset], resources={"log": Log()}, instance=instance, partition_key="2026-11-23")
        with store.database.transaction() as db:
            return db.execute(read).fetchall()

    right = materialize_last_day()
    assert [row[1] for row in right] == ["2026-11-22", "2026-11-23"]
    with store.database.transaction() as db:
        db.execute("UPDATE read.daily_nutrition SET kcal = 1")
    mended = materialize_last_day()
    assert mended[1] == right[1]
    assert mended[0][3] == 1  # the other day was not asked for


def test_materializing_a_consumer_handles_what_is_new(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin
) -> None:
    request_recipes(store, "one.jsonl", b'{"title": "Soup", "ingredients": ["1 leek"]}\n', origin)
    result = dg.materialize(
        [consumer(CONSUMERS["fetch_recipes"])], resources={"log": Log()}, instance=instance, raise_on_error=True
    )
    (made,) = result.asset_materializations_for_node("consumer__fetch_recipes")
    assert {r.data["type"]: r.data["events"] for r in made.metadata["said"].records} == {
        "recipe.RecipeFetched": 1,
        "recipe.RecipesFetched": 1,
    }


def test_a_consumer_that_cannot_go_on_fails_its_run_and_keeps_its_place(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin
) -> None:
    class Unlucky(Consumer):
        """Never gets through."""

        listens_to = (WeightRecorded,)
        says = ()

        def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said]:
            raise Transient("the scale does not answer")
            yield

    said = WeightRecorded.model_validate(WeightRecorded.examples[0])
    store.append(said.stream_in("home"), [said], origin=origin)
    result = dg.materialize([consumer(Unlucky)], resources={"log": Log()}, instance=instance, raise_on_error=False)
    assert not result.success
    assert "the scale does not answer" in str(result.failure_data_for_node("consumer__unlucky"))
    with store.database.transaction() as db:
        assert db.execute("SELECT position FROM log.checkpoints WHERE subscriber = 'unlucky'").fetchone() == (0,)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_a_daily_partition_is_a_day_of_the_household(
    zone: str, instance: dg.DagsterInstance, store: EventStore, origin: Origin
) -> None:
    days = {name: datetime.now(ZoneInfo(name)).date() for name in ("Pacific/Kiritimati", "Etc/GMT+12")}
    assert len({*days.values()}) == 2  # 26 hours apart: the day of one is never that of the other
    assert days_in(zone).get_last_partition_key() == str(days[zone])
    assert read_model(DailyNutrition, zone).partitions_def == days_in(zone)
    for day in days.values():
        meal = MealLogged.model_validate(MealLogged.examples[0] | {"day": str(day)})
        log_meals(store, meal.person, meal.day, [meal], origin)
    catch_up(DailyNutrition(), store)
    report(instance, store, zone=zone)
    assert instance.get_materialized_partitions(key_of(DailyNutrition)) == {
        str(d) for d in days.values() if d <= days[zone]
    }


def test_what_concerns_no_partition_is_reported_all_the_same(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin
) -> None:
    meal = MealLogged.model_validate(MealLogged.examples[0] | {"day": "2999-01-01"})
    said = log_meals(store, meal.person, meal.day, [meal], origin)
    catch_up(DailyNutrition(), store)
    report(instance, store)
    (record,) = instance.fetch_materializations(key_of(DailyNutrition), limit=5).records
    made = record.asset_materialization
    assert made is not None
    assert (made.partition, made.metadata["to_position"].value) == (None, said.position)


def test_a_range_of_days_says_how_far_it_is_and_keeps_no_picture_for_each(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin
) -> None:
    for day in ("2026-11-22", "2026-11-23"):
        meal = MealLogged.model_validate(MealLogged.examples[0] | {"day": day})
        log_meals(store, meal.person, meal.day, [meal], origin)
    tags = {"dagster/asset_partition_range_start": "2026-11-22", "dagster/asset_partition_range_end": "2026-11-23"}
    asset = read_model(DailyNutrition)
    result = dg.materialize([asset], resources={"log": Log()}, instance=instance, tags=tags)
    made = result.asset_materializations_for_node("read_model__daily_nutrition")
    assert [m.partition for m in made] == ["2026-11-22", "2026-11-23"]
    assert not any("picture" in m.metadata for m in made)
    told = [str(log.user_message) for log in instance.all_logs(result.run_id)]
    assert "2 days from 2026-11-22 to 2026-11-23 summed up anew from their own events" in told
    one = dg.materialize([asset], resources={"log": Log()}, instance=instance, partition_key="2026-11-23")
    (drawn,) = one.asset_materializations_for_node("read_model__daily_nutrition")
    assert "picture" in drawn.metadata


def test_who_materializes_what_is_paused_is_told_how_it_goes_on(
    instance: dg.DagsterInstance, history: int, store: EventStore, origin: Origin
) -> None:
    pause(store, flag_of(WeightTrend), origin)
    set_flag(store, FlagSet(flag="consumer.reconcile", value="shadow"), origin)
    assets = [read_model(WeightTrend), consumer(CONSUMERS["reconcile"])]
    result = dg.materialize(assets, resources={"log": Log()}, instance=instance)
    told = " ".join(str(log.user_message) for log in instance.all_logs(result.run_id))
    assert "`meals resume weight_trend`" in told
    assert "`meals flags set consumer.reconcile on`" in told


def test_from_a_materialization_one_gets_to_its_events_and_from_an_event_to_the_materializations(
    instance: dg.DagsterInstance, history: int, store: EventStore, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEALS_DATABASE_URL", store.database.url)
    fold_all(store)
    first = WeightRecorded(person="ada", day=date(2026, 11, 24), weight_kg=61)
    store.append(first.stream_in("home"), [first], origin=origin)
    fold_all(store)
    report(instance, store)
    made = instance.get_latest_materialization_event(key_of(WeightTrend))
    assert made is not None
    assert made.asset_materialization is not None
    shown = {name: value.value for name, value in made.asset_materialization.metadata.items()}
    assert shown["rows_touched"] == sum(shown["rows"].values()) > 0
    assert (shown["lag"], shown["lag_seconds"]) == (0, 0.0)
    program, *arguments = str(shown["see_events"]).split()
    assert program == "meals"
    listed = CliRunner().invoke(app, arguments, catch_exceptions=False).output
    assert listed.count("body.WeightRecorded") == 2
    assert len(listed.splitlines()) == shown["events"]
    assert shown["see_what_made_a_row"] == "meals audit weight_trend PERSON DAY"
    head = str(store.head())
    traced = CliRunner().invoke(app, ["trace", head], catch_exceptions=False).output
    lines = {line.split()[1]: line for line in traced.splitlines() if f" {head} " in line and "│" in line}
    assert {"read_model/weight_trend", "read_model/event_statistics"} <= {*lines}
    assert "read_model/daily_nutrition" not in lines
    assert "not yet" not in lines["read_model/weight_trend"]


def test_a_check_fails_while_its_model_is_behind(instance: dg.DagsterInstance, history: int, store: EventStore) -> None:
    asset, check = read_model(WeightTrend), is_current(WeightTrend)
    behind = dg.materialize(
        [asset, check],
        resources={"log": Log()},
        instance=instance,
        selection=dg.AssetSelection.checks(check),
    )
    assert [e.passed for e in behind.get_asset_check_evaluations()] == [False]
    current = dg.materialize([asset, check], resources={"log": Log()}, instance=instance)
    assert [e.passed for e in current.get_asset_check_evaluations()] == [True]
