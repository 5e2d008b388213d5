"""Weeks that might have been: the problem of a planned week with another rule. Nothing is said in the log."""

from dataclasses import dataclass
from datetime import date

from meal_assets.contracts.plan import PlanGenerated, PlannedMeal
from meal_assets.contracts.plan_request import Lock, PlanRules
from meal_assets.contracts.values import Meal
from meal_assets.domain.asked import newest_plan
from meal_assets.domain.candidates import Problem
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Recorded

from .problem import problem_of


@dataclass(frozen=True, slots=True)
class Asked:
    """A planned week with the problem it solves."""

    request: Recorded
    plan: PlanGenerated
    problem: Problem

    def at(self, day: date, meal: Meal) -> PlannedMeal:
        """What is planned for a meal. Raises `Invalid` where nothing is."""
        found = next((m for m in self.plan.meals if (m.day, m.meal) == (day, meal)), None)
        if found is None:
            raise Invalid("meal", f"nothing is planned for {meal} on {day:%A}: `meals week {day}` shows what is")
        return found

    def without(self, meal: PlannedMeal) -> PlanRules:
        """The rules, and that this dish is not served at this meal."""
        ban = Lock(day=meal.day, meal=meal.meal, recipe=meal.recipe)
        locks = tuple(lock for lock in self.problem.rules.locks if lock != ban)
        return self.problem.rules.model_copy(update={"bans": (*self.problem.rules.bans, ban), "locks": locks})

    def with_dish(self, day: date, meal: Meal, recipe: str) -> PlanRules:
        """The rules, and that this dish is served at this meal. Raises `Invalid` where it cannot be."""
        if recipe in self.problem.excluded:
            raise Invalid("recipe", f"{recipe} was left out: {self.problem.excluded[recipe]}")
        if not any(d.recipe == recipe for d in self.problem.dishes):
            raise Invalid("recipe", f"there was no recipe {recipe} when the week was planned")
        lock = Lock(day=day, meal=meal, recipe=recipe)
        others = tuple(one for one in self.problem.rules.locks if (one.day, one.meal) != (day, meal))
        return self.problem.rules.model_copy(update={"locks": (*others, lock)})


def asked(log: EventStore, household: str, week: date) -> Asked:
    """The newest plan of a week with its problem. Raises `Invalid` where there is none."""
    request, _, plan = newest_plan(log.read_stream(f"{household}/plan/{week}"), week)
    return Asked(request, plan, problem_of(request, log))
