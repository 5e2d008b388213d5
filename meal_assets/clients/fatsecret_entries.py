"""Which entries of a person's FatSecret diary come from here, so that none is made twice, or taken for theirs."""

from dataclasses import dataclass
from datetime import date

from .remote import Shared

FIND = """
    SELECT state, number, food, serving, units, kcal FROM log.fatsecret_entries
    WHERE household = %s AND person = %s AND day = %s AND entry = %s
"""
BEGIN = """
    INSERT INTO log.fatsecret_entries (household, person, day, entry, state, food, serving, units, kcal)
    VALUES (%s, %s, %s, %s, 'making', %s, %s, %s, %s)
"""
LEAVE_OUT = """
    INSERT INTO log.fatsecret_entries (household, person, day, entry, state, reason)
    VALUES (%s, %s, %s, %s, 'left out', %s) ON CONFLICT DO NOTHING
"""
NOTE = """
    UPDATE log.fatsecret_entries SET state = %s, number = coalesce(%s, number)
    WHERE household = %s AND person = %s AND day = %s AND entry = %s
"""
OF_DAY = """
    SELECT state, number, food, serving, units FROM log.fatsecret_entries
    WHERE household = %s AND person = %s AND day = %s AND state IN ('making', 'made')
"""
LEFT_OUT = """
    SELECT person, day, reason, count(*) FROM log.fatsecret_entries
    WHERE household = %s AND day BETWEEN %s AND %s AND state = 'left out' GROUP BY 1, 2, 3 ORDER BY 2 DESC, 1, 3
"""


@dataclass(frozen=True, slots=True)
class Portion:
    """So many units of a serving of a food, as FatSecret numbers them."""

    food: str
    serving: str
    units: float


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of ours. `state`: making (nobody knows whether it is there), made, gone or left out.

    `portion` and `kcal` are as it was first logged.
    """

    state: str
    number: str | None
    portion: Portion
    kcal: float


@dataclass(frozen=True, slots=True)
class Ours:
    """Entries of a day that come from here: by number, or, where the answer was lost, by what they hold."""

    numbers: frozenset[str]
    making: frozenset[Portion]

    def includes(self, number: str, portion: Portion) -> bool:
        return number in self.numbers or portion in self.making


class Entries:
    """Of one person of a household."""

    def __init__(self, shared: Shared, household: str, person: str) -> None:
        self._shared, self._whose = shared, (household, person)

    def find(self, day: date, entry: str) -> Entry | None:
        with self._shared.transaction() as db:
            row = db.execute(FIND, (*self._whose, day, entry)).fetchone()
        return None if row is None else Entry(row[0], row[1], Portion(row[2], row[3], row[4]), row[5])

    def begin(self, day: date, entry: str, portion: Portion, kcal: float) -> None:
        """It is about to be made."""
        with self._shared.transaction() as db:
            db.execute(BEGIN, (*self._whose, day, entry, portion.food, portion.serving, portion.units, kcal))

    def leave_out(self, day: date, entry: str, reason: str) -> None:
        with self._shared.transaction() as db:
            db.execute(LEAVE_OUT, (*self._whose, day, entry, reason))

    def made(self, day: date, entry: str, number: str) -> None:
        with self._shared.transaction() as db:
            db.execute(NOTE, ("made", number, *self._whose, day, entry))

    def gone(self, day: date, entry: str) -> None:
        """Taken back here, or removed there by hand: it is not made again."""
        with self._shared.transaction() as db:
            db.execute(NOTE, ("gone", None, *self._whose, day, entry))

    def of_day(self, day: date) -> Ours:
        with self._shared.transaction() as db:
            rows = db.execute(OF_DAY, (*self._whose, day)).fetchall()
        numbers = frozenset(str(number) for state, number, *_ in rows if state == "made")
        return Ours(numbers, frozenset(Portion(*portion) for state, _, *portion in rows if state == "making"))


def left_out(shared: Shared, household: str, first: date, last: date) -> list[tuple[str, date, str, int]]:
    """(person, day, why, how many) of what was logged here and has no counterpart there."""
    with shared.transaction() as db:
        return [(person, day, why, int(n)) for person, day, why, n in db.execute(LEFT_OUT, (household, first, last))]
