"""Keep an accepted week in a Tandoor's meal plan, as it is planned now.

It brings Tandoor in line with the head of the log, since Tandoor is never as of an earlier position either: whatever
happened on the way, the next event mends it. An entry of ours carries a mark in its note, by which it is found where
the answer to making it was lost; afterwards it is known by its number.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from meal_assets.contracts.plan import PlanAccepted, PlanGenerated
from meal_assets.contracts.publication import PublishedMeal, WeekPublished
from meal_assets.contracts.values import Meal
from meal_assets.domain.publication import MEAL_TIMES, PlanEntry, Slot, entries_of
from meal_assets.domain.recipes.tandoor import recipe_number
from meal_assets.event_store import EventStore, Recorded

from .base import Act, Consumer, Said
from .library import Cooked, Doing, cooked_week, is_on, last_said, said_because_of, tandoor_of

if TYPE_CHECKING:
    from meal_assets.clients.tandoor import MealType, Tandoor

FLAG = "tandoor.meal_plan"
MARK = re.compile(r"\bmeals:([0-9a-f]{12}/\d{4}-\d{2}-\d{2}/\w+)")
LONGEST_TITLE = 64
"""Tandoor's own limit."""
Json = dict[str, Any]


class PublishPlan(Consumer):
    """Where the flag `tandoor.meal_plan` is on: makes, changes and deletes its own entries, and touches no others."""

    listens_to = (PlanAccepted, PlanGenerated)
    waits_for = PlanAccepted
    says = (WeekPublished,)
    calls = ("tandoor",)

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said | Act]:
        event = recorded.event
        assert isinstance(event, PlanAccepted | PlanGenerated)
        if said := said_because_of(recorded, log, WeekPublished):
            yield from map(Said, said)
            return
        week = cooked_week(log, recorded.household, event.week, recorded.position)
        if week is None or not is_on(log, FLAG, recorded.household):
            return
        wanted = entries_of(week.plan, self.outside.zone)
        nothing = WeekPublished(service="tandoor", week=event.week, meals=(), meal_types={})
        last = last_said(log, nothing.stream_in(recorded.household), WeekPublished)
        before = last[1] if last else nothing
        again = isinstance(event, PlanAccepted)
        if not again and _hashes(before) == {slot: entry.content_hash for slot, entry in wanted.items()}:
            return
        with tandoor_of(self.outside, log, FLAG) as tandoor, Doing() as doing:
            yield from _Publishing(tandoor, doing, week, wanted, before, again=again).run()


