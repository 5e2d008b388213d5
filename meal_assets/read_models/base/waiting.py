"""Waiting until a read model has taken in what somebody just said: to read one's own write."""

import time

from meal_assets.contracts.system import READ_MODEL_FLAG
from meal_assets.errors import Unavailable
from meal_assets.event_store import Connection, EventStore
from meal_assets.event_store.database import fetch_row
from meal_assets.event_store.folds import FOLDED
from meal_assets.event_store.switches import mode_of

from .model import ReadModel


def wait_until(store: EventStore, model: type[ReadModel], position: int, timeout: float) -> None:
    """Return when the model has taken in every event up to `position` that it listens to; it is told, and never asks.

    Raises `Unavailable` after `timeout` seconds, and at once while the model is paused before that position.
    """
    end = time.monotonic() + timeout
    with store.database.dedicated() as connection:
        connection.execute(f"LISTEN {FOLDED}")  # before the first look: what is folded in between is not missed
        while not _has_come_to(connection, model, position):
            if mode_of(connection, READ_MODEL_FLAG + model.name) == "off":
                raise Unavailable(
                    f"{model.name} is paused before position {position}: `meals resume {model.name}` lets it go on"
                )
            if not _next_fold(connection, model, end - time.monotonic()):
                raise Unavailable(
                    f"{model.name} did not come to position {position} in {timeout:g} s."
                    " `meals status` says where it stands and why; ask again, nothing is lost."
                )


def _has_come_to(db: Connection, model: type[ReadModel], position: int) -> bool:
    (left,) = fetch_row(
        db,
        "SELECT EXISTS (SELECT FROM log.events WHERE type = ANY(%(types)s) AND position <= %(position)s AND position >"
        " coalesce((SELECT position FROM log.checkpoints WHERE subscriber = %(name)s), 0))"
        " OR NOT EXISTS (SELECT FROM log.checkpoints WHERE subscriber = %(name)s)",
        {"types": [t.type_name for t in model.listens_to], "position": position, "name": model.name},
    )
    return not left


def _next_fold(db: Connection, model: type[ReadModel], seconds: float) -> bool:
    """True as soon as the model folded something, False when the time is up; what others fold wakes nobody."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        for told in db.notifies(timeout=left, stop_after=1):
            if told.payload.partition(":")[0] == model.name:
                return True
    return False
