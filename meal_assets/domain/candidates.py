"""The dishes a week may be made of, and what each costs by itself: the way from a library to a planner's problem.

Costs are on the planner's scale, where 1.0 is one percentage point by which one nutrient misses its target on one day.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import fmean
from typing import Final

from meal_assets.contracts.base import Event
from meal_assets.contracts.kitchen import IngredientsWeighed
from meal_assets.contracts.nutrition import RecipeNutritionComputed
from meal_assets.contracts.plan import PlanGenerated
from meal_assets.contracts.plan_request import LimitedNutrient, NutrientLimit, PlanRequested, PlanRules
from meal_assets.contracts.rating import RecipeRated
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.contracts.values import MEALS, Meal, Nutrients

from . import diary
from .at_hand import at_hand
from .diets import Look, cuisine_named
from .nutrition import LEAST_COVERAGE, believed
from .pantry import Lot
from .plan import ANEW, Dish, Eater, UnderWay
from .recipes import minutes
from .rest_of_day import meals_left
from .targets import Targets

NO_NUTRITION: Final = "no believable nutrition, published or computed"
LITTLE_UNDERSTOOD: Final = f"less than {LEAST_COVERAGE:.0%} of the ingredients understood"
ANOTHER_CUISINE: Final = "another cuisine"
LIMITED: Final[Mapping[LimitedNutrient, str]] = {
    "fiber_g": "fibre", "sugar_g": "sugar", "saturated_fat_g": "saturated fat", "sodium_mg": "sodium",
}  # fmt: skip
"""Nutrient -> its name in a sentence."""

MOST_STARS: Final = 5
ONE_STAR_COST: Final = 1.5
"""What a dish costs that everybody gave one star: less than a repeat (2), so that a favourite is not eaten all week."""
UNRATED_COST: Final = 0.6
"""What a dish costs that nobody rated, between three and four stars: new ones are tried before what is so-so."""
PANTRY_COST: Final = 1.0
"""What a dish costs more than one that is all made of what is at hand and goes off first, where the pantry is used."""
FIBRE_WEIGHT: Final = 0.5
"""What each percent costs by which a day misses the fibre of a goal: half as much as a macronutrient."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known at the position of a request. `targets` are of the persons it names, each with one."""

    targets: Mapping[str, Targets]
    recipes: Sequence[RecipeFetched]
    computed: Mapping[str, RecipeNutritionComputed] = field(default_factory=dict)
    """By recipe."""
    ratings: Sequence[RecipeRated] = ()
    """The last of each person for each recipe."""
    served: Mapping[str, frozenset[date]] = field(default_factory=dict)
    """Recipe -> days outside of the week."""
    lots: Sequence[Lot] = ()
    """What is at home."""
    weighed: Mapping[str, IngredientsWeighed] = field(default_factory=dict)
    """By recipe."""
    plan: PlanGenerated | None = None
    """Of the same week, the last one."""
    diaries: Mapping[str, Sequence[Event]] = field(default_factory=dict)
    """Of the day that the request begins on, by person."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What the planner is given: `rules` with what the persons want, and why recipes were left out -> how many."""

    week: date
    eaters: tuple[Eater, ...]
    dishes: tuple[Dish, ...]
    rules: PlanRules
    seed: int
    left_out: Mapping[str, int]
    excluded: Mapping[str, str]
    """Recipe that was left out -> why."""
    under_way: UnderWay = ANEW


def problem(request: PlanRequested, facts: Facts) -> Problem:
    """The planner's problem of a request, the same wherever the same is known."""
    rules = with_fibre(request.rules, facts.targets)
    words = {word: f"a word that {p} excludes" for p, t in facts.targets.items() for word in t.exclude}
    words |= {word: f"excluded word: {word}" for word in rules.exclude}
    diets = {diet: f"a diet that {p} keeps" for p, t in facts.targets.items() for diet in t.diets}
    diets |= {diet: f"not {diet}" for diet in rules.diets}
    looks, left_out = usable(facts.recipes, facts.computed, words, diets, rules)
    stars = _stars(facts.ratings, request.persons)
    dishes = tuple(_dish(look, facts, rules, stars, request.week) for look in looks)
    eaters = tuple(Eater(p, t.macros, t.exclude) for p, t in facts.targets.items())
    counts = dict(sorted(Counter(left_out.values()).items()))
    return Problem(request.week, eaters, dishes, rules, request.seed, counts, left_out, _under_way(request, facts))


