"""A planned week as a calendar: other programs read it, and the same week again replaces what they had."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar

from meal_assets.contracts.values import MEALS
from meal_assets.domain.prep import Step
from meal_assets.interchange.calendar import MealEntry, calendar_of

DAY = date(2026, 11, 23)
SLOT = DAY, MEALS[2]
PLANNED = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
DINNER = datetime(2026, 11, 23, 18, 30, tzinfo=ZoneInfo("Europe/Berlin"))
MEAL = MealEntry(SLOT, "Soup, with a; comma", "ada 1.5, ben 2", DINNER)


def step(kind: str = "prepare", title: str = "Soup", recipe: str = "soup", minutes: int | None = 30) -> Step:
    start = None if minutes is None else DINNER - timedelta(minutes=minutes)
    return Step(kind, SLOT, recipe, title, start, DINNER, "3.5 servings", ("Bread",))  # type: ignore[arg-type]


def entries(*steps: Step, revision: int = 7) -> list[dict[str, str]]:
    content = calendar_of("home", [MEAL], steps, PLANNED, revision)
    return [
        {str(name).lower(): value.to_ical().decode() for name, value in e.items()}
        for e in Calendar.from_ical(content).walk("VEVENT")
    ]


def test_a_meal_says_when_what_and_for_whom() -> None:
    (meal,) = entries()
    assert meal == {
        "uid": "home-2026-11-23-dinner-meal@meal-assets",
        "dtstamp": "20261120T093000Z",
        "sequence": "7",
        "summary": "Dinner: Soup\\, with a\\; comma",
        "description": "ada 1.5\\, ben 2",
        "dtstart": "20261123T173000Z",
        "dtend": "20261123T180000Z",
        "transp": "TRANSPARENT",
    }


def test_a_step_says_from_when_to_when_and_what_runs_beside() -> None:
    told = entries(step())[1]
    assert told["summary"] == "Prepare: Soup"
    assert told["description"] == "3.5 servings\\nmeanwhile: Bread"
    assert (told["dtstart"], told["dtend"]) == ("20261123T170000Z", "20261123T173000Z")


def test_a_step_without_a_start_is_a_moment() -> None:
    told = entries(step(minutes=None))[1]
    assert told["dtstart"] == "20261123T173000Z"
    assert "dtend" not in told


def test_what_is_served_from_a_batch_is_no_entry_beside_its_meal() -> None:
    assert len(entries(step("serve"))) == 1


def test_the_same_week_is_the_same_file_and_no_two_entries_have_one_name() -> None:
    steps = [step("thaw", "peas"), step("thaw", "salmon"), step(), step("cook")]
    assert calendar_of("home", [MEAL], steps, PLANNED, 7) == calendar_of("home", [MEAL], steps, PLANNED, 7)
    names = [e["uid"] for e in entries(*steps)]
    assert len(set(names)) == len(names) == 5


def test_a_week_planned_anew_takes_the_place_of_the_one_before() -> None:
    before, after = entries(step()), entries(step(title="Stew", recipe="stew"), revision=9)
    assert [e["uid"] for e in before] == [e["uid"] for e in after]
    assert {e["sequence"] for e in after} == {"9"}
