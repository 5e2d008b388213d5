"""What is at home."""

from typing import Any

from meal_assets.contracts.pantry import PantryItemStocked, PantryItemUsed
from meal_assets.domain.pantry import Lot, stocked, used
from meal_assets.event_store import Connection, Recorded

from .base import ReadModel

COLUMNS = "key, item, quantity, unit, food, grams, expires, frozen"


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

    def apply(self, db: Connection, recorded: Recorded) -> None:
        event = recorded.event
        assert isinstance(event, PantryItemStocked | PantryItemUsed)
        rows: Any = db.execute(
            f"SELECT {COLUMNS} FROM pantry WHERE household = %s AND key = %s ORDER BY lot",  # noqa: S608
            (recorded.household, event.key),
        ).fetchall()
        lots = [Lot(*row) for row in rows]
        lots = (
            [*lots, stocked(event)] if isinstance(event, PantryItemStocked) else used(lots, event.unit, event.quantity)
        )
        db.execute("DELETE FROM pantry WHERE household = %s AND key = %s", (recorded.household, event.key))
        with db.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO pantry (household, lot, {COLUMNS}) VALUES (%s, %s{', %s' * 8})",  # noqa: S608
                [
                    (recorded.household, n, x.key, x.item, x.quantity, x.unit, x.food, x.grams, x.expires, x.frozen)
                    for n, x in enumerate(lots)
                ],
            )


def lots_in(db: Connection, household: str) -> list[Lot]:
    """All that is at home, what expires first before the others."""
    rows: Any = db.execute(
        f"SELECT {COLUMNS} FROM read.pantry WHERE household = %s ORDER BY expires NULLS LAST, item, lot",  # noqa: S608
        (household,),
    )
    return [Lot(*row) for row in rows]