def usable(
    recipes: Iterable[RecipeFetched],
    computed: Mapping[str, RecipeNutritionComputed],
    words: Mapping[str, str],
    diets: Mapping[str, str],
    rules: PlanRules | None = None,
) -> tuple[list[Look], dict[str, str]]:
    """The dishes with nutrition, without excluded words, that fit every diet and rule; and why each other was left out.

    `words` and `diets` come with what may be said of them: those of a person are their secret. `per_serving` of each
    is what is believed: as published, else as computed.
    """
    cuisines = None if rules is None or rules.cuisines is None else {cuisine_named(text) for text in rules.cuisines}
    limited = [] if rules is None else [limit.nutrient for limit in rules.limits if limit.weight is None]
    kept, left_out = [], {}
    for recipe in recipes:
        told = computed.get(recipe.recipe)
        holds = believed(recipe, told)
        if holds is None:
            tried = told is not None and told.content_hash == recipe.content_hash and told.per_serving is not None
            left_out[recipe.recipe] = LITTLE_UNDERSTOOD if tried else NO_NUTRITION
            continue
        look = Look(recipe.model_copy(update={"per_serving": holds}))
        if word := next((w for w in sorted(words) if look.carries(w)), None):
            left_out[recipe.recipe] = words[word]
        elif diet := next((d for d in sorted(diets) if look.unfit(d)), None):
            left_out[recipe.recipe] = diets[diet]
        elif cuisines is not None and cuisines.isdisjoint(look.cuisines):
            left_out[recipe.recipe] = ANOTHER_CUISINE
        elif unknown := next((n for n in limited if getattr(holds, n) is None), None):
            left_out[recipe.recipe] = f"{LIMITED[unknown]} not known"
        else:
            kept.append(look)
    return kept, left_out


def with_fibre(rules: PlanRules, targets: Mapping[str, Targets]) -> PlanRules:
    """The rules with the fibre of each person's goal as what their day should hold, where they say nothing of fibre."""
    if any(limit.nutrient == "fiber_g" for limit in rules.limits):
        return rules
    wanted = tuple(
        NutrientLimit(nutrient="fiber_g", least=t.fiber_g, person=p, weight=FIBRE_WEIGHT)
        for p, t in targets.items()
        if t.fiber_g
    )
    return rules.model_copy(update={"limits": (*rules.limits, *wanted)}) if wanted else rules


def liking(stars: Sequence[int]) -> float:
    """What a dish costs by the stars of its eaters: nothing with five, ONE_STAR_COST with one, a line between."""
    if not stars:
        return UNRATED_COST
    return ONE_STAR_COST * (MOST_STARS - fmean(stars)) / (MOST_STARS - 1)


def served_on(meals: Iterable[tuple[str, date]], week: date, cooldown_days: int) -> dict[str, frozenset[date]]:
    """Recipe -> the days on which it was or will be served, outside of a week and near enough to count."""
    first, last = week - timedelta(days=cooldown_days), week + timedelta(days=6 + cooldown_days)
    days: dict[str, set[date]] = {}
    for recipe, day in meals:
        if first <= day <= last and not 0 <= (day - week).days < 7:
            days.setdefault(recipe, set()).add(day)
    return {recipe: frozenset(found) for recipe, found in days.items()}


def _under_way(request: PlanRequested, facts: Facts) -> UnderWay:
    """What was planned, where that matters, and the meals of the first day that are over.

    A meal is over when anybody logged it or a later one. Who logged nothing on that day ate what was planned of them.
    """
    if facts.plan is None or request.since is None:
        return UnderWay(facts.plan, request.keep, request.since)
    logged = {person: diary.meals_eaten(facts.diaries.get(person, ())) for person in request.persons}
    anybody = frozenset[Meal]().union(*logged.values())
    over = [meal for meal in MEALS if anybody and meal not in meals_left(anybody)]
    serving = {r.recipe: believed(r, facts.computed.get(r.recipe)) for r in facts.recipes}
    eaten = {}
    for person in request.persons:
        had = [diary.nutrients(facts.diaries[person])] if facts.diaries.get(person) else []
        for meal in facts.plan.meals:
            if meal.day == request.since and meal.meal in over and not logged[person]:
                holds, portion = serving.get(meal.recipe), meal.portions.get(person)
                if holds is not None and portion:
                    had.append(holds * portion)
        if had:
            eaten[request.since, person] = Nutrients.total(had)
    done = frozenset((request.since, meal) for meal in over)
    return UnderWay(facts.plan, request.keep, request.since, eaten, done)


def _stars(ratings: Iterable[RecipeRated], persons: Sequence[str]) -> dict[str, list[int]]:
    stars: dict[str, list[int]] = {}
    for rated in ratings:
        if rated.person in persons:
            stars.setdefault(rated.recipe, []).append(rated.stars)
    return stars


def _dish(look: Look, facts: Facts, rules: PlanRules, stars: Mapping[str, Sequence[int]], week: date) -> Dish:
    recipe = look.recipe
    assert recipe.per_serving is not None
    cost = liking(stars.get(recipe.recipe, ())) if stars else 0.0
    if rules.use_pantry:
        cost += PANTRY_COST * (1 - at_hand(recipe, facts.weighed.get(recipe.recipe), facts.lots, week))
    return Dish(
        recipe.recipe,
        recipe.title,
        look.meals,
        recipe.per_serving,
        minutes(recipe),
        cost=round(cost, 6),
        protein=look.protein if rules.most_of_a_protein is not None else None,
        cuisine=next(iter(look.cuisines), None) if rules.most_of_a_cuisine is not None else None,
        served=facts.served.get(recipe.recipe, frozenset()),
    )
