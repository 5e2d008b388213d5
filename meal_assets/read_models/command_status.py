"""What became of a command: everything that carries its correlation id."""

from psycopg import sql

from meal_assets.contracts import EVENTS
from meal_assets.event_store.batch import Batch

from .base import ReadModel


class CommandStatus(ReadModel):
    """One row a command: failed once anything failed, working while its last event says so, else done."""

    listens_to = tuple(EVENTS.values())
    tables = {
        "command_status": """
            correlation_id uuid PRIMARY KEY, household text NOT NULL, actor text NOT NULL, command text NOT NULL,
            state text NOT NULL, events bigint NOT NULL, failures bigint NOT NULL, result text NOT NULL,
            first_position bigint NOT NULL, last_position bigint NOT NULL,
            accepted_at timestamptz NOT NULL, last_at timestamptz NOT NULL"""
    }
    made_of = {"result": ()}  # the type of the last event, whatever fields of that name there are
    shows = (
        "SELECT command, state, events, result, accepted_at, last_at FROM command_status ORDER BY last_position DESC"
    )

    def fold(self, batch: Batch) -> None:
        outcomes = [(e.type_name, e.outcome) for e in self.listens_to]
        batch.db.execute(
            sql.SQL("""
                INSERT INTO command_status AS s
                SELECT command.correlation_id, first.household, first.actor, first.type,
                       CASE WHEN failures > 0 THEN 'failed' ELSE last.outcome END,
                       events, failures, last.type, first.position, last.position,
                       first.recorded_at, last.recorded_at
                FROM (
                    SELECT correlation_id, min(position) AS at_first, max(position) AS at_last, count(*) AS events,
                           count(*) FILTER (WHERE outcome = 'failed') AS failures
                    FROM log.events
                    JOIN unnest(%(types)s::text[], %(outcomes)s::text[]) AS o (type, outcome) USING (type)
                    WHERE position > %(after)s AND position <= %(upto)s GROUP BY correlation_id
                ) AS command
                JOIN log.events AS first ON first.position = at_first
                JOIN (log.events JOIN unnest(%(types)s::text[], %(outcomes)s::text[]) AS o (type, outcome) USING (type))
                     AS last ON last.position = at_last
                ON CONFLICT (correlation_id) DO UPDATE SET
                    state = CASE WHEN s.failures + excluded.failures > 0 THEN 'failed' ELSE excluded.state END,
                    events = s.events + excluded.events, failures = s.failures + excluded.failures,
                    result = excluded.result, last_position = excluded.last_position, last_at = excluded.last_at
            """),
            {
                "types": [t for t, _ in outcomes],
                "outcomes": [o for _, o in outcomes],
                "after": batch.after,
                "upto": batch.upto,
            },
        )