class _Publishing:
    """`again`: what somebody deleted by hand is made anew; else only what is planned otherwise is touched."""

    def __init__(
        self,
        tandoor: "Tandoor",
        doing: Doing,
        week: Cooked,
        wanted: Mapping[Slot, PlanEntry],
        before: WeekPublished,
        *,
        again: bool,
    ) -> None:
        self._tandoor, self._doing = tandoor, doing
        self._week, self._wanted, self._before, self._again = week, wanted, before, again
        self._ids, self._marked = self._look()
        known = {(m.day, m.meal): m.entry for m in before.meals}
        self._numbers = {slot: numbers[0] for slot, numbers in self._marked.items()} | known
        self._types: dict[Meal, MealType] = {}
        self._recipes: frozenset[int] = frozenset()
        self._doubtful: set[Slot] = set()
        """Where the answer to making an entry was lost."""

    def run(self) -> Iterator[Said | Act]:
        yield from self._line_up()
        if self._doing.all_done:
            yield from self._say()

    def _line_up(self) -> Iterator[Act]:
        hashes = _hashes(self._before)
        changed = [e for slot, e in self._wanted.items() if self._again or hashes.get(slot) != e.content_hash]
        if changed:
            yield from self._find_types({e.slot[1] for e in changed})
            if not self._doing.all_done:
                return
            self._recipes = self._tandoor.ids()
        for entry in changed:
            number = self._numbers.get(entry.slot)
            if number is not None and number not in self._ids and not self._tandoor.has_plan(number):
                number = next((n for n in self._marked.get(entry.slot, ()) if n != number), None)
                self._forget(entry.slot, number)
            if number is None:
                yield self._doing.act(partial(self._make, entry))
            elif hashes.get(entry.slot) != entry.content_hash:
                yield self._doing.act(partial(self._change, number, entry))
        for slot in sorted(self._numbers.keys() - self._wanted.keys()):
            yield self._doing.act(partial(self._delete, self._numbers[slot]))
        for number in self._late():
            yield self._doing.act(partial(self._delete, number))

    def _find_types(self, meals: set[Meal]) -> Iterator[Act]:
        """Those that stood for the meals before, whatever they are called now, else by name, else made."""
        self._know_types(meals)
        missing = sorted(meals - self._types.keys())
        for meal in missing:
            yield self._doing.act(partial(self._make_type, meal))
        if missing:
            self._know_types(meals)

    def _know_types(self, meals: set[Meal]) -> None:
        types = self._tandoor.meal_types()
        by_number = {t.id: t for t in types}
        by_name = {t.name.casefold(): t for t in reversed(types)}
        for meal in meals:
            if found := by_number.get(self._before.meal_types.get(meal, 0)) or by_name.get(meal):
                self._types[meal] = found

    def _look(self) -> tuple[set[int], dict[Slot, list[int]]]:
        """Numbers of the week's entries, and of those that carry our mark, by slot, the oldest first.

        It looks a day further on both sides, for days begin elsewhere in another time zone.
        """
        first = self._week.plan.week - timedelta(days=1)
        rows = self._tandoor.plans(str(first), str(first + timedelta(days=8)))
        slots = {self._mark(slot): slot for slot in self._every_slot()}
        marked: dict[Slot, list[int]] = {}
        for row in sorted(rows, key=lambda row: int(row["id"])):
            for mark in MARK.findall(row.get("note") or ""):
                if mark in slots:
                    marked.setdefault(slots[mark], []).append(int(row["id"]))
        return {int(row["id"]) for row in rows}, marked

    def _every_slot(self) -> Iterator[Slot]:
        for n in range(7):
            for meal in MEAL_TIMES:
                yield self._week.plan.week + timedelta(days=n), meal

    def _mark(self, slot: Slot) -> str:
        return f"{self._week.key.hex[-12:]}/{slot[0]}/{slot[1]}"

    def _late(self) -> list[int]:
        """Entries that came to be beside ours meanwhile: making them took so long that they were taken for lost."""
        if not self._doubtful:
            return []
        _, marked = self._look()
        return [
            n for slot in self._doubtful for n in marked.get(slot, ()) if n not in (*self._ids, self._numbers[slot])
        ]

    def _body(self, entry: PlanEntry) -> Json:
        meal_type = self._types[entry.slot[1]]
        at, number = entry.at(meal_type.time), recipe_number(entry.planned.recipe)
        is_there = number in self._recipes
        return {
            "recipe": number if is_there else None,
            "title": "" if is_there else entry.planned.title[:LONGEST_TITLE],
            "meal_type": meal_type.id,
            "servings": entry.servings,
            "from_date": at,
            "to_date": at,
            "note": f"{entry.portions}\n\nmeals:{self._mark(entry.slot)}",
        }

    def _make(self, entry: PlanEntry) -> None:
        def found() -> int | None:
            self._doubtful.add(entry.slot)
            _, marked = self._look()
            return next((n for n in marked.get(entry.slot, ()) if n not in self._ids), None)

        self._numbers[entry.slot] = self._tandoor.new_plan(self._body(entry), found)

    def _change(self, number: int, entry: PlanEntry) -> None:
        self._tandoor.change_plan(number, self._body(entry))

    def _delete(self, number: int) -> None:
        self._tandoor.delete_plan(number)

    def _make_type(self, meal: Meal) -> None:
        self._tandoor.new_meal_type(meal.capitalize(), MEAL_TIMES[meal])

    def _forget(self, slot: Slot, instead: int | None) -> None:
        """The entry is gone."""
        del self._numbers[slot]
        if instead is not None:
            self._numbers[slot] = instead

    def _say(self) -> Iterator[Said]:
        meals = [
            PublishedMeal(
                day=slot[0],
                meal=slot[1],
                recipe=entry.planned.recipe,
                entry=self._numbers[slot],
                content_hash=entry.content_hash,
            )
            for slot, entry in self._wanted.items()
        ]
        types = self._before.meal_types | {meal: t.id for meal, t in self._types.items()}
        said = WeekPublished(service="tandoor", week=self._week.plan.week, meals=tuple(meals), meal_types=types)
        if said != self._before:
            yield Said(said)


def _hashes(published: WeekPublished) -> dict[Slot, str]:
    return {(m.day, m.meal): m.content_hash for m in published.meals}
