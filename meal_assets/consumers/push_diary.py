"""Keep what a person logs here in their FatSecret diary as well.

What was made there is remembered by its number before the next thing is done, and what is about to be made by what it
will hold: an entry whose answer was lost is looked for in that day before it is made again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from meal_assets.clients.fatsecret_entries import Entries, Entry, Portion
from meal_assets.clients.outside import Outside
from meal_assets.contracts.diary import MealLogCorrected, MealLogged, MealLogRetracted
from meal_assets.contracts.personal import TOMBSTONE
from meal_assets.contracts.system import FlagSet
from meal_assets.domain.counterpart import most_alike
from meal_assets.errors import Permanent
from meal_assets.event_store import EventStore, Recorded
from meal_assets.event_store.connections import Connections

from .base import Act, Consumer
from .library import is_on

if TYPE_CHECKING:  # it brings an HTTP stack with it
    from meal_assets.clients.fatsecret import Diary

FLAG = "fatsecret.diary"
SERVICE = "fatsecret"
DECIMALS = 2
LEAST_UNITS = 0.01
NO_COUNTERPART = "no food of that name at FatSecret is like it"
Changed = MealLogCorrected | MealLogRetracted


class PushDiary(Consumer):
    """Where the flag `fatsecret.diary` is on: makes, changes and removes its own entries, and touches no others.

    FatSecret takes only foods of its own: the one most alike of those with that name, so much of it as has the energy.
    What was imported from a file is not pushed.
    """

    listens_to = (MealLogged, MealLogCorrected, MealLogRetracted)
    waits_for = FlagSet
    says = ()
    calls = ("fatsecret",)
    ordered_by_stream = True

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Act]:
        event = recorded.event
        assert isinstance(event, MealLogged | MealLogCorrected | MealLogRetracted)
        if isinstance(event, MealLogged) and (event.source == "import" or event.food == TOMBSTONE):
            return
        if not is_on(log, FLAG, recorded.household, event.person):
            return
        connections = Connections(log.database, recorded.household, SERVICE)
        connection = next((c for c in connections.all() if c.person == event.person), None)
        if connection is None:
            return
        if connection.refused:
            raise Permanent(connection.refused)
        yield Act(partial(self._push, event, recorded.household, log))

    def _push(self, event: MealLogged | Changed, household: str, log: EventStore, _: str) -> None:
        known = Entries(log.database, household, event.person).find(event.day, event.entry)
        if isinstance(event, MealLogged):
            with _pushing(self.outside, event, household, log) as pushing:
                pushing.make(event, known)
        elif known is not None and known.state in ("making", "made"):
            with _pushing(self.outside, event, household, log) as pushing:
                pushing.follow(event, known)


@contextmanager
def _pushing(outside: Outside, event: MealLogged | Changed, household: str, log: EventStore) -> Iterator["_Pushing"]:
    """Raises `Permanent` with what to do where the connection was revoked."""
    from meal_assets.clients.fatsecret_answers import REVOKED, FatSecretRefused

    connections = Connections(log.database, household, SERVICE)
    try:
        with outside.fatsecret_diary(connections.secrets(event.person), log.database) as diary:
            yield _Pushing(outside, log, Entries(log.database, household, event.person), diary)
    except FatSecretRefused as error:
        if error.code == REVOKED:
            connections.refuse(event.person, str(error))
        raise


@dataclass(frozen=True, slots=True)
class _Pushing:
    outside: Outside
    log: EventStore
    entries: Entries
    diary: "Diary"

    def make(self, meal: MealLogged, known: Entry | None) -> None:
        """Make the entry, unless it was made, or left out."""
        if known is None:
            portion = self._portion(meal)
            if portion is None:
                self.entries.leave_out(meal.day, meal.entry, NO_COUNTERPART)
                return
            self.entries.begin(meal.day, meal.entry, portion, meal.nutrition.kcal)
        elif known.state != "making":
            return
        else:
            portion = known.portion
            if number := self._lost(meal.day, portion):
                self.entries.made(meal.day, meal.entry, number)
                return
        number = self.diary.add(portion.food, portion.serving, meal.food, portion.units, meal.meal, meal.day)
        self.entries.made(meal.day, meal.entry, number)

    def follow(self, event: Changed, known: Entry) -> None:
        """Change or remove the entry; one that somebody removed there stays so."""
        from meal_assets.clients.fatsecret_answers import NO_SUCH_ID, NOTHING_FOUND, FatSecretRefused

        number = known.number or self._lost(event.day, known.portion)
        try:
            if number and isinstance(event, MealLogCorrected):
                self.diary.change(number, units=_units(known.portion.units * event.nutrition.kcal / known.kcal))
                return
            if number:
                self.diary.remove(number)
        except FatSecretRefused as error:
            if error.code not in (NO_SUCH_ID, *NOTHING_FOUND):
                raise
        if number or isinstance(event, MealLogRetracted):
            self.entries.gone(event.day, event.entry)

    def _lost(self, day: date, portion: Portion) -> str | None:
        """The number of the entry that holds just that, and is none that we know."""
        known = self.entries.of_day(day).numbers
        there = ((e.id, Portion(e.food_id, e.serving_id, e.units)) for e in self.diary.day(day) if e.id not in known)
        return next((number for number, like in there if like == portion), None)

    def _portion(self, meal: MealLogged) -> Portion | None:
        """What stands for the meal there: None where no food with such a name is like it."""
        from meal_assets.clients.fatsecret_answers import described

        with self.outside.fatsecret_foods(self.log.database) as foods:
            found = foods.search(meal.food)
            described_ = [(row["food_id"], described(row.get("food_description", ""))) for row in found]
            likely = most_alike(meal.nutrition, [(id_, holds) for id_, holds in described_ if holds is not None])
            food = foods.food(likely) if likely is not None else None
        servings = [(s, s.holds.kcal / s.units) for s in food.servings if s.holds and s.holds.kcal] if food else []
        if food is None or not servings or not meal.nutrition.kcal:
            return None
        serving, kcal = min(servings, key=lambda row: row[1])  # the smallest unit, most often a gram
        return Portion(food.id, serving.id, _units(meal.nutrition.kcal / kcal))


def _units(units: float) -> float:
    return max(round(units, DECIMALS), LEAST_UNITS)
