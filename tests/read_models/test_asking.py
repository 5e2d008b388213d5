"""The questions as a person types them: how a view stood, who made a row, what a command led to, who stands where."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from meal_assets.cli.app import app
from meal_assets.cli.services import only_one
from meal_assets.contracts.diary import MealLogged
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.contracts.system import FlagSet
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Origin
from meal_assets.event_store.heartbeats import note_stop
from meal_assets.read_models import READ_MODELS, asking, catch_up
from meal_assets.read_models.daily_nutrition import DailyNutrition, days_eaten
from meal_assets.read_models.flags import Flags
from meal_assets.subscriptions import fold_all, settle, standings

from .said import append, like

DAY = date(2026, 11, 23)


@pytest.fixture
def asked(store: EventStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EventStore:
    """A log with two meals of Ada and one of Ben, and the program looking at it."""
    monkeypatch.setenv("MEALS_DATABASE_URL", store.database.url)
    monkeypatch.setenv("MEALS_HOME", str(tmp_path))
    append(store, like(MealLogged, person="ada", day="2026-11-23", entry="one"))
    append(store, like(MealLogged, person="ben", day="2026-11-23", entry="two"))
    append(store, like(MealLogged, person="ada", day="2026-11-23", entry="three"))
    fold_all(store)
    return store


def meals(*arguments: str) -> str:
    """What the program prints."""
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return " ".join(done.output.split())


@pytest.mark.usefixtures("asked")
def test_a_view_is_shown_as_it_stood_at_a_position() -> None:
    assert "daily_nutrition at position 1: 1 rows in daily_nutrition" in meals("as-of", "1", "daily_nutrition")
    assert "at position 3: 2 rows in daily_nutrition" in meals("as-of", "999999", "daily_nutrition")


def test_a_view_is_shown_as_it_stood_at_a_moment_of_the_local_time_zone(asked: EventStore) -> None:
    second, third = asked.read(1)
    between = second.recorded_at + (third.recorded_at - second.recorded_at) / 2
    local = between.astimezone().replace(tzinfo=None).isoformat()
    assert "at position 2: 2 rows" in meals("as-of", local, "daily_nutrition")
    assert "at position 2: 2 rows" in meals("as-of", between.isoformat(), "daily_nutrition")
    assert "at position 0: 0 rows" in meals("as-of", "2001-01-01", "daily_nutrition")
    today = datetime.now(UTC).astimezone().date().isoformat()
    assert "at position 3:" in meals("as-of", today, "daily_nutrition"), "a day counts whole"


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (["as-of", "yesterday", "daily_nutrition"], "when: 'yesterday' is neither a position nor a date"),
        (["as-of", "1", "breakfasts"], "model: 'breakfasts' is none of"),
        (["audit", "daily_nutrition", "ada", "2026-11-23", "x"], "a row of daily_nutrition is named by person, day"),
        (["trace", "nobody"], "command: 'nobody' is neither a correlation id nor a position"),
        (["trace", "77"], "there is no position 77; the log ends at 3"),
        (["events", "--heard-by", "breakfasts"], "--heard-by: 'breakfasts' is none of"),
        (["events", "--heard-by", "food_log", "--topic", "plan"], "--topic: food_log listens to nothing of 'plan'"),
        (["events", "--until", "3"], "--until: ends what begins with --after"),
        (["rebuild", "all", "--undo"], "--undo: takes one read model back at a time"),
    ],
)
def test_a_question_that_cannot_be_answered_says_which_part(arguments: list[str], wrong: str) -> None:
    with pytest.raises(Invalid) as error:
        meals(*arguments)
    assert wrong in str(error.value)


@pytest.mark.usefixtures("asked")
def test_a_row_names_the_events_that_made_it() -> None:
    said = meals("audit", "daily_nutrition", "ada", "2026-11-23")
    assert '"entry":"one"' in said
    assert '"entry":"three"' in said
    assert '"entry":"two"' not in said
    assert "2 events concern household home, person ada, day 2026-11-23." in said
    assert "No event of daily_nutrition concerns" in meals("audit", "daily_nutrition", "nobody")
    assert meals("audit", "daily_nutrition", "ada").count("diary.MealLogged") == 2


def test_an_event_type_that_does_not_say_what_the_key_says_is_named(asked: EventStore) -> None:
    append(asked, like(RecipeFetched))
    fold_all(asked)
    assert "recipe.RecipeFetched does not say week" in meals("audit", "shopping_list", "2026-11-23")


def test_a_command_is_shown_as_a_tree_with_what_followed_from_what(asked: EventStore) -> None:
    command = Origin("home", "person")
    append(asked, like(RecipeFetched), origin=command)
    first = asked.read(3)[0]
    append(asked, like(MealLogged, entry="because"), origin=first.origin_of_reaction("consumer/somebody"))
    for way in (command.correlation_id.hex, str(command.correlation_id), "4", "5"):
        said = meals("trace", way)
        assert "└── diary.MealLogged 5 +" in said
        assert "by consumer/somebody" in said
        assert re.search(r"2 events in [\d.]+ s,", said)
        assert command.correlation_id.hex in said


def test_who_took_in_a_command_is_named_with_the_batch_and_whether_dagster_shows_it(asked: EventStore) -> None:
    assert "│ 1 │ 1–3 │" in meals("trace", "1"), "of one command, not of the others"
    said = meals("trace", "2")
    assert "read_model/daily_nutrition │ 2 │ 1–3 │" in said
    assert "not yet" in said
    assert "weight_trend" not in said
    meals_of_a_day = [like(MealLogged, entry=f"m{n}", day="2026-11-24") for n in range(3)]
    asked.append(meals_of_a_day[0].stream_in("home"), meals_of_a_day, origin=Origin("home", "test"))
    fold_all(asked)
    assert "read_model/daily_nutrition │ 4–6 │ 4–6 │" in meals("trace", "5")
    append(asked, like(FlagSet))
    assert "nobody, in what is kept of it" in meals("trace", "7")


@pytest.mark.usefixtures("asked")
def test_events_are_shown_as_one_subscriber_hears_them(asked: EventStore) -> None:
    append(asked, like(RecipeFetched))
    assert meals("events", "--heard-by", "recipe_catalogue").count("recipe.RecipeFetched") == 1
    assert "MealLogged" not in meals("events", "--heard-by", "recipe_catalogue")
    said = meals("events", "--heard-by", "food_log", "--after", "1", "--until", "2")
    assert said.count("diary.MealLogged") == 1
    assert '"entry":"two"' in said


def test_status_says_how_late_since_when_and_why(asked: EventStore) -> None:
    assert "stopped" not in meals("status")
    append(asked, like(MealLogged, entry="late"))
    with asked.database.transaction() as db:
        note_stop(db, "daily_nutrition", ValueError("[no] room"))
    said = meals("status")
    (line,) = [part for part in said.split("read model") if part.strip("│ ").startswith("daily_nutrition")]
    assert re.search(r"│ 3 │ 4 │ 1, [\d.]+ s │", line)
    assert re.search(r"stopped [\d.]+ s ago", line)
    assert "daily_nutrition: ValueError: [no] room" in said


def test_a_command_does_not_wait_for_a_consumer_that_is_off(asked: EventStore, tmp_path: Path) -> None:
    append(asked, FlagSet(flag="consumer.reconcile", value="off"))
    settle(asked)
    assert next(s for s in standings(asked) if s.subscriber.name == "reconcile").behind
    with only_one(tmp_path):  # as if `meals up` did the work
        assert "Nothing logged in these days" in meals("day", "ada", "--day", "2020-01-01")


def test_an_answer_carries_the_position_up_to_which_all_is_in_it(asked: EventStore) -> None:
    append(asked, like(FlagSet, flag="new-pages"))
    with asking(asked, DailyNutrition) as (_, position):
        assert position == 4, "what does not concern the model is in, too"
    with asking(asked, DailyNutrition, Flags) as (_, position):
        assert position == 3
    append(asked, like(MealLogged, person="ada", day="2026-11-23", entry="four"))
    with asking(asked, DailyNutrition) as (db, position):
        (before,) = days_eaten(db, "home", DAY, DAY, "ada")
        catch_up(DailyNutrition(), asked)
        assert (position, [before]) == (4, days_eaten(db, "home", DAY, DAY, "ada")), (
            "rows and position are of one moment"
        )
    with asking(asked, DailyNutrition) as (db, position):
        assert position == 5
        assert days_eaten(db, "home", DAY, DAY, "ada")[0].entries == before.entries + 1
    assert "As of position 5 of the log." in meals("day", "ada", "--day", "2026-11-23")


def test_all_are_rebuilt_together_and_what_was_changed_by_hand_is_an_alarm(asked: EventStore) -> None:
    said = meals("rebuild", "all")
    assert all(f"{name} stands at" in said for name in READ_MODELS)
    assert "events/s" in said
    assert "not what the log says" not in said
    with asked.database.transaction() as db:
        db.execute("UPDATE read.daily_nutrition SET kcal = 1 WHERE person = 'ada'")
    said = meals("rebuild", "daily_nutrition")
    assert "1 rows were not what the log says (0 too many, 0 missing, 1 different)" in said
    assert "'person': 'ada'" in said
    assert "daily_nutrition is as before its last rebuild, at 3" in meals("rebuild", "daily_nutrition", "--undo")
    with asked.database.transaction() as db:
        assert db.execute("SELECT kcal FROM read.daily_nutrition WHERE person = 'ada'").fetchall() == [(1,)]
    catch_up(DailyNutrition(), asked)
