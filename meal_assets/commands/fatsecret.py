"""Reading the FatSecret accounts of a household's persons: an event for each day and weight that changed there."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from meal_assets.clients.fatsecret_answers import NAME, REVOKED, DiaryEntry, FatSecretRefused
from meal_assets.clients.fatsecret_days import Days
from meal_assets.clients.fatsecret_entries import Entries, Portion
from meal_assets.clients.outside import Outside
from meal_assets.contracts.diary import ObservedEntry, ObservedMeal
from meal_assets.contracts.values import MEALS, Nutrients
from meal_assets.errors import Invalid, RemoteFailed, RemoteRefused, Unavailable
from meal_assets.event_store import EventStore, Origin
from meal_assets.event_store.connections import Connections

from .body import observe_weights
from .diary import observe_day

if TYPE_CHECKING:  # it brings an HTTP stack with it
    from meal_assets.clients.fatsecret import Diary

REFRESHED = timedelta(days=7)
"""People log late, and correct what they logged: so far back a day is read again and again."""
MOST_DAYS = 3_660
MONTH_PAYS = 3
"""From so many days of a month on, asking for the month first saves the calls for its empty days."""
DECIMALS = 4
LEAST_KG, MOST_KG = 20, 400


@dataclass(frozen=True, slots=True)
class DayRead:
    """A day that is through for all persons; `changed`: of whom it said something new."""

    day: date
    changed: tuple[str, ...]


def sync_diaries(
    store: EventStore, outside: Outside, origin: Origin, first: date, last: date, person: str | None = None
) -> Iterator[DayRead]:
    """Read the days from `first` to `last` of one person or of all who are connected, the newest first.

    Each day is given as soon as it is through. What is left over when this raises is read by `read_left_over`, and by
    the next call for these days. Raises `Unavailable` where nobody is connected and `Invalid` for a range that is none;
    at the end, or when nothing more can be read, `Waiting`, `RemoteFailed` or `RemoteRefused`.
    """
    from meal_assets.clients.caching import drop_expired

    if not first <= last <= first + timedelta(days=MOST_DAYS):
        raise Invalid("days", f"{first} to {last} is no range of at most {MOST_DAYS:,} days")
    drop_expired(store.database)
    persons = _connected(store, origin.household, person)
    with ExitStack() as opened:
        readers = [_Reader(store, outside, origin, one, opened) for one in persons]
        for reader in readers:
            reader.days.want(first, last)
        wanted = [last - timedelta(days=back) for back in range((last - first).days + 1)]
        yield from _read({reader: {*reader.days.unread(first, last)} for reader in readers}, wanted)


def read_left_over(store: EventStore, outside: Outside, origin: Origin) -> Iterator[DayRead]:
    """Read the days that somebody asked for and that nobody read since; raises what `sync_diaries` does."""
    with ExitStack() as opened:
        due = {}
        for person in _connected(store, origin.household, None):
            reader = _Reader(store, outside, origin, person, opened)
            due[reader] = {*reader.days.unread(date.min, date.max)}
        yield from _read(due, sorted(set().union(*due.values()), reverse=True))


def _connected(store: EventStore, household: str, person: str | None) -> list[str]:
    """Who can be read. Raises `Unavailable` with what to do where that is nobody."""
    known = [c for c in Connections(store.database, household, NAME).all() if person in (None, c.person)]
    found = [c.person for c in known if c.refused is None]
    if not found:
        whose = person or "nobody"
        told = "; ".join(c.refused or "" for c in known) or f"{whose} is not connected: `meals connect fatsecret NAME`"
        raise Unavailable(told)
    return found


def _read(due: "Mapping[_Reader, set[date]]", days: Sequence[date]) -> Iterator[DayRead]:
    """Read each person's due days; a day that was read before is through as well."""
    failures: list[Exception] = []
    for day in days:
        changed, through = [], True
        for reader, theirs in due.items():
            if day not in theirs:
                continue
            try:
                if reader.refused is None and reader.read(day, theirs):
                    changed.append(reader.person)
            except FatSecretRefused as error:
                if error.code != REVOKED:
                    raise
                reader.give_up()
            except (RemoteFailed, Invalid) as error:
                failures.append(error)
                through = False
            through = through and reader.refused is None
        if through:
            yield DayRead(day, tuple(changed))
    if refused := [reader.refused for reader in due if reader.refused]:
        raise RemoteRefused("; ".join(refused), 401)
    if failures:
        raise RemoteFailed(f"{len(failures)} days could not be read, and will be asked for again: {failures[0]}")


@dataclass(eq=False)
class _Reader:
    """Reads one person's diary."""

    store: EventStore
    outside: Outside
    origin: Origin
    person: str
    opened: ExitStack
    refused: str | None = None
    months: dict[date, set[date]] = field(default_factory=dict)
    weighed: set[date] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.connections = Connections(self.store.database, self.origin.household, NAME)
        self.days = Days(self.store.database, self.origin.household, self.person)
        self.entries = Entries(self.store.database, self.origin.household, self.person)
        secrets = self.connections.secrets(self.person)
        self.diary: Diary = self.opened.enter_context(self.outside.fatsecret_diary(secrets, self.store.database))

    def read(self, day: date, due: set[date]) -> bool:
        """Whether the day is another than before; with the first day of a month come the weights of it."""
        self._weigh(day.replace(day=1))
        entries = self.diary.day(day) if self._may_have_entries(day, due) else []
        ours = self.entries.of_day(day)
        others = [e for e in entries if not ours.includes(e.id, Portion(e.food_id, e.serving_id, e.units))]
        self.connections.secrets(self.person)  # raises for who was forgotten, or let go of, in the meantime
        said = observe_day(self.store, self.person, day, observed(others), self.origin)
        self.days.note_read([day])
        return said.events > 0

    def _weigh(self, month: date) -> None:
        if month in self.weighed:
            return
        before = self.days.weights()
        told = {w.day: round(w.kg, DECIMALS) for w in self.diary.weights(month) if LEAST_KG <= w.kg <= MOST_KG}
        if any(before.get(day) != kg for day, kg in told.items()):
            self.connections.secrets(self.person)  # as below
            observe_weights(self.store, self.person, told, before, self.origin)
            self.days.note_weights(told)
        self.weighed.add(month)

    def give_up(self) -> None:
        self.refused = f"FatSecret does not accept the connection of {self.person} any more, which was revoked there:"
        self.refused += f" `meals connect fatsecret {self.person}` makes a new one"
        self.connections.refuse(self.person, self.refused)

    def _may_have_entries(self, day: date, due: set[date]) -> bool:
        month = day.replace(day=1)
        if month not in self.months:
            if sum(other.replace(day=1) == month for other in due) < MONTH_PAYS:
                return True
            self.months[month] = {*self.diary.days_with_entries(month)}
        return day in self.months[month]


def observed(entries: Sequence[DiaryEntry]) -> list[ObservedMeal]:
    """What may be kept of a day: numbers, amounts, and the person's totals of each meal."""
    meals = []
    for meal in MEALS:
        lines = [e for e in entries if e.meal == meal]
        known = [e.eaten for e in lines if e.eaten is not None]
        if lines:
            meals.append(
                ObservedMeal(
                    meal=meal,
                    entries=tuple(
                        ObservedEntry(number=e.id, food=e.food_id, serving=e.serving_id, units=e.units) for e in lines
                    ),
                    nutrition=_rounded(Nutrients.total(known)),
                    unknown=len(lines) - len(known),
                )
            )
    return meals


def _rounded(total: Nutrients) -> Nutrients:
    return Nutrients(**{name: None if v is None else round(v, DECIMALS) for name, v in total})
