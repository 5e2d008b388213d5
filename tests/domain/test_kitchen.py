"""From a plan to the kitchen: nothing lost, invented or added that cannot be; cooked in time, by one pair of hands."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meal_assets.contracts.kitchen import IngredientsWeighed, KnownFood, Wanted
from meal_assets.contracts.pantry import PantryItemStocked
from meal_assets.contracts.plan import PlannedMeal
from meal_assets.contracts.recipe import Ingredient, RecipeFetched
from meal_assets.domain.nutrition import FoodIndex, Measure, Reading, wanted_of
from meal_assets.domain.pantry import Lot, use, used
from meal_assets.domain.prep import Step, Times, batches, schedule
from meal_assets.domain.publication import MEAL_TIMES
from meal_assets.domain.shop import Shop, packed, to_buy
from meal_assets.domain.shopping import Serving, shopping_list
from meal_assets.errors import Invalid
from meal_assets.foods.shop import shop
from meal_assets.foods.starter import starter_foods

from .kitchen_laws import MONDAY, ZONE, kitchen_of, random_week, violations

FOODS = [
    KnownFood(
        food=str(n),
        description=f"Food {n}, raw",
        group=group,
        grams_per_ml=density,
        grams_per_piece=weight,
        packs_g=packs,
    )
    for n, (group, density, weight, packs) in enumerate(
        [
            ("Vegetables and Vegetable Products", 0.55, 61.0, ()),
            ("Dairy and Egg Products", 1.03, None, (250.0, 946.0)),
            ("Dairy and Egg Products", None, 50.0, ()),
            ("Cereal Grains and Pasta", 0.65, None, (340.0, 500.0, 1000.0)),
        ]
    )
]
NAMES = ["carrot", "carrots", "milk", "egg", "flour", "salt"]
Library = tuple[list[RecipeFetched], dict[str, IngredientsWeighed]]
EMPTY = Shop((), {}, {}, {})
amounts = st.one_of(st.none(), st.floats(min_value=0.01, max_value=2_000))


@st.composite
def wants(draw: st.DrawFn) -> Wanted:
    """A food or a name, in some unit, weighed or not."""
    unit = draw(st.sampled_from(["g", "ml", "piece", "clove", "can"]))
    quantity = draw(amounts)
    known = draw(st.booleans())
    weight = quantity if unit == "g" else draw(amounts) if known else None
    return Wanted(
        line=0,
        item=draw(st.sampled_from(NAMES)),
        food=draw(st.sampled_from([f.food for f in FOODS])) if known else None,
        quantity=quantity,
        unit="" if quantity is None else unit,
        grams=None if quantity is None else weight,
    )


@st.composite
def libraries(draw: st.DrawFn) -> Library:
    minutes = st.one_of(st.none(), st.integers(min_value=0, max_value=600))
    recipes, weighed = [], {}
    for n in range(draw(st.integers(min_value=1, max_value=5))):
        wanted = draw(st.lists(wants(), min_size=1, max_size=5))
        recipe = RecipeFetched(
            recipe=f"dish-{n}",
            title=draw(st.sampled_from(["Soup", "Stew", "Greek salad", "Pie"])),
            servings=draw(st.sampled_from([None, 1, 2, 4.5])),
            prep_minutes=draw(minutes),
            cook_minutes=draw(minutes),
            total_minutes=draw(minutes),
            ingredients=tuple(
                Ingredient(line="as written", food=w.item, quantity=w.quantity, unit=w.unit or None) for w in wanted
            ),
            content_hash="ab" * 32,
        )
        recipes.append(recipe)
        weighed[recipe.recipe] = IngredientsWeighed(
            recipe=recipe.recipe,
            content_hash=recipe.content_hash,
            as_of=1,
            food_set="cd" * 32,
            wanted=tuple(wanted),
            foods=tuple(FOODS),
        )
    return recipes, weighed


@settings(deadline=None)
@given(libraries(), st.integers(min_value=0, max_value=2**32))
def test_every_week_keeps_every_law(library: Library, seed: int) -> None:
    week = random_week(Random(seed), *library)
    assert violations(week, kitchen_of(week, shop()), shop()) == []


@given(
    st.floats(min_value=0.001, max_value=1e6),
    st.lists(st.floats(min_value=5, max_value=5_000), min_size=1, max_size=4, unique=True),
)
def test_packs_are_enough_and_one_of_the_smallest_less_would_not_be(need: float, sizes: list[float]) -> None:
    total = sum(size * count for size, count in packed(need, sizes))
    assert total >= need * (1 - 1e-6)
    assert total - min(sizes) < need + 0.01


@pytest.mark.parametrize(
    ("need", "sizes", "packs"),
    [
        (1_200, (500, 1_000), ((1_000, 1), (500, 1))),
        (400, (500, 1_000), ((500, 1),)),
        (2_000, (500, 1_000), ((1_000, 2),)),
        (7, (6, 12), ((12, 1),)),
        (13, (6, 12), ((12, 1), (6, 1))),
        (5, (), ()),
    ],
)
def test_the_least_is_left_over_then_the_fewest_packs(
    need: float, sizes: tuple[float, ...], packs: tuple[tuple[float, int], ...]
) -> None:
    assert packed(need, sizes) == packs


def line(name: str, quantity: float | None, unit: str = "", size: str = "") -> Reading:
    measures = () if quantity is None else (Measure(low=quantity, high=quantity, unit=unit),)
    return Reading(line=f"{quantity} {unit} {name}", measures=measures, names=(name,), size=size)


INDEX = FoodIndex(starter_foods().foods)


def needs(*lines: Reading) -> list[tuple[str, float | None, str]]:
    wanted, foods = wanted_of(lines, INDEX, {})
    weighed = IngredientsWeighed(
        recipe="dish", content_hash="ab" * 32, as_of=1, food_set="cd" * 32, wanted=wanted, foods=foods
    )
    return [(i.item, i.quantity, i.unit) for i in shopping_list([Serving("Dish", 1, 1, (), weighed)])]


@pytest.mark.parametrize(
    ("lines", "together"),
    [
        ([line("carrots", 2), line("carrot", 100, "g")], [("carrot", 222, "g")]),
        ([line("carrots", 2), line("carrot", 1)], [("carrot", 3, "piece")]),
        ([line("milk", 1, "cup"), line("whole milk", 100, "ml")], [("milk", 336.588, "ml")]),
        ([line("flour", 1, "cup"), line("all-purpose flour", 75, "g")], [("flour", 200, "g")]),
        ([line("eggs", 2), line("large egg", 1)], [("eggs", 3, "piece")]),
        (
            [line("dragon scales", 2), line("dragon scale", 10, "g")],
            [("dragon scale", 10, "g"), ("dragon scale", 2, "piece")],
        ),
        ([line("paprika", None), line("paprika", 1, "tsp")], [("paprika", None, ""), ("paprika", 2.3, "g")]),
        ([Reading(line="For the sauce:"), line("wooden skewers", 8)], []),
        ([Reading(line="what the garden gives")], [("what the garden gives", 1, "× as written")]),
    ],
)
def test_amounts_of_a_food_are_added_where_its_weights_are_known(
    lines: list[Reading], together: list[tuple[str, float | None, str]]
) -> None:
    near = [(item, quantity and pytest.approx(quantity, abs=0.5), unit) for item, quantity, unit in together]
    assert needs(*lines) == near


def test_a_food_that_is_only_like_another_is_not_bought_as_it() -> None:
    like = next((f, name) for f in starter_foods().foods for name in f.like)
    wanted, foods = wanted_of([line(like[1], 1)], INDEX, {})
    assert wanted[0].food is None
    assert foods == ()


def test_every_food_that_ships_has_an_aisle_of_the_walk() -> None:
    layout = shop()
    for food in starter_foods().foods:
        known = KnownFood(food=food.food, description=food.description, group=food.group)
        for name in food.names or (food.description,):
            assert layout.aisle_of(name, known) in layout.aisles, name
    assert {*layout.words.values(), *layout.groups.values()} <= set(layout.aisles)


@pytest.mark.parametrize(
    ("name", "aisle"),
    [
        ("olive oil", "oils and vinegars"),
        ("black olives", "tins and jars"),
        ("coconut milk", "tins and jars"),
        ("frozen peas", "frozen"),
        ("garlic powder", "spices"),
        ("soy sauce", "sauces and stock"),
        ("dragon scales", "other"),
    ],
)
def test_the_words_that_say_what_it_is_say_where_it_stands(name: str, aisle: str) -> None:
    assert shop().aisle_of(name, None) == aisle


def dish(day: int, meal: str, title: str = "Soup", servings: float = 2) -> PlannedMeal:
    return PlannedMeal.model_validate(
        {
            "day": MONDAY + timedelta(days=day),
            "meal": meal,
            "recipe": title.casefold().replace(" ", "-"),
            "title": title,
            "portions": {"ada": servings},
        }
    )


def test_what_keeps_is_cooked_once_for_three_days_and_what_is_best_fresh_each_time() -> None:
    meals = [dish(0, "dinner"), dish(2, "lunch"), dish(3, "dinner"), dish(4, "lunch")]
    assert [(b.day.day, b.meal, b.servings) for b in batches(meals)] == [(19, "dinner", 6), (23, "lunch", 2)]
    salads = [dish(0, "lunch", "Greek salad"), dish(1, "lunch", "Greek salad")]
    assert [b.servings for b in batches(salads)] == [2, 2]


def test_a_leftover_is_cooked_with_what_it_is_left_of_also_of_what_else_is_best_fresh() -> None:
    cooked = PlannedMeal(day=MONDAY, meal="dinner", recipe="salad", title="Green salad", portions={"ada": 1})
    again = cooked.model_copy(update={"day": MONDAY + timedelta(1), "meal": "lunch", "leftover_of": MONDAY})
    anew = cooked.model_copy(update={"day": MONDAY + timedelta(2)})
    assert [(b.day, b.servings) for b in batches([cooked, again, anew])] == [(MONDAY, 2), (MONDAY + timedelta(2), 1)]


def at(step: Step) -> tuple[str, str, str | None, str]:
    start, end = step.start and step.start.astimezone(ZONE), step.end.astimezone(ZONE)
    return step.kind, step.title, start and f"{start:%a %H:%M}", f"{end:%a %H:%M}"


def test_steps_count_back_from_the_meal_and_what_cooks_alone_runs_beside() -> None:
    meals = [dish(0, "dinner", "Roast"), dish(0, "snack", "Cake")]
    times = {"roast": Times(20, 180), "cake": Times(30, 40)}
    steps = schedule(batches(meals), times, MEAL_TIMES, ZONE)
    assert [at(s) for s in steps] == [
        ("prepare", "Cake", "Mon 14:20", "Mon 14:50"),
        ("cook", "Cake", "Mon 14:50", "Mon 15:30"),
        ("prepare", "Roast", "Mon 15:10", "Mon 15:30"),
        ("cook", "Roast", "Mon 15:30", "Mon 18:30"),
    ]
    assert steps[2].beside == ("Cake",)


def test_one_pair_of_hands_prepares_one_dish_after_the_other() -> None:
    at_once = {**MEAL_TIMES, "lunch": time(18, 30)}
    meals = [dish(0, "dinner"), dish(0, "lunch", "Pie")]
    steps = schedule(batches(meals), {"soup": Times(30), "pie": Times(20)}, at_once, ZONE)
    assert [at(s) for s in steps] == [
        ("prepare", "Pie", "Mon 17:40", "Mon 18:00"),
        ("prepare", "Soup", "Mon 18:00", "Mon 18:30"),
    ]


def test_minutes_are_counted_also_when_the_clocks_change() -> None:
    early = {**MEAL_TIMES, "breakfast": time(4)}
    (prepare, cook) = schedule(batches([dish(6, "breakfast")]), {"soup": Times(10, 120)}, early, ZONE)
    assert at(cook) == ("cook", "Soup", "Sun 02:00", "Sun 04:00")
    assert cook.start == datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
    assert prepare.end == cook.start


@pytest.mark.parametrize(
    ("times", "split"),
    [
        (Times(10, 20), (10, 20)),
        (Times(10, 20, 30), (10, 20)),
        (Times(10, 20, 90), (10, 80)),
        (Times(None, 20, 30), (10, 20)),
        (Times(10, None, 30), (10, 20)),
        (Times(None, None, 30), (30, 0)),
        (Times(20, 30, 10), (20, 30)),
        (Times(), None),
    ],
)
def test_what_is_no_preparing_goes_by_itself(times: Times, split: tuple[int, int] | None) -> None:
    assert times.split() == split


def test_a_dish_without_times_is_ready_by_its_meal_and_says_no_start() -> None:
    (step,) = schedule(batches([dish(0, "dinner")]), {}, MEAL_TIMES, ZONE)
    assert at(step) == ("prepare", "Soup", None, "Mon 18:30")


def served(item: str, grams: float, day: int = 0) -> Serving:
    ingredient = Ingredient(line="as written", food=item, quantity=grams, unit="g")
    return Serving("Soup", 1, 1, (ingredient,), None, "soup", MONDAY + timedelta(days=day))


def test_what_is_frozen_is_thawed_a_day_for_each_four_pounds() -> None:
    lot = Lot("salmon", "salmon", 3_700, "g", grams=3_700, frozen=True)
    bought = to_buy(shopping_list([served("salmon", 4_000)]), [lot], EMPTY)
    assert bought[0].missing == 300
    steps = schedule(batches([dish(0, "dinner")]), {"soup": Times(30)}, MEAL_TIMES, ZONE, bought[0].taken)
    assert at(steps[0]) == ("thaw", "salmon", "Fri 18:00", "Mon 18:00")


def test_what_is_off_before_it_is_cooked_is_bought() -> None:
    lots = [Lot("carrot", "carrots", 100, "g", expires=MONDAY), Lot("carrot", "carrots", 50, "g")]
    (line,) = to_buy(shopping_list([served("carrot", 200, day=1)]), lots, EMPTY)
    assert (line.missing, line.at_home) == (150, 50)


@given(
    st.lists(st.tuples(st.floats(min_value=0.1, max_value=100), st.one_of(st.none(), st.integers(0, 9))), max_size=6),
    st.floats(min_value=0, max_value=300),
)
def test_what_expires_first_is_used_first_and_no_more_than_there_is(
    stock: list[tuple[float, int | None]], quantity: float
) -> None:
    days = [None if n is None else MONDAY + timedelta(days=n) for _, n in stock]
    lots = [Lot("egg", "eggs", amount, "piece", expires=day) for (amount, _), day in zip(stock, days, strict=True)]
    left = used(lots, "piece", quantity)
    had, has = sum(x.quantity for x in lots), sum(x.quantity for x in left)
    assert has == pytest.approx(max(had - quantity, 0), abs=1e-5)
    kept = {x.expires or date.max for x in left}
    gone = [x.expires or date.max for x in lots if x not in left]
    assert not kept or all(day <= min(kept) for day in gone)
    assert used(lots, "g", quantity) == lots


def test_more_than_is_there_cannot_be_used_and_says_what_is() -> None:
    history = [PantryItemStocked(key="egg", item="eggs", quantity=6, unit="piece")]
    with pytest.raises(Invalid, match=r"7 pieces of eggs is more than is there: 6 pieces"):
        use(history, "egg", "eggs", (7, "piece"))
    with pytest.raises(Invalid, match="no milk"):
        use([], "milk", "milk", None)
    assert [e.model_dump(include={"quantity", "unit"}) for e in use(history, "egg", "eggs", None)] == [
        {"quantity": 6, "unit": "piece"}
    ]
