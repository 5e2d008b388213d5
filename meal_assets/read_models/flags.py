"""What each flag says to whom."""

from dataclasses import dataclass
from datetime import datetime

from meal_assets.contracts.system import FlagSet
from meal_assets.event_store import Connection, Recorded

from .base import SEEN_HOUSEHOLD, SEEN_PERSON, ReadModel

MAX_SHOWN = 1_000


class Flags(ReadModel):
    """One row a flag and whom it names: what was set last holds. An empty household or person means everybody."""

    version = 2
    listens_to = (FlagSet,)
    tables = {
        "flags": """
            flag text, household text, person text, value text NOT NULL, percent numeric NOT NULL,
            actor text NOT NULL, since timestamptz NOT NULL, position bigint NOT NULL, reason text,
            PRIMARY KEY (flag, household, person)"""
    }
    made_by = {
        "household": "coalesce(payload->>'target_household', '') = %(household)s",
        "person": "coalesce(payload->>'target_person', '') = %(person)s",
    }
    shows = (
        "SELECT flag, value, household, person, percent, actor, reason, since FROM flags"
        " ORDER BY flag, household, person"
    )

    seen = f"household IN ('', {SEEN_HOUSEHOLD}) AND ({SEEN_PERSON} IS NULL OR person IN ('', {SEEN_PERSON}))"

    def apply(self, db: Connection, recorded: Recorded) -> None:
        event = recorded.event
        assert isinstance(event, FlagSet)
        db.execute(
            "INSERT INTO flags VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (flag, household, person) DO UPDATE SET value = excluded.value, percent = excluded.percent,"
            " actor = excluded.actor, since = excluded.since, position = excluded.position,"
            " reason = excluded.reason",
            (
                event.flag,
                event.target_household or "",
                event.target_person or "",
                event.value,
                event.percent,
                recorded.actor,
                recorded.recorded_at,
                recorded.position,
                event.reason,
            ),
        )


@dataclass(frozen=True, slots=True)
class SetFlag:
    """What a flag says to whom; None names everybody. `percent` of them, 0 to 100."""

    flag: str
    value: str
    household: str | None
    person: str | None
    percent: float
    actor: str
    reason: str | None
    since: datetime


def set_flags(db: Connection, limit: int = MAX_SHOWN) -> list[SetFlag]:
    """At most `limit` rows, by flag, everybody first."""
    rows = db.execute(
        "SELECT flag, value, nullif(household, ''), nullif(person, ''), percent::float8, actor, reason,"
        " since FROM read.flags"
        " ORDER BY flag, household, person LIMIT %s",
        (limit,),
    )
    return [SetFlag(*row) for row in rows.fetchall()]
