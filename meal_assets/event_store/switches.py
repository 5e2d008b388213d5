"""Whether a subscriber goes on, only shadows or rests: what its flag said last, in the log itself.

The type stands in the SQL, not in a parameter: else the planner may not use the index that has flags only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from meal_assets.contracts.system import Mode

from .database import Connection


@dataclass(frozen=True, slots=True)
class Switch:
    """What a flag said last: since when, by whom and why; all of that is None where it was never set."""

    mode: Mode = "on"
    position: int = 0
    since: datetime | None = None
    actor: str | None = None
    reason: str | None = None


NEVER_SET = Switch()


def switches(db: Connection, flags: Sequence[str]) -> dict[str, Switch]:
    """Flag -> what it said last, for those of `flags` that were ever set."""
    rows = db.execute(
        "SELECT flag, said.* FROM unnest(%s::text[]) AS flag CROSS JOIN LATERAL"
        " (SELECT payload->>'value', position, recorded_at, actor, payload->>'reason' FROM log.events e"
        "  WHERE type = 'system.FlagSet' AND payload->>'flag' = flag ORDER BY position DESC LIMIT 1) AS said",
        (list(flags),),
    )
    return {str(flag): Switch(*said) for flag, *said in rows}


def mode_of(db: Connection, flag: str) -> Mode:
    """What the flag says now."""
    return switches(db, [flag]).get(flag, NEVER_SET).mode


def mode_before_pause(db: Connection, flag: str) -> Mode:
    """What the flag said last that was not off: what it goes back to."""
    row = db.execute(
        "SELECT payload->>'value' FROM log.events WHERE type = 'system.FlagSet' AND payload->>'flag' = %s"
        " AND payload->>'value' <> 'off' ORDER BY position DESC LIMIT 1",
        (flag,),
    ).fetchone()
    return NEVER_SET.mode if row is None else cast(Mode, row[0])
