"""How much happens."""

from meal_assets.contracts.shopping import ItemTicked, ItemUnticked
from meal_assets.event_store import EventStore, Origin
from meal_assets.read_models import catch_up
from meal_assets.read_models.event_statistics import EventStatistics

from .said import append, like


def test_events_are_counted_by_household_and_type(store: EventStore) -> None:
    append(store, like(ItemTicked), like(ItemUnticked), like(ItemTicked))
    catch_up(EventStatistics(), store)
    append(store, like(ItemTicked), origin=Origin("next-door", "test"))
    append(store, like(ItemTicked))
    catch_up(EventStatistics(), store)
    with store.database.transaction() as db:
        rows = db.execute(
            "SELECT household, type, sum(events), max(last_position) FROM read.event_statistics GROUP BY 1, 2"
        )
        assert sorted(rows) == [
            ("home", "shopping.ItemTicked", 3, 5),
            ("home", "shopping.ItemUnticked", 1, 2),
            ("next-door", "shopping.ItemTicked", 1, 4),
        ]
