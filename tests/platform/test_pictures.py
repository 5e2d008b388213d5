"""What people would rather look at: drawn by the newest report, few times, and with nothing from elsewhere."""

from base64 import b64decode
from dataclasses import replace
from datetime import date, timedelta
from xml.etree import ElementTree

import dagster as dg
import psycopg
import pytest

from meal_assets.commands.diary import log_meals
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.diary import MealLogged
from meal_assets.event_store import Connection, EventStore, Origin
from meal_assets.platform import reports, shown
from meal_assets.platform.findings import LOOKS, Finding
from meal_assets.platform.keys import key_of
from meal_assets.platform.reports import Pictures, report
from meal_assets.read_models import READ_MODELS, ReadModel
from meal_assets.read_models.daily_nutrition import DailyNutrition
from meal_assets.read_models.energy_balance import EnergyBalance
from meal_assets.read_models.reconciliation import Reconciliation
from meal_assets.read_models.week_plan import WeekPlan
from meal_assets.read_models.weight_trend import WeightTrend
from meal_assets.subscriptions import fold_all

PICTURED = (DailyNutrition, EnergyBalance, Reconciliation, WeightTrend)


def pictures_of(instance: dg.DagsterInstance, model: type[ReadModel]) -> list[bool]:
    """Whether each of its materializations has a picture, the oldest first."""
    records = instance.fetch_materializations(key_of(model), limit=50).records
    return ["picture" in r.asset_materialization.metadata for r in reversed(records) if r.asset_materialization]


@pytest.fixture
def folded(instance: dg.DagsterInstance, history: int, store: EventStore, origin: Origin) -> None:
    """One event of each type, and a meal that was not taken back."""
    meal = MealLogged.model_validate(MealLogged.examples[1] | {"entry": "stays"})
    log_meals(store, meal.person, meal.day, [meal], origin)
    assert fold_all(store) == []
    report(instance, store)


@pytest.mark.usefixtures("folded")
@pytest.mark.parametrize("model", PICTURED, ids=lambda model: model.name)
def test_a_picture_is_svg_that_asks_for_nothing(model: type[ReadModel], instance: dg.DagsterInstance) -> None:
    (record,) = instance.fetch_materializations(key_of(model), limit=1).records
    assert record.asset_materialization is not None
    told = str(record.asset_materialization.metadata["picture"].value)
    svg = b64decode(told.split("base64,")[1].rstrip(")")).decode()
    tree = ElementTree.fromstring(svg)  # ours
    assert tree.tag == "{http://www.w3.org/2000/svg}svg"
    assert not [e for e in tree.iter() if e.tag.endswith(("script", "image", "use", "foreignObject"))]
    assert "ada" in svg


@pytest.mark.usefixtures("folded")
def test_the_others_have_none(instance: dg.DagsterInstance) -> None:
    drawn = {name for name, model in READ_MODELS.items() if any(pictures_of(instance, model))}
    assert drawn == {model.name for model in PICTURED}


def test_of_many_reports_the_first_and_the_last_have_one(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin
) -> None:
    pictures = Pictures()
    for n in range(4):
        weighed = WeightRecorded(person="ada", day=date(2026, 11, 1) + timedelta(n), weight_kg=60)
        store.append(weighed.stream_in("home"), [weighed], origin=origin)
        fold_all(store)
        report(instance, store, pictures)
    pictures.is_last = True
    report(instance, store, pictures)
    report(instance, store, pictures)
    assert pictures_of(instance, WeightTrend) == [True, False, False, False, True]


@pytest.mark.parametrize(("what", "attribute"), [("picture", "picture"), ("preview", "shows")])
def test_what_cannot_be_shown_is_left_out_and_says_why_and_everybody_is_reported(
    what: str,
    attribute: str,
    instance: dg.DagsterInstance,
    history: int,
    store: EventStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(db: Connection) -> str:
        db.execute("SELECT * FROM read.nowhere")
        raise AssertionError

    monkeypatch.setattr(WeightTrend, attribute, "SELECT * FROM nowhere" if attribute == "shows" else broken)
    assert fold_all(store) == []
    report(instance, store)
    (record,) = instance.fetch_materializations(key_of(WeightTrend), limit=2).records
    assert record.asset_materialization is not None
    metadata = record.asset_materialization.metadata
    assert what not in metadata
    assert "nowhere" in str(metadata[f"{what}_failed"].value)
    assert "meal_assets.read_models.weight_trend" in str(metadata[f"{what}_failed"].value)
    assert metadata["dagster/row_count"].value == 1
    for model in READ_MODELS.values():
        assert instance.fetch_materializations(key_of(model), limit=1).records, model.name


def test_who_cannot_be_reported_keeps_no_other_from_it_and_is_reported_when_that_is_mended(
    instance: dg.DagsterInstance, history: int, store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(db: Connection, model: type[ReadModel]) -> int:
        if model is WeightTrend:
            db.execute("SELECT * FROM read.nowhere")
        return 0

    assert fold_all(store) == []
    with monkeypatch.context() as patched:
        patched.setattr(shown, "row_count", refuse)
        with pytest.raises(psycopg.errors.UndefinedTable) as failed:
            report(instance, store)
    assert "while reporting weight_trend" in failed.value.__notes__
    reported = {m.name for m in READ_MODELS.values() if pictures_of(instance, m)}
    assert reported == {*READ_MODELS} - {WeightTrend.name}
    assert report(instance, store) == 1
    assert pictures_of(instance, WeightTrend) == [True]


def test_a_check_that_cannot_look_fails_and_says_why(
    instance: dg.DagsterInstance, history: int, store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(db: Connection) -> Finding:
        db.execute("SELECT * FROM read.nowhere")
        raise AssertionError

    looks = [replace(look, find=broken) if look.model is WeekPlan else look for look in LOOKS]
    monkeypatch.setattr(reports, "LOOKS", looks)
    assert fold_all(store) == []
    report(instance, store)
    for look in looks:
        key = dg.AssetCheckKey(key_of(look.model), look.name)
        (told,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
        assert told.evaluation is not None
        assert ("could_not_look" in told.evaluation.metadata) is (look.model is WeekPlan)
