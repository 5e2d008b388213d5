"""How often a remote may be called: a rate and a number a day, counted for all processes together."""

import time
from datetime import UTC, datetime, timedelta

import httpx

from meal_assets.errors import Waiting

from .remote import Remote, Shared

TAKE = """
    INSERT INTO log.remotes AS r (remote, day, used, next_at)
    VALUES (%(remote)s, (now() AT TIME ZONE 'UTC')::date, 1, clock_timestamp() + %(gap)s)
    ON CONFLICT (remote) DO UPDATE SET
        used = CASE WHEN r.day = excluded.day THEN r.used + 1 ELSE 1 END,
        day = excluded.day,
        next_at = greatest(r.next_at, clock_timestamp()) + %(gap)s
    WHERE %(most)s::int IS NULL OR r.day IS DISTINCT FROM excluded.day OR r.used < %(most)s
    RETURNING extract(epoch FROM r.next_at - %(gap)s - clock_timestamp())
"""


class Budgeted(httpx.BaseTransport):
    """Waits for its turn before each attempt; raises `Waiting` when the day's calls are used up."""

    def __init__(self, inner: httpx.BaseTransport, remote: Remote, shared: Shared) -> None:
        self._inner, self._remote, self._shared = inner, remote, shared

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        time.sleep(self._take())
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()

    def _take(self) -> float:
        """Count a call; seconds until its turn."""
        rate, most = self._remote.calls_a_second, self._remote.calls_a_day
        gap = timedelta(seconds=1 / rate if rate else 0)
        with self._shared.transaction() as db:
            db.execute("SET LOCAL synchronous_commit = off")  # a crash of the server may forget a few calls
            row = db.execute(TAKE, {"remote": self._remote.name, "gap": gap, "most": most}).fetchone()
        if row is None:
            midnight = (datetime.now(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
            raise Waiting(
                f"the {most:,} calls a day of {self._remote.name} are used up: it goes on at"
                f" {midnight.astimezone():%Y-%m-%d %H:%M}",
                midnight,
            )
        return max(float(row[0]), 0.0)
