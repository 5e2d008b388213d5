"""A read model as it stood at the head, in temporary tables, beside a rebuild that takes its place for good."""

from meal_assets.event_store import EventStore
from meal_assets.read_models import rebuild
from meal_assets.read_models.base import tables_as_of
from meal_assets.read_models.daily_nutrition import DailyNutrition

from .figures import Figure, rates
from .rebuild import EVENTS, fill
from .scratch import scratch_store


def run() -> list[Figure]:
    with scratch_store() as store:
        fill(store)
        rebuild(DailyNutrition(), store)
        ours, peer = rates(EVENTS, lambda: _look_back(store), lambda: rebuild(DailyNutrition(), store))
    aim = "≥ a rebuild"
    return [Figure("as of", ours, "events/s", aim, ours >= peer, peer=peer, peer_name="rebuild, compare, exchange")]


def _look_back(store: EventStore) -> None:
    with tables_as_of(DailyNutrition(), store, EVENTS) as db:
        db.execute("SELECT count(*) FROM daily_nutrition").fetchone()
