"""Days of a diary as pyeventsourcing keeps them: its ProjectionRunner into a table, as its documentation shows."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import psycopg
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.sql import SQL

from .peer import environment

AT_ONCE = 1_000
PATIENCE_SECONDS = 600.0
DIARY = UUID(int=0)


class Diary(Aggregate):
    """The meals of one person's day."""

    @dataclass(frozen=True)
    class Logged(Aggregate.Event):
        """A meal, with what the day's totals need."""

        person: str
        day: str
        kcal: float
        protein_g: float
        carbs_g: float
        fat_g: float


class Meals(Application[UUID]):
    """Where the peer keeps its events."""

    def note(self, meals: list[dict[str, Any]]) -> None:
        """Append them, a thousand at once, each to the stream of its person's day."""
        versions: dict[UUID, int] = {}
        for start in range(0, len(meals), AT_ONCE):
            stored = []
            for meal in meals[start : start + AT_ONCE]:
                stream = uuid5(DIARY, f"{meal['person']}/{meal['day']}")
                versions[stream] = versions.get(stream, 0) + 1
                event = Diary.Logged(
                    originator_id=stream, originator_version=versions[stream],
                    timestamp=Diary.Logged.create_timestamp(), **meal,
                )  # fmt: skip
                stored.append(self.mapper.to_stored_event(event))
            self.recorder.insert_events(stored)


class Days(PostgresTrackingRecorder):
    """The table, and the position it stands at, written in one transaction an event."""

    def __init__(self, datastore: Any, **options: Any) -> None:
        super().__init__(datastore, **options)
        self.sql_create_statements.append(
            SQL(
                "CREATE TABLE IF NOT EXISTS peer_days (person text, day date, meals int, kcal numeric,"
                " protein_g numeric, carbs_g numeric, fat_g numeric, PRIMARY KEY (person, day))"
            ).format()
        )

    def add(self, meal: Diary.Logged, tracking: Tracking) -> None:
        """Add a meal to its day."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(
                "INSERT INTO peer_days AS d VALUES (%s, %s, 1, %s, %s, %s, %s) ON CONFLICT (person, day) DO UPDATE"
                " SET meals = d.meals + 1, kcal = d.kcal + excluded.kcal, protein_g = d.protein_g + excluded.protein_g,"
                " carbs_g = d.carbs_g + excluded.carbs_g, fat_g = d.fat_g + excluded.fat_g",
                (meal.person, meal.day, meal.kcal, meal.protein_g, meal.carbs_g, meal.fat_g),
                prepare=True,
            )


class DailyTotals(Projection[Days]):
    """Events in, days out."""

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        if isinstance(domain_event, Diary.Logged):
            self.view.add(domain_event, tracking)


def log(url: str, meals: list[dict[str, Any]]) -> None:
    """Fill the peer's log."""
    application = Meals(environment(url))
    application.note(meals)
    application.close()


def project(url: str, events: int) -> None:
    """Make the table anew from its log, one event after the other, to the last."""
    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE IF EXISTS peer_days, dailytotals_tracking")
    with ProjectionRunner(
        application_class=Meals, projection_class=DailyTotals, view_class=Days, env=environment(url)
    ) as runner:
        runner.wait(events, timeout=PATIENCE_SECONDS)
