"""Keep the shopping list of an accepted week in a Tandoor's list, with what is in the basket already.

As for the meal plan, Tandoor is brought in line with the head of the log. Its list has no room for a mark: an entry
whose making was never answered is known by what it says, who made it, and that it is newer than the event that asked
for it.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from meal_assets.contracts.plan import PlanAccepted, PlanGenerated
from meal_assets.contracts.publication import ListPublished, PublishedItem
from meal_assets.contracts.shopping import ItemTicked, ItemUnticked
from meal_assets.domain.publication import SHOPPING_FLAG as FLAG
from meal_assets.domain.publication import TANDOOR, ListEntry, list_of, told
from meal_assets.event_store import EventStore, Recorded

from .base import Act, Consumer, Said
from .library import Doing, cooked_week, is_on, last_said, recipes_of, said_because_of, tandoor_of, weighed

if TYPE_CHECKING:
    from meal_assets.clients.tandoor import Tandoor

Json = dict[str, Any]
Key = tuple[str, str]
"""Item and unit."""


class PublishShopping(Consumer):
    """Where the flag `tandoor.shopping_list` is on: makes, changes, ticks and deletes its own entries, no others."""

    listens_to = (PlanAccepted, PlanGenerated, ItemTicked, ItemUnticked)
    waits_for = PlanAccepted
    says = (ListPublished,)
    calls = ("tandoor",)

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said | Act]:
        event = recorded.event
        assert isinstance(event, PlanAccepted | PlanGenerated | ItemTicked | ItemUnticked)
        if isinstance(event, ItemTicked | ItemUnticked) and recorded.actor == TANDOOR:
            return  # it was ticked there
        if said := said_because_of(recorded, log, ListPublished):
            yield from map(Said, said)
            return
        week = cooked_week(log, recorded.household, event.week, recorded.position)
        if week is None or not is_on(log, FLAG, recorded.household):
            return
        nothing = ListPublished(service=TANDOOR, week=event.week, items=())
        last = last_said(log, nothing.stream_in(recorded.household), ListPublished)
        before = last[1] if last else nothing
        basket = _basket(log, recorded.household, event.week)
        if isinstance(event, ItemTicked | ItemUnticked):
            numbers = [i.entry for i in before.items if i.item == event.item]
            if numbers:
                with tandoor_of(self.outside, log, FLAG) as tandoor, Doing() as doing:
                    yield doing.act(partial(tandoor.check_entries, numbers, checked=event.item in basket))
            return
        recipes = recipes_of(week.plan, recorded.household, log)
        wanted = list_of(week.plan, recipes, weighed(log, recorded.household, recipes, recorded.position))
        again = isinstance(event, PlanAccepted)
        if not again and _quantities(before) == {key: e.line.quantity for key, e in wanted.items()}:
            return
        position = last[0].position if last else 0
        times = [
            r.recorded_at for r in week.history if r.position > position and (last or isinstance(r.event, PlanAccepted))
        ]
        with tandoor_of(self.outside, log, FLAG) as tandoor, Doing() as doing:
            work = _Publishing(tandoor, doing, wanted, before, again=again)
            yield from work.run(basket, asked_at=min(times, default=recorded.recorded_at))


class _Publishing:
    """`again`: what somebody deleted by hand is made anew; else only what is needed otherwise is touched."""

    def __init__(
        self,
        tandoor: "Tandoor",
        doing: Doing,
        wanted: Mapping[Key, ListEntry],
        before: ListPublished,
        *,
        again: bool,
    ) -> None:
        self._tandoor, self._doing = tandoor, doing
        self._wanted, self._before, self._again = wanted, before, again
        self._rows = {int(row["id"]): row for row in tandoor.entries()}
        self._numbers = {(i.item, i.unit): i.entry for i in before.items}
        self._doubtful: set[Key] = set()
        """Where the answer to making an entry was lost."""

    def run(self, basket: frozenset[str], asked_at: datetime) -> Iterator[Said | Act]:
        """`asked_at`: no entry of ours that we do not know yet is older."""
        quantities, made = _quantities(self._before), []
        for key, entry in self._wanted.items():
            is_new = key not in quantities or quantities[key] != entry.line.quantity
            if not (is_new or self._again):
                continue
            row = self._row(key) or self._left_over(entry, asked_at)
            if row is None:
                made.append(key)
                yield self._doing.act(partial(self._make, entry))
            elif is_new and _told(row) != entry.told:
                yield self._doing.act(partial(self._change, row, entry))
        for key in sorted(self._numbers.keys() - self._wanted.keys()):
            row = self._row(key)
            if row is not None and not row["checked"]:  # what was bought stays
                yield self._doing.act(partial(self._tandoor.delete_entry, int(row["id"])))
        for number in self._late():
            yield self._doing.act(partial(self._tandoor.delete_entry, number))
        bought = [self._numbers[key] for key in made if key[0] in basket and key in self._numbers]
        if bought:
            yield self._doing.act(partial(self._tandoor.check_entries, bought, checked=True))
        if self._doing.all_done:
            yield from self._say()

    def _row(self, key: Key) -> Json | None:
        """Our entry as it is there, also one that the list does not show any more; None where it was deleted."""
        number = self._numbers.get(key)
        return None if number is None else self._rows.get(number) or self._tandoor.entry(number)

    def _left_over(self, entry: ListEntry, asked_at: datetime) -> Json | None:
        """One that says the same and was made, but never noted, by an attempt that died."""
        for row in self._unknown(entry, self._rows):
            ahead = self._tandoor.clock() - datetime.now(UTC)
            if datetime.fromisoformat(row["created_at"]) >= asked_at + ahead:
                self._numbers[entry.key] = int(row["id"])
                return row
        return None

    def _unknown(self, entry: ListEntry, rows: Mapping[int, Json]) -> list[Json]:
        """Open entries of our user that say what this one does, and stand for nothing yet, the oldest first."""
        known = set(self._numbers.values())
        same = [rows[n] for n in sorted(rows.keys() - known) if _told(rows[n]) == entry.told and not rows[n]["checked"]]
        if not same:
            return []
        user = self._tandoor.user()
        return [row for row in same if row["created_by"]["id"] == user]

    def _new(self, entry: ListEntry) -> list[Json]:
        """The same, of those that came to be meanwhile."""
        newest = max(self._rows, default=0)
        return self._unknown(entry, {int(r["id"]): r for r in self._tandoor.entries() if int(r["id"]) > newest})

    def _make(self, entry: ListEntry) -> None:
        def found() -> int | None:
            self._doubtful.add(entry.key)
            return next((int(row["id"]) for row in self._new(entry)), None)

        unit = None if entry.unit is None else {"name": entry.unit}
        body = {"food": {"name": entry.food}, "unit": unit, "amount": entry.amount}
        self._numbers[entry.key] = self._tandoor.new_entry(body, found)

    def _change(self, row: Json, entry: ListEntry) -> None:
        self._tandoor.change_entry(int(row["id"]), {"amount": entry.amount, "checked": row["checked"]})

    def _late(self) -> list[int]:
        """Entries that came to be beside ours meanwhile: making them took so long that they were taken for lost."""
        return [int(row["id"]) for key in sorted(self._doubtful) for row in self._new(self._wanted[key])]

    def _say(self) -> Iterator[Said]:
        items = [
            PublishedItem(item=key[0], unit=key[1], quantity=entry.line.quantity, entry=self._numbers[key])
            for key, entry in sorted(self._wanted.items())
        ]
        said = self._before.model_copy(update={"items": tuple(items)})
        if said != self._before:
            yield Said(said)


def _quantities(published: ListPublished) -> dict[Key, float | None]:
    return {(i.item, i.unit): i.quantity for i in published.items}


def _told(row: Json) -> tuple[str, str, float]:
    return told(row["food"]["name"], (row["unit"] or {}).get("name"), float(row["amount"]))


def _basket(log: EventStore, household: str, week: date) -> frozenset[str]:
    """Items of the week's list that are in the basket now."""
    items: dict[str, bool] = {}
    for recorded in log.read_stream(f"{household}/shopping/{week}"):
        if isinstance(recorded.event, ItemTicked | ItemUnticked):
            items[recorded.event.item] = isinstance(recorded.event, ItemTicked)
    return frozenset(item for item, ticked in items.items() if ticked)
