"""Verifying the chain, beside merely reading and hashing the same bytes once."""

from meal_assets.event_store import Origin
from meal_assets.event_store.bulk import append_bulk

from .bulk import diary_events
from .figures import Figure, rates
from .scratch import scratch_store

EVENTS = 1_000_000
HASH = "SELECT count(sha256(record_send(e))) FROM log.events e"


def run(events: int = EVENTS) -> list[Figure]:
    with scratch_store() as store:
        append_bulk(store, diary_events(events), Origin("home", "bench"))
        with store.database.dedicated() as connection:
            ours, once = rates(events, store.first_broken_link, lambda: connection.execute(HASH), rounds=3)
    aim = "≥ 300,000 events/s"
    return [Figure("verify", ours, "events/s", aim, ours >= 300_000, limit=once, limit_name="hashing each row, 1 core")]
