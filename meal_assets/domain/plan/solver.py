"""HiGHS behind the few calls the planner needs; limited by nodes, never by the clock: a plan can be made again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

INFINITY = float("inf")
RANDOM_SEED = 1


@dataclass(frozen=True, slots=True)
class Solution:
    """What a solve gave; `bound` holds whether or not `values` is optimal. `values` is empty when nothing was found."""

    infeasible: bool
    objective: float
    bound: float
    values: list[float]
    duals: list[float]


@dataclass(slots=True)
class Program:
    """A mixed-integer linear program to be minimised, built column by column and row by row."""

    cost: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    integer: list[bool] = field(default_factory=list)
    row_lower: list[float] = field(default_factory=list)
    row_upper: list[float] = field(default_factory=list)
    starts: list[int] = field(default_factory=lambda: [0])
    indices: list[int] = field(default_factory=list)
    coefficients: list[float] = field(default_factory=list)

    def column(self, cost: float = 0.0, lower: float = 0.0, upper: float = INFINITY, integer: bool = False) -> int:
        """Add a variable and return its index."""
        self.cost.append(cost)
        self.lower.append(lower)
        self.upper.append(upper)
        self.integer.append(integer)
        return len(self.cost) - 1

    def row(self, terms: Mapping[int, float], lower: float = -INFINITY, upper: float = INFINITY) -> int:
        """Add lower <= sum of coefficient * variable <= upper and return its index."""
        self.indices.extend(terms)
        self.coefficients.extend(terms.values())
        self.starts.append(len(self.indices))
        self.row_lower.append(lower)
        self.row_upper.append(upper)
        return len(self.row_lower) - 1


@dataclass(slots=True)
class Solver:
    """Solves programs and counts them."""

    solves: int = 0

    @property
    def name(self) -> str:
        """The solver and its version."""
        highs = _quiet_highs()
        return f"HiGHS {highs.version()}"

    def minimise(
        self, program: Program, *, nodes: int | None = None, relax: bool = False, absolute_gap: float = 1e-6
    ) -> Solution:
        """Solve as a MIP with at most `nodes` branches, or its linear relaxation with duals."""
        self.solves += 1
        highs = _quiet_highs()
        highs.setOptionValue("mip_rel_gap", 0.0)
        highs.setOptionValue("mip_abs_gap", absolute_gap)
        if nodes is not None:
            highs.setOptionValue("mip_max_nodes", nodes)
        highs.passModel(_as_lp(program, relax))
        highs.run()
        return _solution(highs, relax)


def _quiet_highs() -> Any:
    from highspy._core import _Highs

    highs = _Highs()  # highspy.Highs() prints a banner on stdout whatever its options say
    for option, value in (("output_flag", False), ("threads", 1), ("random_seed", RANDOM_SEED)):
        highs.setOptionValue(option, value)
    return highs


def _as_lp(program: Program, relax: bool) -> Any:
    import highspy

    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(program.cost), len(program.row_lower)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = program.cost, program.lower, program.upper
    lp.row_lower_, lp.row_upper_ = program.row_lower, program.row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = program.starts, program.indices
    lp.a_matrix_.value_ = program.coefficients
    if not relax:
        kind = highspy.HighsVarType
        lp.integrality_ = [kind.kInteger if whole else kind.kContinuous for whole in program.integer]
    return lp


def _solution(highs: Any, relax: bool) -> Solution:
    import highspy

    info, found = highs.getInfo(), highs.getSolution()
    infeasible = highs.getModelStatus() == highspy.HighsModelStatus.kInfeasible
    feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    objective = info.objective_function_value if feasible else INFINITY
    bound = INFINITY if infeasible else objective if relax else info.mip_dual_bound
    return Solution(infeasible, objective, bound, list(found.col_value) if feasible else [], list(found.row_dual))
