"""What was read of a person's FatSecret account, and which days are to be read: what a used-up budget left over."""

from collections.abc import Iterable, Mapping
from datetime import date

from .remote import Shared

WANT = """
    WITH unread AS (SELECT min(wanted_at) AS since FROM log.fatsecret_days
        WHERE household = %(household)s AND person = %(person)s AND day BETWEEN %(first)s AND %(last)s
          AND (read_at IS NULL OR read_at < wanted_at))
    INSERT INTO log.fatsecret_days AS d (household, person, day)
    SELECT %(household)s, %(person)s, day::date
    FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS day
    ON CONFLICT (household, person, day) DO UPDATE SET wanted_at = clock_timestamp()
    WHERE d.read_at >= d.wanted_at AND NOT coalesce(d.read_at >= (SELECT since FROM unread), false)
"""
UNREAD = """
    SELECT day FROM log.fatsecret_days
    WHERE household = %(household)s AND person = %(person)s AND day BETWEEN %(first)s AND %(last)s
      AND (read_at IS NULL OR read_at < wanted_at) ORDER BY day DESC
"""
READ = """
    UPDATE log.fatsecret_days SET read_at = clock_timestamp()
    WHERE household = %(household)s AND person = %(person)s AND day = %(day)s
"""
WEIGHTS = "SELECT day, kg FROM log.fatsecret_weights WHERE household = %(household)s AND person = %(person)s"
WEIGHED = """
    INSERT INTO log.fatsecret_weights (household, person, day, kg)
    VALUES (%(household)s, %(person)s, %(day)s, %(kg)s)
    ON CONFLICT (household, person, day) DO UPDATE SET kg = excluded.kg
"""


class Days:
    """Of one connected person."""

    def __init__(self, shared: Shared, household: str, person: str) -> None:
        self._shared, self._whose = shared, {"household": household, "person": person}

    def want(self, first: date, last: date) -> None:
        """Ask for these days. While some of them were asked for before and not read, those read since stay read."""
        with self._shared.transaction() as db:
            db.execute(WANT, self._whose | {"first": first, "last": last})

    def unread(self, first: date, last: date) -> list[date]:
        """Days that were asked for and not read since, the newest first."""
        with self._shared.transaction() as db:
            return [day for (day,) in db.execute(UNREAD, self._whose | {"first": first, "last": last})]

    def note_read(self, days: Iterable[date]) -> None:
        with self._shared.transaction() as db:
            for day in days:
                db.execute(READ, self._whose | {"day": day})

    def weights(self) -> dict[date, float]:
        """Weigh-ins as they were read there last, in kg."""
        with self._shared.transaction() as db:
            return dict(db.execute(WEIGHTS, self._whose).fetchall())

    def note_weights(self, weights: Mapping[date, float]) -> None:
        with self._shared.transaction() as db:
            for day, kg in weights.items():
                db.execute(WEIGHED, self._whose | {"day": day, "kg": kg})
