"""The dish and portion that bring the rest of a day nearest to its target."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meal_assets.contracts.values import MACROS, Macros, Nutrients
from meal_assets.domain.rest_of_day import LEAST_HELP, PORTIONS, Dish, choices, meals_left, missed, share_of

TARGET = Macros(kcal=2000, protein_g=130, carbs_g=210, fat_g=70)
EATEN = Macros(kcal=1300, protein_g=80, carbs_g=140, fat_g=45)


def dish(name: str, kcal: float, protein_g: float, carbs_g: float, fat_g: float, cost: float = 0) -> Dish:
    return Dish(name, name.title(), Nutrients(kcal=kcal, protein_g=protein_g, carbs_g=carbs_g, fat_g=fat_g), cost)


EXACT = dish("exact", 700, 50, 70, 25)
SMALL = dish("small", 350, 25, 35, 12.5)
FATTY = dish("fatty", 700, 20, 20, 60)


def test_the_dish_that_fills_the_day_comes_first_in_the_portion_that_does() -> None:
    first, second, *_ = choices(EATEN, TARGET, [FATTY, SMALL, EXACT])
    assert (first.dish.recipe, first.servings, first.cost, first.closes) == ("exact", 1, 0, 1)
    assert (second.dish.recipe, second.servings) == ("small", 2)


def test_a_dish_that_is_liked_less_stands_behind_one_as_good() -> None:
    twin = dish("a-twin", 700, 50, 70, 25, cost=1.5)
    assert [c.dish.recipe for c in choices(EATEN, TARGET, [twin, EXACT])] == ["exact", "a-twin"]


def test_where_all_was_eaten_or_nothing_helps_nothing_is_said() -> None:
    assert choices(TARGET, TARGET, [EXACT, SMALL]) == []
    assert choices(Macros(**{n: 1.3 * v for n, v in TARGET}), TARGET, [EXACT, SMALL]) == []
    assert choices(EATEN, TARGET, []) == []


def test_a_meal_takes_its_share_of_what_is_left() -> None:
    (best, *_) = choices(EATEN, TARGET, [EXACT], share=0.5)
    assert best.servings == 0.5


@pytest.mark.parametrize(
    ("logged", "left"),
    [
        ((), ("breakfast", "lunch", "dinner", "snack")),
        (("breakfast",), ("lunch", "dinner", "snack")),
        (("lunch", "snack"), ("dinner",)),
        (("snack",), ("breakfast", "lunch", "dinner")),
        (("dinner",), ("snack",)),
        (("dinner", "snack"), ()),
    ],
)
def test_the_meals_that_are_left(logged: tuple, left: tuple) -> None:
    assert meals_left(logged) == left


def test_shares_of_what_is_left_add_up() -> None:
    left = meals_left(("breakfast",))
    assert sum(share_of(meal, left) for meal in left) == pytest.approx(1)
    assert share_of("dinner", ("dinner",)) == 1
    assert share_of("dinner", ()) == 1


def plus(eaten: Macros, dish: Dish, servings: float) -> Macros:
    return Macros(**{n: getattr(eaten, n) + servings * getattr(dish.per_serving, n) for n in MACROS})


def test_what_a_day_misses_is_counted_beyond_two_percent_of_each_target() -> None:
    assert missed(TARGET, TARGET) == 0
    day = Macros(kcal=2000 * 1.02, protein_g=130 * 0.9, carbs_g=210 * 1.05, fat_g=70)
    assert missed(day, TARGET) == pytest.approx(8 + 3)


amounts = st.builds(
    lambda kcal, protein, carbs, fat: Macros(kcal=kcal, protein_g=protein, carbs_g=carbs, fat_g=fat),
    st.floats(0, 3000), st.floats(0, 200), st.floats(0, 300), st.floats(0, 120),
)  # fmt: skip
dishes = st.lists(amounts, max_size=6).map(
    lambda found: [Dish(f"d{n}", "D", Nutrients(**dict(each))) for n, each in enumerate(found)]
)


@given(amounts, dishes)
def test_no_other_dish_or_portion_leaves_less_by_the_objective_of_the_planner(eaten: Macros, found: list[Dish]) -> None:
    after = {
        (d.recipe, p): missed(plus(eaten, d, p), TARGET) + max(0, p - 1.5) + max(0, 0.5 - p)
        for d, p in product(found, PORTIONS)
    }
    chosen = choices(eaten, TARGET, found)
    if not chosen:
        assert all(cost > (1 - LEAST_HELP) * missed(eaten, TARGET) - 1e-6 for cost in after.values())
        return
    assert chosen[0].cost == pytest.approx(min(after.values()), abs=1e-5)
    assert after[chosen[0].dish.recipe, chosen[0].servings] == pytest.approx(chosen[0].cost, abs=1e-5)
    assert [c.cost for c in chosen] == sorted(c.cost for c in chosen)
