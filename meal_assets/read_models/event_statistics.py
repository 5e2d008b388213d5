"""How much happens: events of each type on each day."""

from meal_assets.contracts import EVENTS
from meal_assets.event_store.batch import Batch

from .base import ReadModel


class EventStatistics(ReadModel):
    """Count and newest position of each event type, by household and day (UTC)."""

    listens_to = tuple(EVENTS.values())
    tables = {
        "event_statistics": """
            household text, type text, day date, events bigint NOT NULL, last_position bigint NOT NULL,
            PRIMARY KEY (household, type, day)"""
    }
    made_by = {"day": "(recorded_at AT TIME ZONE 'UTC')::date = %(day)s::date", "type": "type = %(type)s"}
    shows = "SELECT day, type, events, last_position FROM event_statistics ORDER BY day DESC, type"

    def fold(self, batch: Batch) -> None:
        batch.db.execute(
            """
            INSERT INTO event_statistics AS s
            SELECT household, type, (recorded_at AT TIME ZONE 'UTC')::date AS day, count(*), max(position)
            FROM log.events WHERE position > %s AND position <= %s AND type = ANY(%s) GROUP BY household, type, day
            ON CONFLICT (household, type, day) DO UPDATE SET
                events = s.events + excluded.events, last_position = excluded.last_position
            """,
            (batch.after, batch.upto, [e.type_name for e in self.listens_to]),
        )
