"""Events that a consumer could not handle, and what became of them."""

from meal_assets.contracts.system import DeadLetterDiscarded, DeadLettered, DeadLetterRetried
from meal_assets.event_store import EventStore
from meal_assets.read_models import catch_up
from meal_assets.read_models.dead_letters import DeadLetters, open_letters

from .said import append, like

RETRIED = DeadLetterRetried(consumer="generate_plan", position=7)


def letters(store: EventStore) -> tuple[list[int], dict[int, tuple[str, str | None]]]:
    """Positions of the open ones; position -> (state, reason) of all."""
    catch_up(DeadLetters(), store)
    with store.database.transaction() as db:
        rows = db.execute("SELECT position, state, reason FROM read.dead_letters").fetchall()
        return [position for _, position, *_ in open_letters(db)], {p: (s, r) for p, s, r in rows}


def test_before_anything_was_folded_no_letter_is_open(store: EventStore) -> None:
    with store.database.transaction() as db:
        assert open_letters(db) == []


def test_a_letter_is_open_with_its_error_and_attempts(store: EventStore) -> None:
    append(store, like(DeadLettered), like(DeadLettered, consumer="fetch_recipes", position=3, attempts=5, error="no"))
    catch_up(DeadLetters(), store)
    with store.database.transaction() as db:
        assert open_letters(db) == [
            ("generate_plan", 7, "plan_request.PlanRequested", "Permanent: ada has no profile", 1),
            ("fetch_recipes", 3, "plan_request.PlanRequested", "no", 5),
        ]


def test_a_retried_letter_is_not_open_and_opens_again_when_it_fails_again(store: EventStore) -> None:
    append(store, like(DeadLettered), RETRIED)
    assert letters(store) == ([], {7: ("retried", None)})
    append(store, like(DeadLettered, error="still no profile"))
    assert letters(store)[0] == [7]


def test_a_retried_letter_keeps_what_it_was_about(store: EventStore) -> None:
    append(store, like(DeadLettered), RETRIED)
    catch_up(DeadLetters(), store)
    with store.database.transaction() as db:
        row = db.execute("SELECT event_type, error, attempts FROM read.dead_letters").fetchone()
    assert row == ("plan_request.PlanRequested", "Permanent: ada has no profile", 1)


def test_a_discarded_letter_says_why(store: EventStore) -> None:
    append(store, like(DeadLettered), DeadLetterDiscarded(consumer="generate_plan", position=7, reason="asked anew"))
    assert letters(store) == ([], {7: ("discarded", "asked anew")})
