"""Trends: weight, energy eaten and spent, and how far days were from their targets; pictures made on the server."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from zlib import crc32

from fastapi import APIRouter, Response

from meal_assets.charts import lines
from meal_assets.commands.body import record_weights
from meal_assets.contracts.body import WeightRecorded
from meal_assets.event_store import Connection
from meal_assets.read_models import asking
from meal_assets.read_models.daily_nutrition import DailyNutrition, days_eaten
from meal_assets.read_models.energy_balance import EnergyBalance, balances
from meal_assets.read_models.reconciliation import Reconciliation, reconciled_days
from meal_assets.read_models.targets import Targets
from meal_assets.read_models.weight_trend import WeightTrend, weights_of

from ..problems import Problem
from .people import mine, people_of
from .showing import NUTRIENTS, Panel, day_of, done, page
from .visitor import Seen, Visitor, Written, number

router = APIRouter()
RANGES = (28, 90, 365)
NARROW = 420
PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""A picture has its styles in itself; nothing of it runs."""
Series = dict[str, dict[date, float]]
Rows = list[tuple[date, list[float | None]]]


def _days(visitor: Visitor) -> int:
    asked = visitor.request.query_params.get("days", "")
    return int(asked) if asked.isdecimal() and int(asked) in RANGES else RANGES[0]


def _span(visitor: Visitor) -> tuple[date, date]:
    return visitor.today - timedelta(days=_days(visitor) - 1), visitor.today


def _weights(visitor: Visitor, db: Connection, person: str) -> tuple[tuple[str, ...], Rows]:
    rows = weights_of(db, visitor.household, person, *_span(visitor))
    return ("Weighed, kg", "Trend, kg"), [(day, [weight, trend]) for day, weight, trend in rows]


def _energy(visitor: Visitor, db: Connection, person: str) -> tuple[tuple[str, ...], Rows]:
    span = _span(visitor)
    eaten = {d.day: d.eaten[0] for d in days_eaten(db, visitor.household, *span, person)}
    spent = {d.day: d for d in balances(db, visitor.household, *span, person)}
    rows: Rows = [
        (day, [eaten.get(day), *((s.kcal, s.low_kcal, s.high_kcal) if (s := spent.get(day)) else (None, None, None))])
        for day in sorted(eaten.keys() | spent.keys())
    ]
    return ("Eaten, kcal", "Spent, kcal", "at least", "at most"), rows


def _deviation(visitor: Visitor, db: Connection, person: str) -> tuple[tuple[str, ...], Rows]:
    found = [d for d in reconciled_days(db, visitor.household, *_span(visitor)) if d.person == person]
    columns = tuple(f"{called}, %" for _, called, _ in NUTRIENTS)
    return columns, [(d.day, [d.deviation[name] for name, *_ in NUTRIENTS]) for d in found]


KINDS = {
    "weight": ("Weight", "kg", (WeightTrend, Targets), _weights, 1),
    "energy": ("Energy eaten and spent", "kcal a day", (DailyNutrition, EnergyBalance, Targets), _energy, 0),
    "deviation": ("Off the target, average of the week", "%", (Reconciliation, Targets), _deviation, 0),
}
"""Title, unit, read models, rows, decimals."""
BESIDE = {"weight": ("Trend, kg",), "energy": ("at least", "at most"), "deviation": ()}
"""What is drawn dashed."""


def _panel(kind: str) -> Panel:
    def load(visitor: Visitor, db: Connection) -> Mapping[str, Any]:
        people = people_of(visitor, db)
        title, _, _, rows_of, digits = KINDS[kind]
        columns, rows = rows_of(visitor, db, people.shown.person) if people.shown else ((), [])
        asked = {"days": _days(visitor), "person": people.shown.person if people.shown else ""}
        return {
            "people": people,
            "day": visitor.today,
            "span": asked["days"],
            kind: {
                "title": title,
                "columns": columns,
                "rows": rows,
                "digits": digits,
                "picture": f"/app/trends/{kind}.svg?{urlencode({**asked, 'of': hash_of(rows)})}",
            },
        }

    return Panel(kind, KINDS[kind][2], load)


def hash_of(rows: Rows) -> str:
    """Another one when the picture is."""
    return f"{crc32(str(rows).encode()):x}"


@router.get("/trends")
def trends(visitor: Seen) -> Response:
    return page(visitor, "trends", "Trends", [_panel(kind) for kind in KINDS], ranges=RANGES)


@router.get("/trends/{kind}.svg")
def picture(visitor: Seen, kind: str) -> Response:
    """A chart; `narrow` for a phone, `dark` for a dark page."""
    if kind not in KINDS:
        raise Problem(404, "There is no such picture.")
    title, unit, models, rows_of, _ = KINDS[kind]
    query = visitor.request.query_params
    with asking(visitor.store, *models) as (db, _):
        people = people_of(visitor, db)
        columns, rows = rows_of(visitor, db, people.shown.person) if people.shown else ((), [])
    series: Series = {
        _called(name): {day: value for day, values in rows if (value := values[n]) is not None}
        for n, name in enumerate(columns)
    }
    dashed = {_called(name) for name in BESIDE[kind]}
    first = next(iter(series), "")
    svg = lines(
        title,
        unit,
        {name: points for name, points in series.items() if name not in dashed},
        beside={name.lower(): {_beside(kind, first): points} for name, points in series.items() if name in dashed},
        dark="dark" in query,
        **({"width": NARROW} if "narrow" in query else {}),
    )
    headers = {"Content-Security-Policy": PICTURE_POLICY, "Cache-Control": "private, max-age=600"}
    return Response(svg, media_type="image/svg+xml", headers=headers)


def _called(column: str) -> str:
    """Its name without the unit."""
    return column.partition(",")[0]


def _beside(kind: str, first: str) -> str:
    """The line whose colour the dashed ones have."""
    return "Spent" if kind == "energy" else first


@router.post("/trends/weigh")
def weigh(visitor: Seen, form: Written) -> Response:
    """A weigh-in."""
    person = mine(visitor, form["person"])
    weight = number(form, "weight_kg", "Weight")
    event = WeightRecorded.model_validate(
        {"person": person, "day": day_of(form["day"], visitor.today), "weight_kg": weight}
    )
    receipt = visitor.accept(lambda store, origin: record_weights(store, person, [event], origin), form)
    return done(receipt, form["back"])
