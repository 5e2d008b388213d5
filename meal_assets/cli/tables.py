"""Weeks, days and lists as people look at them on a terminal."""

from collections.abc import Container, Mapping, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from rich.table import Table
from rich.text import Text

from meal_assets.consumers.base import Difference
from meal_assets.contracts.values import MEALS
from meal_assets.domain.nutrition import food_key
from meal_assets.domain.pantry import Lot
from meal_assets.domain.prep import Step
from meal_assets.domain.rest_of_day import Choice
from meal_assets.domain.shop import ToBuy
from meal_assets.domain.shopping import shown
from meal_assets.domain.units import AS_WRITTEN
from meal_assets.read_models.daily_nutrition import DayEaten
from meal_assets.read_models.dead_letters import Letter
from meal_assets.read_models.energy_balance import DayBalance
from meal_assets.read_models.reconciliation import ReconciledDay
from meal_assets.read_models.targets import PersonTargets
from meal_assets.read_models.week_plan import DayTotal, PlannedWeek

GOOD_PCT, FAIR_PCT = 5, 10
NUTRIENTS = ("energy", "protein", "carbs", "fat")
UNITS = ("kcal", "g", "g", "g")


def week_table(week: PlannedWeek) -> Table:
    """The week as a grid of days and meals, each dish with its portions in servings."""
    meals = [m for m in MEALS if any(c.meal == m for c in week.cells)]
    table = Table(title=f"Week of {week.week:%A %d %B %Y}", title_justify="left", show_lines=True)
    table.add_column("", style="bold", no_wrap=True)
    for meal in meals:
        table.add_column(meal.capitalize())
    cells = {(c.day, c.meal): c for c in week.cells}
    for day in (week.week + timedelta(days=n) for n in range(7)):
        row = [Text(f"{day:%a %d}")]
        for meal in meals:
            cell = cells.get((day, meal))
            row.append(
                Text("–", style="dim")
                if cell is None
                else Text.assemble(cell.title, "\n", (_portions(cell.portions), "dim"))
            )
        table.add_row(*row)
    return table


def totals_table(days: Sequence[DayTotal]) -> Table:
    """Each person's planned days beside their targets."""
    table = Table(title="Planned against target", title_justify="left")
    table.add_column("", style="bold")
    table.add_column("who")
    for name in NUTRIENTS:
        table.add_column(name, justify="right")
    for total in days:
        table.add_row(f"{total.day:%a %d}", total.person, *against(total.planned, total.target))
    return table


def eaten_table(days: Sequence[DayEaten], targets: Mapping[str, PersonTargets]) -> Table:
    """What was eaten beside the target that holds."""
    table = Table(title="Eaten against target", title_justify="left")
    for name in ("day", "who", "entries"):
        table.add_column(name)
    for name in NUTRIENTS:
        table.add_column(name, justify="right")
    for day in days:
        known = targets.get(day.person)
        goal = known.target if known and known.target else (0.0,) * 4
        table.add_row(f"{day.day:%a %d %b}", day.person, str(day.entries), *against(day.eaten, goal))
    return table


def reconciled_table(days: Sequence[ReconciledDay]) -> Table:
    """The control loop's verdicts."""
    table = Table(title="Reconciled days (average of the week so far against target)", title_justify="left")
    for name in ("day", "who", *NUTRIENTS, "verdict", "try next"):
        table.add_column(name, justify="right" if name in NUTRIENTS else "left")
    for day in days:
        table.add_row(
            f"{day.day:%a %d %b}",
            day.person,
            *(_percent(day.deviation[n]) for n in ("kcal", "protein_g", "carbs_g", "fat_g")),
            Text("on track", style="green") if day.within_tolerance else Text("off track", style="yellow"),
            ", ".join(s["title"] for s in day.suggestions[:2]),
        )
    return table


def energy_table(days: Sequence[DayBalance]) -> Table:
    """What was eaten and spent; what is not known of a day is a dash."""
    table = Table(title="Energy spent a day (kcal)", title_justify="left")
    for name in ("day", "who", "weight", "eaten", "spent", "95 % between"):
        table.add_column(name, justify="left" if name in ("day", "who") else "right")
    for day in days:
        table.add_row(
            f"{day.day:%a %d %b}",
            day.person,
            f"{day.weight_kg:.1f} kg",
            "–" if day.intake_kcal is None else f"{day.intake_kcal:,.0f}",
            f"{day.kcal:,.0f}",
            f"{day.low_kcal:,.0f} and {day.high_kcal:,.0f}",
        )
    return table


def choices_table(title: str, choices: Sequence[Choice]) -> Table:
    """Dishes that fit what is left of a day, the best first."""
    table = Table(title=title, title_justify="left")
    for name in ("dish", "servings", *NUTRIENTS, "closes"):
        table.add_column(name, justify="left" if name == "dish" else "right")
    for choice in choices:
        holds = choice.dish.per_serving * choice.servings
        amounts = (holds.kcal, holds.protein_g, holds.carbs_g, holds.fat_g)
        figures = [f"{amount:,.0f} {unit}" for amount, unit in zip(amounts, UNITS, strict=True)]
        table.add_row(choice.dish.title, f"{choice.servings:g}", *figures, f"{choice.closes:.0%}")
    return table


def targets_table(persons: Sequence[PersonTargets]) -> Table:
    """Everybody's day."""
    table = Table(title="Daily targets", title_justify="left")
    for name in ("who", "name", *NUTRIENTS, "tolerance", "from", "never", "diets"):
        table.add_column(name, justify="right" if name in NUTRIENTS else "left")
    for person in persons:
        amounts = [f"{v:,.0f} {u}" for v, u in zip(person.target or (), UNITS, strict=False)] or ["–"] * 4
        table.add_row(
            person.person,
            person.name or "",
            *amounts,
            "" if person.tolerance_pct is None else f"± {person.tolerance_pct:g} %",
            (person.source or "").replace("_", " "),
            ", ".join(person.exclude),
            ", ".join(person.diets),
        )
    return table


