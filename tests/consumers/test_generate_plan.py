"""From a request to a week of meals, over the dishes that ship with the product."""

from collections.abc import Iterator
from datetime import date

import pytest

from meal_assets.commands.dead_letters import retry
from meal_assets.commands.plan import request_plan
from meal_assets.commands.profile import set_profile
from meal_assets.commands.recipes import request_recipes
from meal_assets.consumers import consume
from meal_assets.consumers.fetch_recipes import FetchRecipes
from meal_assets.consumers.generate_plan import GeneratePlan
from meal_assets.contracts.plan import PlanGenerated
from meal_assets.contracts.plan_request import PlanRequested, PlanRules
from meal_assets.contracts.profile import GoalSet, PreferencesSet
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.contracts.system import DeadLettered
from meal_assets.contracts.values import MACROS
from meal_assets.domain.recipes import carries_word
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Origin
from meal_assets.starter import library
from tests.event_store.material import shared_store

pytestmark = pytest.mark.slow

WEEK = date(2026, 11, 23)
RULES = PlanRules(meals=("breakfast", "lunch", "dinner"), exclude=("tofu",))
NEVER = ("peanut", "salmon")
GOALS = [
    GoalSet(person="ada", kcal=2000, protein_g=130, carbs_g=210, fat_g=70),
    GoalSet(person="ben", kcal=2600, protein_g=150, carbs_g=300, fat_g=88),
]


@pytest.fixture(scope="module")
def planned(server_url: str) -> Iterator[EventStore]:
    """A household of two with the starter library, an excluded word each way, and the week they asked for."""
    with shared_store(server_url, "generate_plan") as store:
        home = Origin("home", "test")
        request_recipes(store, "starter", library().read_bytes(), home)
        consume(FetchRecipes(), store)
        for goal in GOALS:
            set_profile(store, goal, home)
        set_profile(store, PreferencesSet(person="ben", exclude=NEVER), home)
        request_plan(store, WEEK, Origin("home", "test"), rules=RULES)
        assert consume(GeneratePlan(), store).handled == 1
        yield store


def plan_in(store: EventStore) -> PlanGenerated:
    (plan,) = [r.event for r in store.read_stream("home/plan/2026-11-23") if isinstance(r.event, PlanGenerated)]
    return plan


def test_everybody_of_the_household_gets_every_meal_of_the_week(planned: EventStore) -> None:
    plan = plan_in(planned)
    assert len(plan.meals) == 7 * len(RULES.meals)
    assert all(set(meal.portions) == {"ada", "ben"} for meal in plan.meals)
    assert len(plan.days) == 14


def test_each_day_of_each_person_is_within_the_tolerances_summed_up_from_the_recipes(planned: EventStore) -> None:
    plan = plan_in(planned)
    recipes = {
        r.event.recipe: r.event.per_serving
        for r in planned.read(types=[RecipeFetched])
        if isinstance(r.event, RecipeFetched)
    }
    for goal in GOALS:
        for day in {meal.day for meal in plan.meals}:
            dishes = [(recipes[m.recipe], m.portions[goal.person]) for m in plan.meals if m.day == day]
            for name in MACROS:
                eaten = sum(getattr(dish, name) * portion for dish, portion in dishes)
                wanted = getattr(goal, name)
                tolerance = RULES.kcal_tolerance_pct if name == "kcal" else RULES.macro_tolerance_pct
                assert eaten == pytest.approx(wanted, rel=tolerance / 100 + 1e-6), (goal.person, day, name)


def test_no_dish_carries_a_word_that_the_request_or_any_person_excludes(planned: EventStore) -> None:
    recipes = [r.event for r in planned.read(types=[RecipeFetched]) if isinstance(r.event, RecipeFetched)]
    chosen = {meal.recipe for meal in plan_in(planned).meals}
    never = {r.recipe for r in recipes for word in (*NEVER, *RULES.exclude) if carries_word(r, word)}
    assert never
    assert not chosen & never
    assert sum(plan_in(planned).left_out.values()) >= len(never)


def test_the_plan_follows_from_its_request(planned: EventStore) -> None:
    request, *_ = planned.read(types=[PlanRequested])
    plan, *_ = planned.read(types=[PlanGenerated])
    assert (plan.causation_id, plan.correlation_id) == (request.event_id, request.correlation_id)
    assert plan_in(planned).library_position == request.position


def test_the_same_request_on_a_copy_of_the_log_gives_the_same_plan(planned: EventStore, store: EventStore) -> None:
    request = planned.read(types=[PlanRequested])[0].position
    with store.database.transaction() as db:
        for recorded in planned.read(until=request):
            store.append(recorded.stream, [recorded.event], origin=Origin("home", "test"), within=db)
    consume(GeneratePlan(), store)
    assert plan_in(store) == plan_in(planned)


def test_a_person_without_a_profile_is_a_dead_letter_that_says_what_to_do(store: EventStore, origin: Origin) -> None:
    request_plan(store, WEEK, origin, persons=["eve"], rules=RULES)
    assert consume(GeneratePlan(), store).set_aside == 1
    (letter,) = store.read(types=[DeadLettered])
    assert isinstance(letter.event, DeadLettered)
    assert "eve has neither a profile nor a goal" in letter.event.error
    assert "meals profile eve" in letter.event.error


def test_the_dead_letter_retried_after_the_profile_was_set_is_planned(planned: EventStore) -> None:
    home = Origin("home", "test")
    asked = request_plan(planned, date(2026, 12, 7), home, persons=["fay"], rules=RULES)
    assert consume(GeneratePlan(), planned).set_aside == 1
    set_profile(planned, GOALS[0].model_copy(update={"person": "fay"}), home)
    again = retry(planned, "generate_plan", asked.position, home)
    assert consume(GeneratePlan(), planned).handled == 1
    plan = planned.read_stream("home/plan/2026-12-07")[-1].event
    assert isinstance(plan, PlanGenerated)
    assert plan.library_position == again.position


def test_a_household_without_anybody_cannot_ask_for_a_plan(store: EventStore, origin: Origin) -> None:
    with pytest.raises(Invalid, match="nobody has a profile yet"):
        request_plan(store, WEEK, origin, rules=RULES)
    assert store.head() == 0
