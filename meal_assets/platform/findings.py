"""What is looked at in the read models and the log: the same for a check that is run and for one told with a fold."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from meal_assets.contracts.values import MACROS
from meal_assets.event_store import Connection, EventStore
from meal_assets.event_store.database import fetch_row
from meal_assets.event_store.verify import first_broken_link
from meal_assets.event_store.witnesses import first_contradiction
from meal_assets.read_models import ReadModel
from meal_assets.read_models.base import Difference
from meal_assets.read_models.dead_letters import DeadLetters
from meal_assets.read_models.recipe_nutrition import RecipeNutrition
from meal_assets.read_models.week_plan import WeekPlan

OLD_LETTER = timedelta(days=1)
"""A dead letter that nobody looked at for longer is an error, not a warning."""
COVERED = 0.8
"""Share of the recipes whose nutrition should be known: the planner cannot use the others."""
OFF_PERCENT = 10.0
"""A planned day farther off its target than this, in energy or a macronutrient, is pointed at."""
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """What an asset check says."""

    passed: bool
    metadata: dict[str, Any] = field(default_factory=dict)
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.WARN


@dataclass(frozen=True, slots=True)
class Look:
    """A quick check of one read model, told whenever it was folded."""

    model: type[ReadModel]
    name: str
    description: str
    find: Callable[[Connection], Finding]

    def tried(self, db: Connection) -> Finding:
        """What it finds; an error that says why where it finds nothing: others are told all the same."""
        try:
            with db.transaction():
                return self.find(db)
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
            return Finding(False, {"could_not_look": why}, dg.AssetCheckSeverity.ERROR)


def letters(db: Connection) -> Finding:
    """How many are open, of which consumers, and since when."""
    rows = db.execute("SELECT consumer, since FROM read.dead_letters WHERE state = 'open' ORDER BY since").fetchall()
    consumers = dg.MetadataValue.json(sorted({consumer for consumer, _ in rows}))
    shown: dict[str, Any] = {"open": len(rows), "consumers": consumers}
    if not rows:
        return Finding(True, shown)
    shown["oldest"] = dg.MetadataValue.timestamp(rows[0][1])
    is_old = datetime.now(UTC) - rows[0][1] > OLD_LETTER
    return Finding(False, shown, dg.AssetCheckSeverity.ERROR if is_old else dg.AssetCheckSeverity.WARN)


def coverage(db: Connection) -> Finding:
    """How many recipes have figures that can be planned with."""
    known, every = fetch_row(
        db,
        "SELECT count(*) FILTER (WHERE provenance <> 'missing'), count(*) FROM read.recipe_nutrition"
        " WHERE provenance <> 'removed'",
    )
    missing = db.execute(
        "SELECT recipe FROM read.recipe_nutrition WHERE provenance = 'missing' ORDER BY position DESC LIMIT %s",
        (SHOWN,),
    )
    share = known / every if every else 1.0
    shown = {
        "recipes": int(every),
        "known": int(known),
        "known_percent": round(100 * share, 1),
        "some_missing": dg.MetadataValue.json([recipe for (recipe,) in missing]),
    }
    return Finding(share >= COVERED, shown)


def planned_days(db: Connection) -> Finding:
    """Planned days from today on that are far off their targets, and requests that could not be met."""
    off = ", ".join(f"100 * ({name} / nullif(target_{name}, 0) - 1)" for name in MACROS)
    worst = db.execute(
        "SELECT * FROM (SELECT household, day, person, (SELECT round(o, 1)::float8 FROM"  # noqa: S608  # our own names
        f" unnest(ARRAY[{off}]) AS o ORDER BY abs(o) DESC NULLS LAST LIMIT 1) AS off"
        " FROM read.week_plan_days WHERE day >= current_date) AS days WHERE abs(off) > %s"
        " ORDER BY abs(off) DESC, day, person LIMIT %s",
        (OFF_PERCENT, SHOWN),
    ).fetchall()
    rejected = db.execute(
        "SELECT week FROM read.week_plan_state WHERE state = 'rejected' AND week + 7 > current_date ORDER BY week"
    ).fetchall()
    shown = {
        "off_percent": dg.MetadataValue.json([[h, str(day), person, off] for h, day, person, off in worst]),
        "rejected_weeks": dg.MetadataValue.json([str(week) for (week,) in rejected]),
    }
    return Finding(not worst and not rejected, shown)


LOOKS = (
    Look(
        DeadLetters,
        "no_open_dead_letters",
        "Nothing waits for somebody to retry or discard it: see `meals dead-letters`. An error after a day.",
        letters,
    ),
    Look(
        RecipeNutrition,
        "nutrition_is_known",
        f"At least {COVERED:.0%} of the recipes have figures: `meals nutrition explain` says what the others lack.",
        coverage,
    ),
    Look(
        WeekPlan,
        "days_meet_their_targets",
        f"No planned day to come is more than {OFF_PERCENT:.0f} % off its target, and no request was refused.",
        planned_days,
    ),
)


def chain(store: EventStore) -> Finding:
    """Whether every event is the one that was appended, in its place, and none is missing."""
    head, broken = store.head(), first_broken_link(store.database)
    with store.database.transaction() as db:
        wrong = first_contradiction(db)
    shown: dict[str, Any] = {"events": head}
    if broken is not None:
        shown["breaks_at"] = broken
    if wrong is not None:
        shown["contradicted_at"], shown["contradicted_by"] = wrong.position, wrong.by
    return Finding(broken is None and wrong is None, shown, dg.AssetCheckSeverity.ERROR)


def difference_of(difference: Difference, **more: Any) -> dict[str, Any]:
    """How rebuilt rows differ from the live ones, as metadata."""
    return more | {
        "rows": difference.rows,
        "only_live": difference.only_live,
        "only_rebuilt": difference.only_rebuilt,
        "different": difference.different,
        "sample": dg.MetadataValue.json(list(difference.sample)),
    }
