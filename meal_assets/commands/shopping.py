"""Ticking off what is in the basket: here, or in the list of a Tandoor."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from meal_assets.clients.outside import Outside
from meal_assets.contracts import Event
from meal_assets.contracts.publication import ListPublished
from meal_assets.contracts.shopping import ItemTicked, ItemUnticked
from meal_assets.domain.publication import SHOPPING_FLAG, TANDOOR
from meal_assets.event_store import EventStore, Origin

from .base import Accepted, command

STILL_BOUGHT = timedelta(weeks=1)
"""So long after a week began its list is looked at in Tandoor; and that of any week to come."""


def tick(store: EventStore, week: date, item: str, origin: Origin, *, done: bool = True) -> Accepted:
    """Tick an item of the week's list, or put it back; what stands already says nothing new."""
    event = _event(week, item, done=done)

    def decide(history: list[Event]) -> list[Event]:
        about = [e for e in history if isinstance(e, ItemTicked | ItemUnticked) and e.item == item]
        stands = isinstance(about[-1], ItemTicked) if about else False
        return [] if stands == done else [event]

    return command(store, event.stream_in(origin.household), decide, origin)


def lists_in_tandoor(store: EventStore, outside: Outside, household: str, today: date) -> list[ListPublished]:
    """The lists that somebody may be ticking in Tandoor now; none where that is switched off, or no Tandoor is set."""
    from meal_assets import flags  # it brings OpenFeature with it, which the definitions do without

    if not outside.knows_tandoor or not flags.is_on(store.database, SHOPPING_FLAG, household):
        return []
    latest = [r.event for r in store.latest((ListPublished,), household=household, until=store.head())]
    return [e for e in latest if isinstance(e, ListPublished) and e.items and today < e.week + STILL_BOUGHT]


def read_ticks(store: EventStore, outside: Outside, origin: Origin, today: date) -> list[str]:
    """What people ticked in Tandoor's list, or put back there, is so here; the items.

    Of what was ticked here and there the newer holds, so that a tick that is still on its way there is not undone. An
    item with several lines is in the basket when all of them are. Raises `RemoteFailed`, `Waiting`, `RemoteRefused`.
    """
    lists, said = lists_in_tandoor(store, outside, origin.household, today), []
    if not lists:
        return []
    basket = {published.week: _basket(store, origin.household, published.week) for published in lists}
    with outside.tandoor(store.database) as tandoor:
        rows = {int(row["id"]): row for row in tandoor.entries()}
        ahead = tandoor.clock() - datetime.now(UTC)
    for published in lists:
        for item, there in _there(published, rows).items():
            here = basket[published.week].get(item, NEVER)
            if there.ticked == here.ticked or there.at - ahead <= here.at:
                continue
            if _follow(store, published.week, item, there, here, origin):
                said.append(item)
    return said


class _Tick(NamedTuple):
    """Whether an item is ticked, since when, and how often that was said here."""

    ticked: bool
    at: datetime
    times: int = 0


NEVER = _Tick(False, datetime.min.replace(tzinfo=UTC))


def _basket(store: EventStore, household: str, week: date) -> dict[str, _Tick]:
    found: dict[str, _Tick] = {}
    for recorded in store.read_stream(ItemTicked(week=week, item="any").stream_in(household)):
        event = recorded.event
        if isinstance(event, ItemTicked | ItemUnticked):
            times = found.get(event.item, NEVER).times + 1
            found[event.item] = _Tick(isinstance(event, ItemTicked), recorded.recorded_at, times)
    return found


def _there(published: ListPublished, rows: Mapping[int, Mapping[str, Any]]) -> dict[str, _Tick]:
    """As far as the list still shows it."""
    lines: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for item in published.items:
        if item.entry in rows:
            lines[item.item].append(rows[item.entry])
    return {
        item: _Tick(all(r["checked"] for r in found), max(datetime.fromisoformat(r["updated_at"]) for r in found))
        for item, found in lines.items()
    }


def _follow(store: EventStore, week: date, item: str, there: _Tick, here: _Tick, origin: Origin) -> bool:
    """Say it, unless somebody ticked here while Tandoor was asked."""
    event = _event(week, item, done=there.ticked)

    def decide(history: list[Event]) -> list[Event]:
        times = sum(isinstance(e, ItemTicked | ItemUnticked) and e.item == item for e in history)
        return [event] if times == here.times else []

    by = replace(origin, actor=TANDOOR)
    return command(store, event.stream_in(origin.household), decide, by).events > 0


def _event(week: date, item: str, *, done: bool) -> ItemTicked | ItemUnticked:
    return ItemTicked(week=week, item=item) if done else ItemUnticked(week=week, item=item)
