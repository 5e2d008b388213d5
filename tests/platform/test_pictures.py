"""What people would rather look at: drawn by the newest report, few times, and with nothing from elsewhere."""

from base64 import b64decode
from datetime import date, timedelta
from xml.etree import ElementTree

import dagster as dg
import pytest

from meal_assets.commands.diary import log_meals
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.diary import MealLogged
from meal_assets.event_store import EventStore, Origin
from meal_assets.platform.keys import key_of
from meal_assets.platform.reports import Pictures, report
from meal_assets.read_models import READ_MODELS, ReadModel
from meal_assets.read_models.daily_nutrition import DailyNutrition
from meal_assets.read_models.energy_balance import EnergyBalance
from meal_assets.read_models.reconciliation import Reconciliation
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
