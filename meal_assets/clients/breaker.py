"""A circuit breaker that every process shares: who finds a service down spares the others the wait.

Closed, calls go through. After `FAILURES` in a row within `WINDOW` it opens: calls are refused at once. When its pause
is over, one process holds a lease to try; its success closes the breaker, its failure doubles the pause.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from meal_assets.errors import RemoteFailed, Waiting

from .remote import Shared

FAILURES = 5
"""In a row; each is a call that failed after its retries."""
WINDOW = timedelta(minutes=5)
"""Failures further back do not count."""
PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)
LEASE = timedelta(minutes=2)
"""A probe that says nothing for so long died; another one may try."""
LONGEST_REQUESTED = timedelta(hours=24)
"""What a remote asks for is believed up to this."""


@dataclass(frozen=True, slots=True)
class State:
    """A breaker as people see it: `state` is closed, open or half_open; `failures` in a row, lately."""

    remote: str
    state: str
    failures: int
    retry_at: datetime | None
    reason: str | None
    changed_at: datetime | None
    used_today: int

    def __str__(self) -> str:
        calls = f"{self.used_today:,} calls today"
        if self.state == "closed":
            return f"answers, {calls}" + (f", {self.failures} failures in a row" if self.failures else "")
        until = f" until {self.retry_at.astimezone():%Y-%m-%d %H:%M:%S}" if self.retry_at else ""
        how = "is being tried" if self.state == "half_open" else f"left alone{until}"
        return f"{how}, {calls}: {self.reason or ''}"


class Breaker:
    """The breaker of one remote."""

    def __init__(self, shared: Shared, remote: str) -> None:
        self._shared, self._remote = shared, remote

    def admit(self) -> bool:
        """Whether the call that may now go through is the probe; raises `Waiting` when none may."""
        with self._shared.transaction() as db:
            row = db.execute(ADMIT, {"remote": self._remote}).fetchone()
            if row is None or row[0] == "closed":
                return False
            if db.execute(PROBE, {"remote": self._remote, "lease": LEASE}).fetchone():
                return True
            _, until, reason = row
        raise self._left_alone(until, reason)

    def passed(self, *, probe: bool) -> None:
        """It answered."""
        with self._shared.transaction() as db:
            db.execute(CLOSE if probe else FORGET, {"remote": self._remote})

    def failed(self, error: RemoteFailed, *, probe: bool) -> None:
        """It did not, after all retries. Where the remote asked for a pause, that is the pause.

        Raises `Waiting` where that opens the breaker.
        """
        with self._shared.transaction() as db:
            arguments = {"remote": self._remote, "reason": str(error), "window": WINDOW}
            (failures,) = db.execute(FAIL, arguments).fetchone() or (0,)
            if probe or error.wait is not None or failures >= FAILURES:
                wait = None if error.wait is None else min(error.wait, LONGEST_REQUESTED)
                opened = db.execute(
                    OPEN, arguments | {"wait": wait, "pause": PAUSE, "longest": LONGEST_PAUSE}
                ).fetchone()
                assert opened is not None
            else:
                return
        raise self._left_alone(opened[0], str(error)) from error

    def trip(self, pause: timedelta, reason: str) -> None:
        """Open it by hand."""
        with self._shared.transaction() as db:
            arguments = {"remote": self._remote, "reason": reason, "window": WINDOW}
            db.execute(FAIL, arguments)
            db.execute(OPEN, arguments | {"wait": pause, "pause": PAUSE, "longest": LONGEST_PAUSE})

    def reset(self) -> None:
        """Close it by hand."""
        with self._shared.transaction() as db:
            db.execute(CLOSE, {"remote": self._remote})

    def _left_alone(self, until: datetime, reason: str) -> Waiting:
        return Waiting(
            f"{self._remote} is left alone until {until.astimezone():%Y-%m-%d %H:%M:%S}: {reason}."
            f" `meals remotes reset {self._remote}` tries at once.",
            until,
        )


def states(shared: Shared) -> list[State]:
    """Every remote that was ever called, by name."""
    with shared.transaction() as db:
        return states_in(db)


def states_in(db: psycopg.Connection[tuple[Any, ...]]) -> list[State]:
    """The same, in a transaction that is there."""
    return [State(*row) for row in db.execute(STATES, {"window": WINDOW})]


ADMIT = """
    SELECT state, CASE state WHEN 'half_open' THEN probe_until ELSE retry_at END, coalesce(reason, 'it is down')
    FROM log.remotes WHERE remote = %(remote)s
"""
PROBE = """
    UPDATE log.remotes SET state = 'half_open', probe_until = clock_timestamp() + %(lease)s
    WHERE remote = %(remote)s AND (state = 'open' AND retry_at <= clock_timestamp()
                                   OR state = 'half_open' AND probe_until <= clock_timestamp()) RETURNING true
"""
FORGET = "UPDATE log.remotes SET failures = '{}' WHERE remote = %(remote)s AND state = 'closed' AND failures <> '{}'"
CLOSE = """
    UPDATE log.remotes SET state = 'closed', failures = '{}', openings = 0, retry_at = NULL, probe_until = NULL,
        reason = NULL, changed_at = clock_timestamp() WHERE remote = %(remote)s
"""
FAIL = """
    INSERT INTO log.remotes AS r (remote, failures, reason) VALUES (%(remote)s, ARRAY[clock_timestamp()], %(reason)s)
    ON CONFLICT (remote) DO UPDATE SET reason = excluded.reason, failures = excluded.failures || ARRAY(
        SELECT f FROM unnest(r.failures) AS f WHERE f > clock_timestamp() - %(window)s ORDER BY f DESC LIMIT 99)
    RETURNING cardinality(failures)
"""
OPEN = """
    UPDATE log.remotes SET state = 'open', openings = openings + 1, probe_until = NULL, changed_at = clock_timestamp(),
        retry_at = clock_timestamp()
            + coalesce(%(wait)s::interval, least(%(pause)s * power(2, least(openings, 20)), %(longest)s))
    WHERE remote = %(remote)s RETURNING retry_at
"""
STATES = """
    SELECT remote, state, (SELECT count(*) FROM unnest(failures) AS f WHERE f > now() - %(window)s), retry_at, reason,
           changed_at, CASE WHEN day = (now() AT TIME ZONE 'UTC')::date THEN used ELSE 0 END
    FROM log.remotes ORDER BY remote
"""
