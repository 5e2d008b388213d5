"""A read model as it stood at the head, in temporary tables, beside a rebuild that takes its place for good."""

from meal_assets.event_store import EventStore, Origin
from meal_assets.event_store.bulk import append_bulk
from meal_assets.read_models import rebuild
from meal_assets.read_models.base import tables_as_of
from meal_assets.read_models.daily_nutrition import DailyNutrition

from .figures import Figure, rates
from .rebuild import EVENTS, meals
from .scratch import scratch_store

AIM_SECONDS = 5.0


def run(events: int = EVENTS) -> list[Figure]:
    with scratch_store() as store:
        append_bulk(store, meals(events), Origin("home", "bench"))
        rebuild(DailyNutrition(), store)
        ours, peer = (
            1 / rate for rate in rates(1, lambda: _look_back(store), lambda: rebuild(DailyNutrition(), store), rounds=3)
        )
    name, aim = f"as of the end of {events:,}", f"≤ {AIM_SECONDS:g} s"
    return [Figure(name, ours, "s", aim, ours <= AIM_SECONDS, peer=peer, peer_name="rebuild, compare, exchange")]


def _look_back(store: EventStore) -> None:
    with tables_as_of(DailyNutrition(), store, store.head()) as db:
        db.execute("SELECT count(*) FROM daily_nutrition").fetchone()
