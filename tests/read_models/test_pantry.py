"""What is at home, by what came in and what was used."""

from datetime import date

import pytest

from meal_assets.commands.pantry import stock, use
from meal_assets.domain.pantry import Lot
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Origin
from meal_assets.read_models import catch_up
from meal_assets.read_models.pantry import Pantry, lots_in

HOME = Origin("home", "test")
SOON, LATE = date(2026, 11, 24), date(2026, 12, 1)


def there(store: EventStore) -> list[Lot]:
    catch_up(Pantry(), store)
    with store.database.transaction() as db:
        return lots_in(db, "home")


def test_what_comes_in_is_weighed_where_the_food_tells(store: EventStore) -> None:
    stock(store, "eggs", 6, "", HOME, expires=LATE)
    stock(store, "Dragon scales", 2, "cup", HOME, frozen=True)
    eggs, scales = there(store)
    assert (eggs.item, eggs.quantity, eggs.unit, eggs.grams, eggs.expires) == ("eggs", 6, "piece", 300, LATE)
    assert (scales.unit, scales.food, scales.grams, scales.frozen) == ("ml", None, None, True)


def test_what_expires_first_is_used_first_however_the_item_is_spelled(store: EventStore) -> None:
    stock(store, "eggs", 6, "", HOME, expires=LATE)
    stock(store, "egg", 4, "piece", HOME, expires=SOON)
    use(store, "Eggs", (5, ""), HOME)
    assert [(x.quantity, x.grams, x.expires) for x in there(store)] == [(5, 250, LATE)]
    use(store, "eggs", None, HOME)
    assert there(store) == []


def test_an_amount_in_another_unit_like_it_is_the_same(store: EventStore) -> None:
    stock(store, "flour", 1, "kg", HOME)
    use(store, "flour", (250, "g"), HOME)
    assert [(x.quantity, x.unit) for x in there(store)] == [(750, "g")]


@pytest.mark.parametrize(("amount", "unit"), [(7, ""), (10, "g")])
def test_more_than_is_there_is_not_used(store: EventStore, amount: float, unit: str) -> None:
    stock(store, "eggs", 6, "", HOME)
    head = store.head()
    with pytest.raises(Invalid, match="6 pieces"):
        use(store, "eggs", (amount, unit), HOME)
    assert store.head() == head


@pytest.mark.parametrize(("item", "amount"), [("!!", 1.0), ("eggs", 0.0), ("eggs", -1.0), ("eggs", float("nan"))])
def test_nothing_is_not_put_away(store: EventStore, item: str, amount: float) -> None:
    with pytest.raises(Invalid):
        stock(store, item, amount, "", HOME)
