"""Whether a consumer speaks, only shadows, or rests: what its flag said last, in the log itself."""

from typing import cast

from meal_assets.contracts.system import CONSUMER_FLAG, FlagSet, Mode
from meal_assets.event_store import EventStore

DEFAULT: Mode = "on"


def modes(store: EventStore) -> dict[str, Mode]:
    """Consumer -> its mode, for those whose flag was ever set; the others are on."""
    with store.database.transaction() as db:
        rows = db.execute(
            "SELECT DISTINCT ON (flag) flag, value FROM (SELECT payload->>'flag' AS flag, payload->>'value' AS value,"
            " position FROM log.events WHERE type = %s) AS said"
            " WHERE starts_with(flag, %s) ORDER BY flag, position DESC",
            (FlagSet.type_name, CONSUMER_FLAG),
        )
        return {str(flag).removeprefix(CONSUMER_FLAG): cast(Mode, value) for flag, value in rows}


def mode_of(store: EventStore, consumer: str) -> Mode:
    """What the consumer's flag says now."""
    return modes(store).get(consumer, DEFAULT)
