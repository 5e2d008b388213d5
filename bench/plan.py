"""The best week out of 200, 2,000 and 10,000 dishes: seconds until it is proven that none is better."""

import sys
import time
from datetime import date

from meal_assets.contracts.plan import PlanGenerated
from meal_assets.contracts.plan_request import PlanRules
from meal_assets.contracts.values import Macros
from meal_assets.domain.plan import Eater, plan_week

from .figures import Figure
from .library import library

MONDAY = date(2026, 11, 23)
SIZES = (200, 2_000, 10_000)
RULES = PlanRules(portion_min=0.5, portion_max=2.0, portion_step=0.5)
AIM_S = 3.0


def eater(name: str, kcal: float, protein: float = 0.25, carbs: float = 0.45) -> Eater:
    """With these parts of the energy from protein and carbohydrates, and the rest from fat."""
    fat = 1 - protein - carbs
    return Eater(name, Macros(kcal=kcal, protein_g=kcal * protein / 4, carbs_g=kcal * carbs / 4, fat_g=kcal * fat / 9))


def run() -> list[Figure]:
    figures = []
    for size in SIZES:
        dishes = library(size)
        began = time.perf_counter()
        plan = plan_week(MONDAY, [eater("ada", 2_000)], dishes, RULES)
        seconds = time.perf_counter() - began
        assert isinstance(plan, PlanGenerated), plan
        print(f"{size} dishes: {seconds:.2f} s, {plan.proof}", file=sys.stderr)
        holds = seconds <= AIM_S and plan.proof.gap == 0
        figures.append(Figure(f"plan, best of {size:,} dishes proven", seconds, "s", f"≤ {AIM_S:g} s, gap 0", holds))
    return figures
