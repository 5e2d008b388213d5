"""Nobody falls behind in silence: how far, since when, when it last looked, and why it stopped."""

from datetime import UTC, datetime

import psycopg
import pytest

from meal_assets.consumers import Consumer, Said, consume
from meal_assets.contracts.diary import MealLogged
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.contracts.system import FlagSet
from meal_assets.errors import Transient, UnknownEvent
from meal_assets.event_store import Connection, EventStore, Recorded
from meal_assets.event_store.heartbeats import MAX_REASON, beat, heartbeats, note_stop, reason
from meal_assets.read_models import as_of, catch_up, rebuild
from meal_assets.read_models.daily_nutrition import DailyNutrition
from meal_assets.read_models.recipe_catalogue import RecipeCatalogue
from meal_assets.subscriptions import SUBSCRIBERS, Standing, fold_all, settle, standings
from tests.event_store.material import append_stored

from .conftest import rows_of, with_fold
from .said import append, like


def standing_of(store: EventStore, model: type) -> Standing:
    return next(s for s in standings(store) if s.subscriber is model)


def test_the_lag_counts_from_the_oldest_event_that_is_not_in(store: EventStore) -> None:
    append(store, like(MealLogged))
    catch_up(DailyNutrition(), store)
    append(store, like(RecipeFetched), like(MealLogged), like(MealLogged))
    (oldest,) = store.read(2, limit=1)
    stands = standing_of(store, DailyNutrition)
    assert (stands.position, stands.head, stands.lag, stands.behind) == (1, 4, 3, True)
    assert stands.waiting_since == oldest.recorded_at
    assert 0 < stands.lag_seconds <= (datetime.now(UTC) - oldest.recorded_at).total_seconds()
    catch_up(DailyNutrition(), store)
    stands = standing_of(store, DailyNutrition)
    assert (stands.lag, stands.lag_seconds, stands.waiting_since) == (0, 0.0, None)


def test_a_model_with_nothing_to_do_is_seen_to_look(store: EventStore) -> None:
    assert standing_of(store, DailyNutrition).looked_at is None
    before = datetime.now(UTC)
    fold_all(store)
    looked = standing_of(store, DailyNutrition).looked_at
    assert looked is not None
    assert looked > before
    with psycopg.connect(store.database.url, autocommit=True) as owner:
        owner.execute("UPDATE log.heartbeats SET looked_at = looked_at - interval '1 hour'")
        owner.execute("UPDATE log.checkpoints SET updated_at = updated_at - interval '1 hour'")
    fold_all(store)
    again = standing_of(store, DailyNutrition).looked_at
    assert again is not None
    assert again > looked


def test_a_clock_that_went_back_does_not_make_a_model_look_alive_for_as_long(store: EventStore) -> None:
    fold_all(store)
    with psycopg.connect(store.database.url, autocommit=True) as owner:
        owner.execute("UPDATE log.heartbeats SET looked_at = looked_at + interval '1 hour'")
        fold_all(store)
        query = "SELECT count(*) FROM log.heartbeats WHERE looked_at > clock_timestamp()"
        assert owner.execute(query).fetchone() == (0,)


def test_a_heartbeat_that_somebody_is_writing_is_not_waited_for(store: EventStore) -> None:
    with store.database.transaction() as db:
        beat(db, ["a"])
        db.execute("UPDATE log.heartbeats SET looked_at = looked_at - interval '1 hour'")
    with store.database.transaction() as writing, store.database.transaction() as db:
        note_stop(writing, "a", ValueError("no"))
        db.execute("SET LOCAL lock_timeout = '2s'")
        beat(db, ["a", "b"])
        assert set(heartbeats(db)) == {"a", "b"}


def test_an_event_newer_than_the_program_stops_the_model_before_any_row_is_written(store: EventStore) -> None:
    append(store, like(MealLogged, day="2026-11-22"))
    catch_up(DailyNutrition(), store)
    append(store, like(MealLogged, day="2026-11-23"))
    with store.database.transaction() as db:
        append_stored(db, "home/elsewhere", MealLogged.type_name, MealLogged.version + 1, MealLogged.examples[0])
    folded: list[object] = []
    watched = with_fold(DailyNutrition(), lambda batch, fold: (folded.append(batch), fold(batch))[1])
    before = rows_of(store, DailyNutrition())
    for attempt in (catch_up, rebuild):
        with pytest.raises(UnknownEvent, match=r"diary\.MealLogged version \d+, .* update it"):
            attempt(watched, store)
    with pytest.raises(UnknownEvent):
        as_of(watched, store, 3)
    assert folded == []
    assert rows_of(store, DailyNutrition()) == before
    assert "update it" in str(standing_of(store, DailyNutrition).stopped_because)
    assert list(as_of(DailyNutrition(), store, 2)["daily_nutrition"])


