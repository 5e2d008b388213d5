"""What is yours: everything of a person as a file, and the plan in your calendar."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from psycopg import sql

from meal_assets.contracts.plan import PlanGenerated
from meal_assets.domain.publication import MEAL_TIMES
from meal_assets.event_store import Connection, EventStore
from meal_assets.event_store.cloud_event import attributes_of, line_of
from meal_assets.event_store.households import seen_by
from meal_assets.event_store.tokens import create_token
from meal_assets.interchange.calendar import MealEntry, calendar_of
from meal_assets.interchange.cloud_events import logged_where, readable
from meal_assets.read_models import READ_MODELS
from meal_assets.read_models.base import columns_of
from meal_assets.read_models.targets import Targets

from ..caller import let_in, sees
from ..problems import Problem
from ..state import Here, shared_of
from .people import mine, people_of
from .showing import Panel, monday_of, page, plain_page
from .told import stream_of
from .visitor import Seen, Visitor, Written, visitor

router = APIRouter()
AT_ONCE = 500
WEEKS_BACK, WEEKS_AHEAD = 2, 5
FEED_LIFE = timedelta(days=730)


def _who(visitor: Visitor, db: Connection) -> Mapping[str, Any]:
    return {"people": people_of(visitor, db)}


@router.get("/yours")
def yours(visitor: Seen) -> Response:
    return page(visitor, "yours", "Your data and calendar", [Panel("owned", (Targets,), _who)])


@router.post("/yours/calendar")
def feed(visitor: Seen, form: Written) -> Response:
    """An address for a calendar program; it reads the plan and nothing else, and is shown once."""
    del form
    caller = visitor.caller
    secret, token = create_token(
        visitor.shared.store.database,
        caller.household,
        "calendar",
        person=caller.person,
        name="calendar feed",
        life=FEED_LIFE,
    )
    base = str(visitor.request.base_url).rstrip("/")
    where = f"{base}/calendar.ics?token={secret}"
    return plain_page(visitor, "feed.html", where=where, token=token)


@router.get("/calendar.ics")
def calendar(request: Request, here: Here, token: str = "") -> Response:
    """The planned meals of the weeks around today, as iCalendar."""
    caller = let_in(request, here, token) if token else visitor(request).caller
    store = sees(request, caller)
    seen = Visitor(request, shared_of(request), caller, store, "")
    times, zone = {**MEAL_TIMES, **here.settings.meal_times}, here.settings.zone
    monday = monday_of(here.settings.today())
    meals, newest, planned_at = [], 0, datetime(2026, 1, 1, tzinfo=UTC)
    with store.database.transaction() as db:
        for n in range(-WEEKS_BACK, WEEKS_AHEAD + 1):
            told = stream_of(seen, db, f"plan/{monday + timedelta(weeks=n)}")
            last = next((r for r in reversed(told) if isinstance(r.event, PlanGenerated)), None)
            if last is None or not isinstance(last.event, PlanGenerated):
                continue
            newest, planned_at = max(newest, last.position), max(planned_at, last.recorded_at)
            for m in last.event.meals:
                if caller.person is None or caller.person in m.portions:
                    portions = ", ".join(f"{who} {amount:g}" for who, amount in sorted(m.portions.items()))
                    at = datetime.combine(m.day, times[m.meal], zone)
                    meals.append(MealEntry((m.day, m.meal), m.title, portions, at))
    body = calendar_of(caller.household, meals, (), planned_at, newest)
    return Response(body, media_type="text/calendar; charset=utf-8", headers={"Cache-Control": "private, no-cache"})


@router.get("/yours/{person}.json")
def as_json(visitor: Seen, person: str) -> Response:
    """Every row and event that is of the person, as JSON."""
    store = _seen(visitor, person)
    headers = {"Content-Disposition": f'attachment; filename="{person}.json"'}
    return StreamingResponse(_json(store, visitor.household, person), media_type="application/json", headers=headers)


@router.get("/yours/{person}.zip")
def as_csv(visitor: Seen, person: str) -> Response:
    """The rows as CSV files, one a table, and the events as JSON Lines."""
    store, held = _seen(visitor, person), io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for table, rows in _tables(store, visitor.household, person):
            text = io.StringIO()
            writer = csv.DictWriter(text, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows({k: _cell(v) for k, v in row.items()} for row in rows)
            archive.writestr(f"{table}.csv", text.getvalue())
        with archive.open("events.jsonl", "w") as file:
            for line in _events(store, visitor.household, person):
                file.write(f"{line}\n".encode())
    headers = {"Content-Disposition": f'attachment; filename="{person}.zip"'}
    return Response(held.getvalue(), media_type="application/zip", headers=headers)


def _cell(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula is none."""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value


def _seen(visitor: Visitor, person: str) -> EventStore:
    """What the person sees; the database lets no more through. Raises a 404 problem for nobody known."""
    mine(visitor, person)
    with visitor.store.database.transaction() as db:
        if person not in {p.person for p in people_of(visitor, db).everybody}:
            raise Problem(404, f"There is nobody called {person[:64]} here.")
    return seen_by(visitor.shared.store, visitor.household, person)


def _tables(store: EventStore, household: str, person: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Every table that has rows of the person, with these."""
    for model in READ_MODELS.values():
        for table in model.tables:
            names = {c.name for c in columns_of(model, table)}
            if not {"household", "person"} <= names:
                continue
            query = sql.SQL("SELECT to_jsonb(t) FROM {} AS t WHERE (household, person) = (%s, %s)")
            with store.database.transaction() as db:
                if db.execute("SELECT to_regclass(%s)", (f"read.{table}",)).fetchone() == (None,):
                    continue
                rows = db.execute(query.format(sql.Identifier("read", table)), (household, person)).fetchall()
                if rows:
                    yield table, store.personal.opened(db, [row for (row,) in rows])


def _events(store: EventStore, household: str, person: str) -> Iterator[str]:
    """What was said of the person, in the order of the log, as CloudEvents."""
    after = 0
    while True:
        condition = sql.SQL("household = {} AND payload->>'person' = {} AND position > {}")
        with store.database.transaction() as db:
            rows = logged_where(db, condition.format(household, person, after), AT_ONCE)
        for row in readable(store, rows):
            yield line_of(attributes_of(row, chained=False), row.data)
        if len(rows) < AT_ONCE:
            return
        after = rows[-1].position


def _json(store: EventStore, household: str, person: str) -> Iterator[str]:
    yield f'{{"person": {json.dumps(person)}, "written": {json.dumps(str(date.today()))}, "read_models": {{'
    for n, (table, rows) in enumerate(_tables(store, household, person)):
        yield f"{', ' if n else ''}{json.dumps(table)}: {json.dumps(rows, ensure_ascii=False, default=str)}"
    yield '}, "events": ['
    for n, line in enumerate(_events(store, household, person)):
        yield f"{', ' if n else ''}{line}"
    yield "]}\n"
