"""Bring the library in line with a Tandoor: an event a recipe that says something new, and one that is gone.

It may be killed at any moment: what was said is found in the log, what was read is remembered every few recipes, and
the request is then handled again. Unlike other consumers it reads the log to its head, since the remote is never as of
an earlier position either.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from meal_assets.clients.tandoor_marks import Mark, Marks, Progress, There
from meal_assets.contracts import Event
from meal_assets.contracts.recipe import MAX_FINDINGS, LeftOut, RecipeFetched, RecipeRemoved, RecipesSynced
from meal_assets.contracts.recipe_request import RecipeSyncRequested
from meal_assets.domain.recipes.tandoor import read_tandoor, recipe_key, recipe_number
from meal_assets.errors import Invalid, RemoteFailed
from meal_assets.event_store import EventStore, Recorded

from .base import Act, Consumer, Said

if TYPE_CHECKING:
    from meal_assets.clients.tandoor import Tandoor

REMEMBER_EACH = 20
"""Recipes read again after a crash, at most."""


class SyncTandoor(Consumer):
    """Reads what changed in the household's Tandoor, or everything when that is asked for."""

    listens_to = (RecipeSyncRequested,)
    says = (RecipeFetched, RecipeRemoved, RecipesSynced)
    calls = ("tandoor",)

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said | Act]:
        with self.outside.tandoor(log.database) as tandoor:
            yield from _Sync(recorded, log, tandoor).run()


class _Sync:
    def __init__(self, recorded: Recorded, log: EventStore, tandoor: "Tandoor") -> None:
        assert isinstance(recorded.event, RecipeSyncRequested)
        self._request, self._position, self._tandoor = recorded.event, recorded.position, tandoor
        self._marks = Marks(log.database, recorded.household)
        self._known = _library(log, recorded.household)
        self._caused = {
            _key(r.event): r.event
            for r in log.read_correlation(recorded.correlation_id, recorded.position)
            if r.causation_id == recorded.event_id
        }
        """What was said because of this request, also by an attempt that died."""
        self._there = There.ask(tandoor)
        self._remembered = self._marks.all()

    def run(self) -> Iterator[Said | Act]:
        yield from self._read_what_changed()
        yield from self._remove_what_is_gone()
        listed, left_out = len(self._there.marks), self._left_out()
        yield from self._say(
            RecipesSynced(
                source="tandoor",
                full=self._request.full,
                listed=listed,
                fetched=self._count(RecipeFetched),
                removed=self._count(RecipeRemoved),
                rejected=len(left_out),
                left_out=tuple(left_out[:MAX_FINDINGS]),
            )
        )

    def _read_what_changed(self) -> Iterator[Said | Act]:
        known = self._remembered
        wanted = {*self._there.changed(known)}
        if self._request.full:
            wanted |= {n for n in self._there.marks if n in known and known[n].position < self._position}
        nutrient_of = self._tandoor.property_names() if wanted else {}
        done: list[Mark] = []
        failures: list[RemoteFailed] = []
        for count, number in enumerate(sorted(wanted), start=1):
            try:
                detail = self._tandoor.recipe(number)
            except RemoteFailed as error:  # its turn comes again, and the others need not wait for that
                failures.append(error)
                continue
            if isinstance(detail, str):
                continue  # it went a moment ago: the next sync will not find it in the list
            mark = Mark(number, self._there.marks[number], self._position)
            try:
                recipe = read_tandoor(detail, nutrient_of).event
            except Invalid as error:
                mark = Mark(number, mark.mark, self._position, error.field, error.reason)
            else:
                if self._known.get(recipe.recipe) != recipe.content_hash:
                    yield from self._say(recipe)
            done.append(mark)
            if len(done) == REMEMBER_EACH:
                yield self._remember(done, count, len(wanted))
                done = []
        if failures:
            yield self._remember(done, len(wanted) - len(failures), len(wanted))
            raise RemoteFailed(f"{len(failures)} of {len(wanted)} recipes could not be read: {failures[0]}")
        yield self._remember(done, len(wanted), len(wanted), whole=self._request.full)

    def _remove_what_is_gone(self) -> Iterator[Said | Act]:
        """Gone is what the list of all ids lacks, and what is refused when it is asked for."""
        library = {n for key in self._known if (n := recipe_number(key)) is not None}
        for number in self._there.missing(library | self._remembered.keys()):
            gone = self._tandoor.recipe(number)
            if not isinstance(gone, str):
                continue
            if number in library:
                yield from self._say(RecipeRemoved(recipe=recipe_key(number), reason=gone))
            yield Act(partial(self._forget, number))

    def _remember(self, marks: list[Mark], read: int, of: int, *, whole: bool = False) -> Act:
        self._remembered |= {m.number: m for m in marks}
        now = Progress(self._position, read, of, datetime.now(UTC) if whole else None)
        return Act(lambda _: self._marks.keep(marks, now))

    def _left_out(self) -> list[LeftOut]:
        return [
            LeftOut(recipe=recipe_key(m.number), field=m.field, reason=m.reason or "")
            for m in self._remembered.values()
            if m.field is not None and m.number in self._there.marks
        ]

    def _say(self, event: Event) -> Iterator[Said]:
        """Its key is what it says: the same said again, after a crash, is nothing new."""
        key = _key(event)
        yield Said(event, key)
        self._caused[key] = event

    def _count(self, kind: type[Event]) -> int:
        return sum(isinstance(e, kind) for e in self._caused.values())

    def _forget(self, number: int, _: str) -> None:
        self._marks.forget(number)


def _key(event: Event) -> str:
    return sha256(f"{event.type_name} {event.model_dump_json()}".encode()).hexdigest()[:32]


def _library(log: EventStore, household: str) -> dict[str, str]:
    """Recipe of a Tandoor that the library has -> content hash."""
    latest = log.latest((RecipeFetched, RecipeRemoved), household=household, until=log.head())
    return {
        r.event.recipe: r.event.content_hash
        for r in latest
        if isinstance(r.event, RecipeFetched) and recipe_number(r.event.recipe) is not None
    }
