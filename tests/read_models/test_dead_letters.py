"""Events that a consumer could not handle, and what became of them."""

from datetime import UTC

from meal_assets.contracts.system import (
    DeadLetterDiscarded,
    DeadLettered,
    DeadLetterHandled,
    DeadLetterRetried,
    DeadLetterWaiting,
)
from meal_assets.event_store import EventStore
from meal_assets.read_models import catch_up
from meal_assets.read_models.dead_letters import DeadLetters, open_letters, unsettled_letters

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
    append(
        store, like(DeadLettered), like(DeadLettered, consumer="fetch_recipes", position=3, attempts=5, message="no")
    )
    catch_up(DeadLetters(), store)
    with store.database.transaction() as db:
        assert open_letters(db) == [
            ("generate_plan", 7, "plan_request.PlanRequested", "Permanent: ada has no profile", 1),
            ("fetch_recipes", 3, "plan_request.PlanRequested", "Permanent: no", 5),
        ]


def test_a_retried_letter_is_not_open_and_opens_again_when_it_fails_again(store: EventStore) -> None:
    append(store, like(DeadLettered), RETRIED)
    assert letters(store) == ([], {7: ("retried", None)})
    append(store, like(DeadLettered, message="still no profile"))
    assert letters(store)[0] == [7]


def test_a_retried_letter_keeps_what_it_was_about(store: EventStore) -> None:
    append(store, like(DeadLettered), RETRIED)
    catch_up(DeadLetters(), store)
    with store.database.transaction() as db:
        row = db.execute("SELECT event_type, error_class, message, attempts FROM read.dead_letters").fetchone()
    assert row == ("plan_request.PlanRequested", "Permanent", "ada has no profile", 1)


def test_attempts_add_up_over_retries_and_the_first_time_stays_the_first(store: EventStore) -> None:
    times = [f"2026-11-23T1{n}:00:00Z" for n in range(4)]
    for first, last in (times[:2], times[2:]):
        append(store, like(DeadLettered, attempts=3, first_tried_at=first, last_tried_at=last), RETRIED)
    catch_up(DeadLetters(), store)
    with store.database.transaction() as db:
        (letter,) = unsettled_letters(db)
    assert (letter.state, letter.attempts) == ("retried", 6)
    assert [t and t.astimezone(UTC).hour for t in (letter.first_tried_at, letter.last_tried_at)] == [10, 13]


def test_a_letter_that_waits_names_what_it_waits_behind_as_of_now(store: EventStore) -> None:
    append(store, like(DeadLettered), like(DeadLetterWaiting), like(DeadLetterWaiting, position=9))
    catch_up(DeadLetters(), store)
    with store.database.transaction() as db:
        assert [(x.position, x.error) for x in unsettled_letters(db)][1:] == [
            (8, "waits behind 7"),
            (9, "waits behind 7"),
        ]
    append(store, RETRIED, like(DeadLetterHandled), like(DeadLettered, position=8))
    catch_up(DeadLetters(), store)
    with store.database.transaction() as db:
        assert [(x.position, x.state, x.behind) for x in unsettled_letters(db)] == [
            (8, "open", None),
            (9, "waiting", 8),
        ]


def test_a_discarded_letter_says_why(store: EventStore) -> None:
    append(store, like(DeadLettered), DeadLetterDiscarded(consumer="generate_plan", position=7, reason="asked anew"))
    assert letters(store) == ([], {7: ("discarded", "asked anew")})
