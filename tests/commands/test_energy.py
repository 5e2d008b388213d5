"""`meals energy`, `meals weigh` and `meals goals --accept`, as a person types them."""

from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from meal_assets.cli.app import app
from meal_assets.commands.body import record_weights
from meal_assets.commands.diary import log_meals
from meal_assets.commands.profile import set_profile
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.diary import MealLogged
from meal_assets.contracts.profile import GoalSet
from meal_assets.contracts.values import Nutrients
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Origin
from meal_assets.settings import Settings

HOME = Origin("home", "test")
DAYS = 30


@pytest.fixture
def lived(store: EventStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EventStore:
    """Thirty days of 2,000 kcal, on which Ada lost 100 g a day: she spends 2,770."""
    monkeypatch.setenv("MEALS_DATABASE_URL", store.database.url)
    monkeypatch.setenv("MEALS_HOME", str(tmp_path))
    set_profile(store, GoalSet(person="ada", kcal=2000, protein_g=130, carbs_g=210, fat_g=70), HOME)
    today = Settings().today()
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    for day in days:
        meal = MealLogged(
            entry="all",
            person="ada",
            day=day,
            meal="lunch",
            food="All",
            nutrition=Nutrients(kcal=2000, protein_g=130, carbs_g=210, fat_g=70),
            source="person",
        )
        log_meals(store, "ada", day, [meal], HOME, close=True)
    weights = [WeightRecorded(person="ada", day=day, weight_kg=round(82 - 0.1 * n, 1)) for n, day in enumerate(days)]
    record_weights(store, "ada", weights[:-1], HOME)
    return store


def meals(*arguments: str) -> str:
    """What the program prints."""
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return " ".join(done.output.split())


@pytest.mark.usefixtures("lived")
def test_weigh_shows_what_the_person_spends_and_energy_a_goal_that_is_taken_once() -> None:
    assert "Spends 2," in meals("weigh", "ada", "79.1")
    told = meals("energy", "ada")
    assert "79.2 kg │ 2,000 │ 2," in told
    assert "a goal of 2,200 kcal a day would fit better than 2,000" in told
    assert "in steps of at most 200 kcal a week" in told
    assert "not medical advice" in told
    assert "2,200 kcal" in meals("goals", "ada", "--accept")
    assert "would fit better" not in meals("energy")
    assert "2,200 kcal" in meals("goals", "ada", "--accept")


@pytest.mark.usefixtures("lived")
def test_what_cannot_be_accepted_is_said(store: EventStore) -> None:
    for arguments in (["goals", "--accept"], ["goals", "ada", "--accept", "--kcal", "2000"]):
        with pytest.raises(Invalid, match="needs a person and no figures"):
            CliRunner().invoke(app, arguments, catch_exceptions=False)
    head = store.head()
    with pytest.raises(Invalid, match="none was suggested to ben"):
        CliRunner().invoke(app, ["goals", "ben", "--accept"], catch_exceptions=False)
    assert store.head() == head


@pytest.mark.usefixtures("lived")
def test_who_never_weighed_in_is_told_how_to_begin() -> None:
    assert "No weigh-in in these days" in meals("energy", "ben")