class Broken(Exception):
    """What keeps the fold where it is."""


def test_why_a_model_stopped_is_there_until_it_goes_on(store: EventStore) -> None:
    def breaks(batch: object, fold: object) -> None:
        raise Broken("no room\nDETAIL: Ada ate cake")

    append(store, like(MealLogged))
    broken = with_fold(DailyNutrition(), breaks)
    for _ in range(2):
        with pytest.raises(Broken):
            catch_up(broken, store)
    first = standing_of(store, DailyNutrition)
    assert first.stopped_because == "Broken: no room"
    assert first.stopped_at is not None
    assert first.looked_at is not None
    assert first.stopped_at < first.looked_at, "since the first time it stopped"
    catch_up(DailyNutrition(), store)
    mended = standing_of(store, DailyNutrition)
    assert (mended.stopped_at, mended.stopped_because) == (None, None)


def test_a_model_that_stops_while_it_is_rebuilt_says_so_too(store: EventStore) -> None:
    def breaks(batch: object, fold: object) -> None:
        raise Broken("half way")

    append(store, like(MealLogged))
    catch_up(DailyNutrition(), store)
    newer = with_fold(DailyNutrition(), breaks, newer=1)
    with pytest.raises(Broken):
        catch_up(newer, store)
    assert standing_of(store, DailyNutrition).stopped_because == "Broken: half way"
    catch_up(with_fold(DailyNutrition(), lambda batch, fold: fold(batch), newer=1), store)
    assert standing_of(store, DailyNutrition).stopped_because is None


def test_one_that_cannot_go_on_keeps_nobody_else(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def apply(self: object, db: Connection, recorded: Recorded) -> None:
        raise Broken("here")

    monkeypatch.setattr(DailyNutrition, "fold", lambda self, batch: apply(self, batch.db, batch.events[0]))
    append(store, like(MealLogged), like(RecipeFetched))
    assert [type(error) for error in fold_all(store)] == [Broken]
    assert standing_of(store, DailyNutrition).stopped_because == "Broken: here"
    catalogue = standing_of(store, RecipeCatalogue)
    assert (catalogue.behind, catalogue.stopped_because) == (False, None)


class Picky(Consumer):
    """Handles nothing."""

    listens_to = (MealLogged,)
    says = ()

    def handle(self, recorded: Recorded, log: EventStore) -> list[Said]:
        raise Transient("the kitchen is locked")


def test_a_consumer_tells_too_when_it_looked_since_when_it_cannot_go_on_and_why(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SUBSCRIBERS, "picky", Picky)
    append(store, like(MealLogged))
    for _ in range(2):
        consume(Picky(), store)
    first = standing_of(store, Picky)
    assert (first.behind, first.due) == (True, True)
    assert first.stopped_because == "Transient: the kitchen is locked"
    assert first.stopped_at is not None
    assert first.looked_at is not None
    assert first.stopped_at < first.looked_at
    monkeypatch.setattr(Picky, "handle", lambda self, recorded, log: [])
    consume(Picky(), store)
    mended = standing_of(store, Picky)
    assert (mended.behind, mended.stopped_at, mended.stopped_because) == (False, None, None)


def test_a_consumer_that_a_flag_keeps_says_so_and_has_no_work(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SUBSCRIBERS, "picky", Picky)
    append(store, like(MealLogged), FlagSet(flag="consumer.picky", value="off"))
    stands = standing_of(store, Picky)
    assert (stands.behind, stands.switch.mode, stands.due) == (True, "off", False)
    settle(store)
    assert standing_of(store, Picky).looked_at is not None


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("one\nrow (Ada, 62 kg)"), "ValueError: one"),
        (OSError("no postgresql://ada:secret@host/meals"), "OSError: no postgresql://ada:***@host/meals"),
        (ValueError("\x1b[31mred\x07"), "ValueError:  [31mred "),
        (ValueError(""), "ValueError: "),
    ],
)
def test_a_reason_is_one_line_without_rows_and_passwords(error: Exception, line: str) -> None:
    assert reason(error) == line


def test_a_reason_is_not_endless() -> None:
    assert len(reason(ValueError("x" * 10_000))) == MAX_REASON