def shopping_table(week: date, lines: Sequence[ToBuy], ticked: Container[str]) -> Table:
    """The list by aisle, with what is needed where that is not what is bought, and what each line is for."""
    table = Table(title=f"Shopping for the week of {week:%d %B %Y}", title_justify="left")
    table.add_column("")
    table.add_column("aisle", style="dim")
    table.add_column("buy", justify="right", no_wrap=True)
    table.add_column("item")
    table.add_column("needed", justify="right", style="dim")
    table.add_column("for", style="dim")
    aisle = ""
    for line in sorted(lines, key=lambda b: b.item.item in ticked):
        item = line.item
        others = [name for name in item.names if food_key(name) != food_key(item.item)]
        table.add_row(
            "✓" if item.item in ticked else "",
            "" if line.aisle == aisle else line.aisle,
            _amount(line.quantity, item.unit) if line.quantity != 0 else "–",
            Text.assemble(item.item, (f" ({', '.join(others)})" if others else "", "dim")),
            _needed(line),
            ", ".join(item.meals),
        )
        aisle = line.aisle
    return table


def _amount(quantity: float | None, unit: str) -> str:
    return f"{quantity:.2g} {AS_WRITTEN}" if quantity is not None and unit == AS_WRITTEN else shown(quantity, unit)


def _needed(line: ToBuy) -> str:
    """What is needed, what of it is at home, and the packs, where there is more to say than the amount to buy."""
    item = line.item
    told = []
    if line.quantity != item.quantity:
        told.append(_amount(item.quantity, item.unit))
    if line.at_home:
        told.append(f"{_amount(line.at_home, item.unit)} at home")
    if any(size != 1 for size, _ in line.packs):
        told.append(" + ".join(f"{count} × {_amount(size, item.unit)}" for size, count in line.packs))
    return ", ".join(told)


def pantry_table(lots: Sequence[Lot], today: date) -> Table:
    """What is at home, what expires first before the others."""
    table = Table(title="Pantry", title_justify="left")
    for name in ("amount", "item", "good until", ""):
        table.add_column(name, justify="right" if name == "amount" else "left")
    for lot in lots:
        late = lot.expires is not None and lot.expires < today
        until = "" if lot.expires is None else f"{lot.expires:%a %d %b %Y}"
        table.add_row(
            shown(lot.quantity, lot.unit),
            lot.item,
            Text(until, style="red" if late else ""),
            "frozen" if lot.frozen else "",
        )
    return table


def prep_table(week: date, steps: Sequence[Step], zone: ZoneInfo) -> Table:
    """What to do when, in the household's time."""
    table = Table(title=f"In the kitchen, week of {week:%d %B %Y}", title_justify="left")
    for name in ("day", "from", "until", "", "what", "for the meal"):
        table.add_column(name)
    day = ""
    for step in steps:
        end = step.end.astimezone(zone)
        start = step.start.astimezone(zone) if step.start else None
        on = f"{start or end:%a %d}"
        until = "" if start == end else f"{end:%H:%M}" if start and start.date() == end.date() else f"{end:%a %H:%M}"
        told = [step.detail, f"meanwhile {', '.join(step.beside)}" if step.beside else ""]
        detail = "; ".join(t for t in told if t)
        table.add_row(
            "" if on == day else on,
            f"{start:%H:%M}" if start else "?",
            until,
            step.kind,
            Text.assemble(step.title, (f"\n{detail}" if detail else "", "dim")),
            f"{step.slot[0]:%a} {step.slot[1]}",
        )
        day = on
    return table


def letters_table(letters: Sequence[Letter]) -> Table:
    """Each dead letter with what is the matter, how often and since when it was tried."""
    table = Table("letter", "state", "event", "tried", "first", "last", "error")
    for letter in letters:
        times = [
            f"{t.astimezone():%Y-%m-%d %H:%M:%S}" if t else "" for t in (letter.first_tried_at, letter.last_tried_at)
        ]
        table.add_row(
            f"{letter.consumer}:{letter.position}",
            letter.state,
            letter.event_type,
            str(letter.attempts or ""),
            *times,
            Text(letter.error),
        )
    return table


def differences_table(found: Sequence[Difference], other: str) -> Table:
    """What a consumer said in `other` beside what it said in the log."""
    table = Table(
        "event", "answer", "type", f"only in {other}, or different there", "only in the log, or different there"
    )
    for one in found:
        sides = (Text("" if side is None else str(side)) for side in (one.shadow, one.live))
        table.add_row(str(one.position), one.n or "", one.type_name, *sides)
    return table


def against(actual: Sequence[float], goal: Sequence[float]) -> list[Text]:
    """Each amount with its deviation from the goal, coloured by how far off it is."""
    cells = []
    for value, target, unit in zip(actual, goal, UNITS, strict=True):
        off = (value - target) / target * 100 if target else 0.0
        amount = f"{value:,.0f} {unit} "
        cells.append(Text.assemble(amount, _percent(off) if target else ""))
    return cells


def _percent(off: float) -> Text:
    style = "green" if abs(off) <= GOOD_PCT else "yellow" if abs(off) <= FAIR_PCT else "red"
    return Text(f"{off:+.0f} %", style=style)


def _portions(portions: Mapping[str, float]) -> str:
    return " · ".join(f"{person} {portion:g}" for person, portion in sorted(portions.items()))
