"""A rebuild says how the live rows differed, keeps them, and can be taken back."""

import pytest

from meal_assets.errors import Unavailable
from meal_assets.event_store import EventStore
from meal_assets.event_store.batch import Batch
from meal_assets.event_store.checkpoints import checkpoints
from meal_assets.read_models import READ_MODELS, ReadModel, catch_up, rebuild, undo_rebuild
from meal_assets.read_models.daily_nutrition import DailyNutrition

from .conftest import forget, rows_of, with_fold
from .histories import History

MODELS = [model() for model in READ_MODELS.values()]
EVERY = pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)


def stored_rebuild(store: EventStore, model: ReadModel) -> tuple[object, ...]:
    with store.database.transaction() as db:
        row = db.execute(
            "SELECT version, from_version, position, rows, differing, sample FROM log.rebuilds WHERE subscriber = %s"
            " ORDER BY id DESC LIMIT 1",
            (model.name,),
        ).fetchone()
    assert row is not None
    return row


@EVERY
def test_a_rebuild_of_untouched_rows_finds_no_difference_also_when_the_live_ones_are_behind(
    log: EventStore, history: History, model: ReadModel
) -> None:
    catch_up(model, log, batch=9)
    history.append_of(*model.listens_to)
    rebuilt = rebuild(model, log)
    assert (rebuilt.difference.differing, rebuilt.difference.sample, rebuilt.alarming) == (0, (), False)
    assert rebuilt.difference.rows == sum(map(len, rows_of(log, model).values())) > 0
    position = rebuilt.position
    assert stored_rebuild(log, model) == (model.version, model.version, position, rebuilt.difference.rows, 0, [])


def test_rows_somebody_changed_removed_or_added_are_counted_named_and_mended(log: EventStore) -> None:
    model = DailyNutrition()
    catch_up(model, log)
    true = rows_of(log, model)
    with log.database.transaction() as db:
        db.execute("UPDATE read.daily_nutrition SET kcal = kcal + 1 WHERE person = 'ada' AND household = 'home'")
        changed = db.execute("SELECT FROM read.daily_nutrition WHERE (household, person) = ('home', 'ada')").rowcount
        gone = db.execute("DELETE FROM read.daily_nutrition WHERE household = 'next-door'").rowcount
        db.execute(
            "INSERT INTO read.daily_nutrition SELECT 'nobody', person, day, entries, kcal, protein_g, carbs_g, fat_g,"
            " fiber_g, sugar_g, saturated_fat_g, sodium_mg, fiber_g_known, sugar_g_known, saturated_fat_g_known,"
            " sodium_mg_known FROM read.daily_nutrition LIMIT 1"
        )
    rebuilt = rebuild(model, log)
    found = rebuilt.difference
    assert (found.different, found.only_rebuilt, found.only_live) == (changed, gone, 1)
    assert rebuilt.alarming
    assert {one["how"] for one in found.sample} <= {"different", "only rebuilt", "only live"}
    assert all(set(one["key"]) == {"household", "person", "day"} for one in found.sample)
    assert stored_rebuild(log, model)[4] == changed + gone + 1
    assert rows_of(log, model) == true
    assert not rebuild(model, log).alarming


def test_another_version_may_differ_without_alarm(log: EventStore) -> None:
    model = DailyNutrition()
    catch_up(model, log)
    forgetful = with_fold(model, lambda batch, fold: None, newer=1)
    rebuilt = rebuild(forgetful, log)
    assert (rebuilt.from_version, rebuilt.version) == (model.version, model.version + 1)
    assert rebuilt.difference.only_live > 0
    assert not rebuilt.alarming
    assert not rebuild(model, log).alarming
    forget(log, model)


def test_a_first_rebuild_has_nothing_to_compare_with_and_nothing_to_go_back_to(log: EventStore) -> None:
    model = DailyNutrition()
    forget(log, model)
    rebuilt = rebuild(model, log)
    assert (rebuilt.from_version, rebuilt.difference.differing, rebuilt.alarming) == (None, 0, False)
    with pytest.raises(Unavailable, match="nothing is kept of daily_nutrition"):
        undo_rebuild(model, log)


def test_live_rows_that_cannot_be_folded_any_more_are_replaced_and_the_reason_is_kept(
    log: EventStore, history: History
) -> None:
    model = DailyNutrition()
    catch_up(model, log)
    history.append_of(*model.listens_to)
    with log.database.transaction() as db:
        db.execute("ALTER TABLE read.daily_nutrition DROP COLUMN kcal")
    rebuilt = rebuild(model, log)
    assert rebuilt.alarming
    assert "UndefinedColumn" in rebuilt.difference.sample[0]["how"]
    assert catch_up(model, log).batches == 0


@EVERY
def test_a_rebuild_taken_back_gives_the_rows_from_before_and_the_fold_goes_on_from_there(
    log: EventStore, history: History, model: ReadModel
) -> None:
    catch_up(model, log)
    first = next(iter(model.tables))
    while not rows_of(log, model)[first]:  # a random week may be empty
        history.append_of(*model.listens_to)
        catch_up(model, log)
    with log.database.transaction() as db:
        db.execute(f"DELETE FROM read.{first}")
    before = rows_of(log, model)
    rebuild(model, log)
    rebuilt = rows_of(log, model)
    assert rebuilt != before
    position = undo_rebuild(model, log)
    assert rows_of(log, model) == before
    with log.database.transaction() as db:
        assert checkpoints(db)[model.name].position == position
    undo_rebuild(model, log)
    assert rows_of(log, model) == rebuilt
    history.append_of(*model.listens_to)
    catch_up(model, log)
    live = rows_of(log, model)
    assert not rebuild(model, log).alarming
    assert rows_of(log, model) == live


def test_what_another_version_left_is_not_put_back(log: EventStore) -> None:
    model = DailyNutrition()
    catch_up(model, log)
    newer = with_fold(model, lambda batch, fold: fold(batch), newer=1)
    rebuild(newer, log)
    with pytest.raises(Unavailable, match=f"is of version {model.version}, this program folds version {newer.version}"):
        undo_rebuild(newer, log)
    rebuild(model, log)


def test_a_program_that_goes_back_to_the_version_before_has_its_rows_at_once(log: EventStore, history: History) -> None:
    model = DailyNutrition()
    rebuild(model, log)
    newer = with_fold(model, lambda batch, fold: None, newer=1)
    catch_up(newer, log)
    assert rows_of(log, newer) == {"daily_nutrition": []}
    history.append_of(*model.listens_to)
    folded: list[int] = []
    watched = with_fold(model, lambda batch, fold: (folded.append(batch.after), fold(batch))[1])
    catch_up(watched, log)
    assert min(folded) > 0, "it went on from where its rows were kept"
    assert not rebuild(model, log).alarming


class Stop(Exception):
    """The process ends here."""


def test_a_rebuild_that_fails_at_the_exchange_leaves_rows_and_what_is_kept(log: EventStore) -> None:
    model = DailyNutrition()
    rebuild(model, log)
    rebuild(model, log)  # of which something is kept
    with log.database.transaction() as db:
        db.execute("UPDATE read.daily_nutrition SET kcal = 7")
    before = rows_of(log, model)

    def stops(batch: Batch, fold: object) -> None:
        raise Stop

    with pytest.raises(Stop):
        rebuild(with_fold(model, stops, newer=1), log)
    assert rows_of(log, model) == before
    undo_rebuild(model, log)
    assert rows_of(log, model) != before
    rebuild(model, log)
