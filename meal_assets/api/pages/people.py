"""Whose day a page shows: tabs of the household's persons, for who may see more than one."""

from dataclasses import dataclass

from meal_assets.event_store import Connection
from meal_assets.read_models.targets import PersonTargets, household_targets

from ..problems import Problem
from .visitor import Visitor

TOLERANCE_PCT = 10.0
"""How far a day may be off that nobody said more of."""


@dataclass(frozen=True, slots=True)
class People:
    """Everybody whom the visitor sees, and whom the page is about; None while there is nobody."""

    everybody: tuple[PersonTargets, ...]
    shown: PersonTargets | None

    @property
    def tolerance(self) -> float:
        known = self.shown.tolerance_pct if self.shown else None
        return TOLERANCE_PCT if known is None else known


def people_of(visitor: Visitor, db: Connection) -> People:
    """The person of the token, or whom `?person=` asks for, or the first. Raises a 404 problem for nobody known."""
    everybody = tuple(visitor.store.personal.opened(db, household_targets(db, visitor.household)))
    wanted = visitor.caller.person or visitor.request.query_params.get("person")
    if wanted is None:
        return People(everybody, everybody[0] if everybody else None)
    found = next((p for p in everybody if p.person == wanted), None)
    if found is None and wanted != visitor.caller.person:
        raise Problem(404, f"There is nobody called {wanted[:64]} here.")
    return People(everybody, found)


def names_of(visitor: Visitor, db: Connection) -> dict[str, str]:
    """Short id -> name."""
    found = visitor.store.personal.opened(db, household_targets(db, visitor.household))
    return {p.person: p.name or p.person for p in found}


def mine(visitor: Visitor, person: str) -> str:
    """The person, whom the visitor may speak for. Raises a 403 problem for another."""
    if visitor.caller.person not in (None, person):
        raise Problem(403, f"You speak for {visitor.caller.person} only, not for {person}.")
    return person
