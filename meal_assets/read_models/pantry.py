"""What is at home."""

from collections import defaultdict
from typing import Any

from meal_assets.contracts import Event
from meal_assets.contracts.pantry import PantryItemStocked, PantryItemUsed
from meal_assets.domain.pantry import Lot, stocked, used
from meal_assets.event_store import Connection
from meal_assets.event_store.batch import Batch

from .base import ReadModel

COLUMNS = "key, item, quantity, unit, food, grams, expires, frozen"
TOUCHED = "unnest(%s::text[], %s::text[]) AS touched (household, key)"
THERE = (
    f"SELECT household, {COLUMNS} FROM pantry JOIN {TOUCHED} USING (household, key)"  # noqa: S608
    " ORDER BY household, key, lot"
)
EMPTIED = f"DELETE FROM pantry USING {TOUCHED} WHERE (pantry.household, pantry.key) = (touched.household, touched.key)"  # noqa: S608


class Pantry(ReadModel):
    """What is left of everything that came in, lot by lot; what expires first is used first."""

    listens_to = (PantryItemStocked, PantryItemUsed)
    tables = {
        "pantry": """
            household text, key text, lot bigint, item text NOT NULL, quantity double precision NOT NULL,
            unit text NOT NULL, food text, grams double precision, expires date, frozen boolean NOT NULL,
            PRIMARY KEY (household, key, lot)"""
    }
    made_of = {"item": ("PantryItemStocked.item",), "unit": ("PantryItemStocked.unit",)}
    shows = "SELECT item, quantity, unit, expires, frozen FROM pantry ORDER BY expires NULLS LAST, item, lot"

    def fold(self, batch: Batch) -> None:
        events = batch.events
        touched = sorted({(r.household, _key(r.event)) for r in events})
        if not touched:
            return
        which = [list(column) for column in zip(*touched, strict=True)]
        lots = defaultdict[tuple[str, str], list[Lot]](list)
        for household, *row in batch.db.execute(THERE, which).fetchall():
            lots[household, row[0]].append(Lot(*row))
        for recorded in events:
            event, key = recorded.event, (recorded.household, _key(recorded.event))
            if isinstance(event, PantryItemStocked):
                lots[key].append(stocked(event))
            elif isinstance(event, PantryItemUsed):
                lots[key] = used(lots[key], event.unit, event.quantity)
        with batch.db.pipeline(), batch.db.cursor() as cursor:
            cursor.execute(EMPTIED, which)
            cursor.executemany(
                f"INSERT INTO pantry (household, lot, {COLUMNS}) VALUES (%s, %s{', %s' * 8})",  # noqa: S608
                [
                    (household, n, x.key, x.item, x.quantity, x.unit, x.food, x.grams, x.expires, x.frozen)
                    for household, key in touched
                    for n, x in enumerate(lots[household, key])
                ],
            )


def _key(event: Event) -> str:
    assert isinstance(event, PantryItemStocked | PantryItemUsed)
    return event.key


def lots_in(db: Connection, household: str) -> list[Lot]:
    """All that is at home, what expires first before the others."""
    rows: Any = db.execute(
        f"SELECT {COLUMNS} FROM read.pantry WHERE household = %s ORDER BY expires NULLS LAST, item, lot",  # noqa: S608
        (household,),
    )
    return [Lot(*row) for row in rows]
