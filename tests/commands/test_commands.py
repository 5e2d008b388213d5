"""What people may ask for: read, decide, append; said twice, nothing new."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier, Lock

import pytest

from meal_assets.commands.base import MAX_DECISIONS, Accepted, command
from meal_assets.commands.body import record_weights
from meal_assets.commands.dead_letters import discard, retry
from meal_assets.commands.diary import close_day, correct_meal, log_meals, planned_meal, retract_meal
from meal_assets.commands.plan import request_plan
from meal_assets.commands.profile import persons_of, set_preferences, set_profile
from meal_assets.commands.recipes import request_recipes
from meal_assets.commands.shopping import tick
from meal_assets.contracts import Event
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.diary import MealLogged
from meal_assets.contracts.plan import PlanGenerated
from meal_assets.contracts.plan_request import PlanRules
from meal_assets.contracts.profile import GoalSet, PreferencesSet, ProfileSet
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.contracts.shopping import ItemTicked, ItemUnticked
from meal_assets.contracts.system import DeadLetterDiscarded, DeadLettered, DeadLetterRetried
from meal_assets.domain import diary
from meal_assets.errors import Invalid, StaleVersion
from meal_assets.event_store import Appended, Database, EventStore, Origin
from tests.event_store.material import PATIENCE
from tests.read_models.said import WEEK, append, like

DAY = date(2026, 11, 23)


def history(store: EventStore, stream: str) -> list[Event]:
    return [r.event for r in store.read_stream(stream)]


@pytest.mark.parametrize("kind", [ProfileSet, GoalSet, PreferencesSet])
def test_the_same_profile_goal_or_preferences_again_say_nothing(
    store: EventStore, origin: Origin, kind: type[ProfileSet | GoalSet | PreferencesSet]
) -> None:
    first = set_profile(store, like(kind), origin)
    again = set_profile(store, like(kind), origin)
    assert (first.events, again.events, again.position) == (1, 0, first.position)


def test_what_is_never_eaten_and_which_diets_are_kept_is_said_apart(store: EventStore, origin: Origin) -> None:
    set_preferences(store, "ada", origin, exclude=["peanut"])
    set_preferences(store, "ada", origin, diets=["vegan"])
    assert set_preferences(store, "ada", origin, diets=["vegan"]).events == 0
    assert history(store, f"{origin.household}/profile/ada")[-1] == PreferencesSet(
        person="ada", exclude=("peanut",), diets=("vegan",)
    )
    set_preferences(store, "ada", origin, exclude=[])
    assert history(store, f"{origin.household}/profile/ada")[-1] == PreferencesSet(person="ada", diets=("vegan",))
    with pytest.raises(Invalid, match="'carnivore' is none of vegetarian, vegan"):
        set_preferences(store, "ada", origin, diets=["carnivore"])


def test_what_was_said_before_the_last_is_said_again(store: EventStore, origin: Origin) -> None:
    for weight in (64, 65, 64):
        assert set_profile(store, like(ProfileSet, weight_kg=weight), origin).events == 1


def test_a_goal_in_between_does_not_make_an_equal_profile_new(store: EventStore, origin: Origin) -> None:
    set_profile(store, like(ProfileSet), origin)
    set_profile(store, like(GoalSet), origin)
    assert set_profile(store, like(ProfileSet), origin).events == 0


def test_the_household_is_everybody_with_a_profile_or_a_goal(store: EventStore, origin: Origin) -> None:
    set_profile(store, like(ProfileSet, person="cem"), origin)
    set_profile(store, like(GoalSet, person="ada"), origin)
    set_profile(store, like(PreferencesSet, person="dog"), origin)
    set_profile(store, like(ProfileSet, person="eve"), Origin("next-door", "test"))
    assert persons_of(store, "home") == ["ada", "cem"]
    request_plan(store, WEEK, origin, rules=PlanRules())
    (request,) = history(store, "home/plan/2026-11-23")
    assert request.persons == ("ada", "cem")  # type: ignore[attr-defined]  # it is a PlanRequested


class Meeting(EventStore):
    """A log whose first append waits until the other side is about to append too."""

    def __init__(self, database: Database, barrier: Barrier) -> None:
        super().__init__(database)
        self.barrier = barrier
        self.appends = 0

    def append(self, stream: str, events: Sequence[Event], **how: object) -> Appended:
        self.appends += 1
        if self.appends == 1:
            self.barrier.wait(PATIENCE)
        return super().append(stream, events, **how)  # type: ignore[arg-type]  # handed on as they came


def test_two_who_log_different_meals_of_a_day_at_the_same_moment_are_both_in_the_diary(store: EventStore) -> None:
    barrier = Barrier(2)

    def log(entry: str) -> tuple[Accepted, int]:
        meeting = Meeting(store.database, barrier)
        meal = like(MealLogged, entry=entry)
        return log_meals(meeting, "ada", DAY, [meal], Origin("home", entry)), meeting.appends

    with ThreadPoolExecutor(2) as pool:
        (one, tries), (other, more_tries) = pool.map(log, ["a", "b"])
    assert (one.events, other.events) == (1, 1)
    assert sorted([tries, more_tries]) == [1, 2]
    assert sorted(diary.entries(history(store, "home/diary/ada/2026-11-23"))) == ["a", "b"]


def test_two_who_log_the_same_meal_at_the_same_moment_log_it_once(store: EventStore) -> None:
    barrier = Barrier(2)

    def log(who: str) -> int:
        meeting = Meeting(store.database, barrier)
        return log_meals(meeting, "ada", DAY, [like(MealLogged)], Origin("home", who)).events

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(log, ["ada", "ben"])) == [0, 1]
    assert len(history(store, "home/diary/ada/2026-11-23")) == 1


def test_one_who_is_always_too_late_gives_up_after_a_while(store: EventStore, origin: Origin) -> None:
    decided = 0

    def decide(history: list[Event]) -> list[Event]:
        nonlocal decided
        decided += 1
        append(store, ItemTicked(week=WEEK, item=f"somebody else's {decided}"))
        return [ItemTicked(week=WEEK, item="mine")]

    with pytest.raises(StaleVersion):
        command(store, "home/shopping/2026-11-23", decide, origin)
    assert decided == MAX_DECISIONS


def test_a_receipt_names_the_command_and_where_it_stands(store: EventStore, origin: Origin) -> None:
    receipt = log_meals(store, "ada", DAY, [like(MealLogged)], origin, close=True)
    assert (receipt.correlation_id, receipt.events, receipt.position) == (origin.correlation_id, 2, store.head())


def test_a_diary_is_logged_corrected_retracted_and_closed(store: EventStore, origin: Origin) -> None:
    log_meals(store, "ada", DAY, [like(MealLogged, entry="a"), like(MealLogged, entry="b")], origin)
    half = like(MealLogged).nutrition * 0.5
    assert correct_meal(store, "ada", DAY, "a", half, origin).events == 1
    assert retract_meal(store, "ada", DAY, "b", origin).events == 1
    assert retract_meal(store, "ada", DAY, "b", origin).events == 0
    assert close_day(store, "ada", DAY, origin).events == 1
    assert close_day(store, "ada", DAY, origin).events == 0
    assert diary.entries(history(store, "home/diary/ada/2026-11-23")) == {"a": half}
    with pytest.raises(Invalid, match="c is not in this day's diary"):
        retract_meal(store, "ada", DAY, "c", origin)


def plan(store: EventStore) -> None:
    append(store, like(PlanGenerated), RecipeFetched.model_validate(RecipeFetched.examples[1]))


@pytest.mark.parametrize(("servings", "kcal"), [(None, 450), (2, 600)])
def test_the_planned_meal_holds_the_planned_portion_or_what_was_really_eaten(
    store: EventStore, servings: float | None, kcal: float
) -> None:
    plan(store)
    meal = planned_meal(store, "home", "ada", DAY, "dinner", servings)
    assert (meal.food, meal.recipe, meal.servings, meal.source) == (
        "Lentil soup",
        "lentil-soup",
        servings or 1.5,
        "plan",
    )
    assert meal.nutrition.kcal == pytest.approx(kcal)


def test_the_planned_meal_is_that_of_the_newest_plan(store: EventStore) -> None:
    plan(store)
    dish, *_ = PlanGenerated.examples[0]["meals"]
    append(store, like(PlanGenerated, meals=[{**dish, "portions": {"ada": 1}}]))
    assert planned_meal(store, "home", "ada", DAY, "dinner").servings == pytest.approx(1)
    with pytest.raises(Invalid, match="no dinner is planned for ben"):
        planned_meal(store, "home", "ben", DAY, "dinner")


@pytest.mark.parametrize(
    ("person", "day", "meal"),
    [
        ("ada", DAY, "lunch"),
        ("eve", DAY, "dinner"),
        ("ada", date(2026, 11, 24), "dinner"),
        ("ada", date(2026, 12, 1), "dinner"),
    ],
    ids=["another meal", "another person", "another day", "a week without a plan"],
)
def test_what_is_not_planned_cannot_be_eaten_as_planned(store: EventStore, person: str, day: date, meal: str) -> None:
    plan(store)
    with pytest.raises(Invalid, match=f"no {meal} is planned for {person} on {day}"):
        planned_meal(store, "home", person, day, meal)


@pytest.mark.parametrize("fetched", [True, False], ids=["no nutrition", "never fetched"])
def test_a_planned_dish_of_unknown_nutrition_must_be_told_by_hand(store: EventStore, fetched: bool) -> None:
    append(store, like(PlanGenerated))
    if fetched:
        append(store, like(RecipeFetched, recipe="lentil-soup", per_serving=None))
    with pytest.raises(Invalid, match="what Lentil soup holds is not known"):
        planned_meal(store, "home", "ada", DAY, "dinner")


def test_an_item_is_ticked_and_put_back_and_said_twice_says_nothing(store: EventStore, origin: Origin) -> None:
    said = [tick(store, WEEK, "milk", origin, done=done).events for done in (False, True, True, False, False, True)]
    assert said == [0, 1, 0, 1, 0, 1]
    tick(store, WEEK, "salt", origin)
    assert [(type(e), e.item) for e in history(store, "home/shopping/2026-11-23")] == [  # type: ignore[attr-defined]  # of ticks
        (ItemTicked, "milk"),
        (ItemUnticked, "milk"),
        (ItemTicked, "milk"),
        (ItemTicked, "salt"),
    ]


LETTERS = "home/dead_letter/generate_plan/7"


def test_an_open_dead_letter_is_retried_or_discarded_once(store: EventStore, origin: Origin) -> None:
    append(store, like(DeadLettered))
    retry(store, "generate_plan", 7, origin)
    for decide in (
        lambda: retry(store, "generate_plan", 7, origin),
        lambda: discard(store, "generate_plan", 7, "no", origin),
    ):
        with pytest.raises(Invalid, match="generate_plan has no open dead letter at 7"):
            decide()
    append(store, like(DeadLettered))
    discard(store, "generate_plan", 7, "asked anew", origin)
    assert [type(e) for e in history(store, LETTERS)] == [
        DeadLettered, DeadLetterRetried, DeadLettered, DeadLetterDiscarded,
    ]  # fmt: skip


@pytest.mark.parametrize(("consumer", "position"), [("generate_plan", 8), ("fetch_recipes", 7), ("nobody", 1)])
def test_what_is_no_dead_letter_is_refused(store: EventStore, origin: Origin, consumer: str, position: int) -> None:
    append(store, like(DeadLettered))
    with pytest.raises(Invalid, match="no open dead letter") as refused:
        retry(store, consumer, position, origin)
    assert refused.value.field == "position"
    assert store.head() == 1


def test_of_the_weigh_ins_of_a_day_the_last_is_recorded_and_known_ones_say_nothing(
    store: EventStore, origin: Origin
) -> None:
    weights = [WeightRecorded(person="ada", day=DAY, weight_kg=kg) for kg in (64, 65)]
    assert record_weights(store, "ada", weights, origin).events == 1
    assert record_weights(store, "ada", weights, origin).events == 0
    assert history(store, "home/body/ada") == weights[1:]


def test_the_same_file_asked_for_by_several_at_the_same_moment_is_asked_for_once(store: EventStore) -> None:
    barrier, receipts, lock = Barrier(2), [], Lock()

    def ask(who: str) -> None:
        receipt = request_recipes(Meeting(store.database, barrier), "recipes", b"[]", Origin("home", who))
        with lock:
            receipts.append(receipt)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(ask, ["ada", "ben"]))
    assert store.head() == 1
    assert {r.position for r in receipts} == {1}
