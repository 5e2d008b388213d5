"""Files that other programs wrote: good rows go in once, bad ones are reported with line and field."""

import csv
import gzip
import io
from datetime import date
from itertools import groupby

import pytest

from meal_assets.commands.diary import correct_meal, retract_meal
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.diary import DayClosed, MealLogged
from meal_assets.contracts.values import Nutrients
from meal_assets.errors import Permanent
from meal_assets.event_store import EventStore, Origin
from meal_assets.imports.diary import COLUMNS, import_diary
from meal_assets.imports.rows import Imported
from meal_assets.imports.weights import import_weights
from tests.shared_data import shared_data

HOME = Origin("home", "test")
GOOD = dict(zip(COLUMNS, ["ada", "2026-11-23", "lunch", "Lentil soup", "450", "30", "60", "7.5"], strict=True))


def no_progress(done: int, of: int) -> None:
    """Nobody watches."""


def table(*rows: dict[str, str], columns: tuple[str, ...] = ()) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns or sorted({c for row in rows for c in row}), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def diary(store: EventStore, *rows: dict[str, str]) -> Imported:
    return import_diary(store, table(*rows), HOME, no_progress)


def logged(store: EventStore) -> list[MealLogged]:
    return [r.event for r in store.read(types=[MealLogged]) if isinstance(r.event, MealLogged)]


def weights(store: EventStore) -> list[WeightRecorded]:
    return [r.event for r in store.read(types=[WeightRecorded]) if isinstance(r.event, WeightRecorded)]


@pytest.mark.slow
def test_the_real_diaries_go_in_whole_and_a_second_time_say_nothing(store: EventStore) -> None:
    content = shared_data("food-diary.csv.gz").read_bytes()
    told: list[tuple[int, int]] = []
    first = import_diary(store, content, HOME, lambda done, of: told.append((done, of)))
    days = store.read(types=[DayClosed])
    assert (first.read, first.bad) == (916, [])
    assert first.events == 916 + len(days) == store.head()
    assert told == [(n, len(days)) for n in range(1, len(days) + 1)]
    assert import_diary(store, gzip.decompress(content), HOME, no_progress) == Imported(916, 0, [])


def test_the_real_weigh_ins_go_in_whole_and_a_second_time_say_nothing(store: EventStore) -> None:
    content = shared_data("weight-log.csv").read_bytes()
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    first = import_weights(store, content, HOME, no_progress)
    assert (first.read, first.bad) == (146, [])
    assert first.events == len({(row["person"], row["date"]) for row in rows}) == len(weights(store))
    by_day = {(row["person"], row["date"]): float(row["weight_kg"]) for row in rows}
    assert {(w.person, str(w.day)): w.weight_kg for w in weights(store)} == pytest.approx(by_day)
    assert import_weights(store, content, HOME, no_progress) == Imported(146, 0, [])


@pytest.mark.parametrize(
    ("field", "cell", "reason"),
    [
        ("kcal", "", "is missing"),
        ("kcal", "12,5", "'12,5' is not a number"),
        ("fat_g", "nan", "'nan' is not a finite number"),
        ("fat_g", "1e999", "'1e999' is not a finite number"),
        ("protein_g", "-1", "greater than or equal to 0"),
        ("carbs_g", "1e9", "less than or equal to 1000000"),
        ("fiber_g", "much", "'much' is not a number"),
        ("date", "23.11.2026", "'23.11.2026' is not a day like 2026-11-23"),
        ("date", "2026-02-30", "is not a day"),
        ("date", "", "'' is not a day"),
        ("meal", "elevenses", "'elevenses' is none of breakfast, brunch"),
        ("food", "", "at least 1 character"),
        ("food", "x" * 501, "at most 500 characters"),
        ("person", "", "should match pattern"),
        ("person", "../ada", "should match pattern"),
    ],
)
def test_a_bad_row_is_reported_with_line_and_field_and_the_others_go_in(
    store: EventStore, field: str, cell: str, reason: str
) -> None:
    done = diary(store, GOOD, {**GOOD, field: cell}, {**GOOD, "food": "Apple"})
    assert [(b.line, b.field) for b in done.bad] == [(3, field)]
    assert reason in done.bad[0].reason
    assert len(done.bad[0].reason) < 300
    assert (done.read, done.events) == (3, 3)
    assert [meal.food for meal in logged(store)] == ["Lentil soup", "Apple"]


@pytest.mark.parametrize(("word", "meal"), [("Breakfast", "breakfast"), ("SNACKS", "snack"), ("supper", "dinner")])
def test_meals_are_known_by_the_words_that_programs_use(store: EventStore, word: str, meal: str) -> None:
    diary(store, {**GOOD, "meal": word})
    assert [m.meal for m in logged(store)] == [meal]


def test_a_nutrient_that_a_row_does_not_tell_is_unknown_and_not_zero(store: EventStore) -> None:
    diary(store, {**GOOD, "fiber_g": "", "sugar_g": "0"})
    (meal,) = logged(store)
    assert (meal.nutrition.fiber_g, meal.nutrition.sugar_g, meal.grams) == (None, 0, None)


def test_the_same_row_twice_in_a_file_is_two_entries_and_stays_two(store: EventStore) -> None:
    assert diary(store, GOOD, GOOD).events == 3
    assert diary(store, GOOD, GOOD).events == 0
    assert diary(store, GOOD).events == 0
    assert diary(store, GOOD, GOOD, GOOD).events == 1
    assert len({m.entry for m in logged(store)}) == len(logged(store)) == 3


def test_rows_in_another_order_and_among_new_ones_are_known_again(store: EventStore) -> None:
    apple = {**GOOD, "food": "Apple"}
    diary(store, GOOD, apple)
    assert diary(store, apple, {**GOOD, "food": "Pear"}, GOOD).events == 1


def test_every_day_of_every_person_in_the_file_is_closed(store: EventStore) -> None:
    diary(store, GOOD, {**GOOD, "date": "2026-11-24"}, {**GOOD, "person": "ben"})
    closed = [r.event for r in store.read(types=[DayClosed])]
    assert [(e.person, e.day.day) for e in closed if isinstance(e, DayClosed)] == [
        ("ada", 23),
        ("ada", 24),
        ("ben", 23),
    ]


def test_what_a_person_corrected_or_took_back_stays_so_when_the_file_comes_again(store: EventStore) -> None:
    apple = {**GOOD, "food": "Apple"}
    diary(store, GOOD, apple)
    soup, fruit = logged(store)
    half = Nutrients(kcal=225, protein_g=15, carbs_g=30, fat_g=3)
    correct_meal(store, "ada", soup.day, soup.entry, half, HOME)
    retract_meal(store, "ada", fruit.day, fruit.entry, HOME)
    assert diary(store, GOOD, apple) == Imported(2, 0, [])


def test_a_row_that_the_diary_refuses_is_reported_and_the_others_of_its_day_go_in(store: EventStore) -> None:
    diary(store, {**GOOD, "fiber_g": "3"})
    done = diary(store, {**GOOD, "food": "Apple"}, {**GOOD, "fiber_g": "4"}, {**GOOD, "date": "2026-11-24"})
    assert [(b.line, b.field) for b in done.bad] == [(3, "entry")]
    assert "logged already with other content" in done.bad[0].reason
    assert done.events == 3
    assert [(m.food, m.day.day) for m in logged(store)[1:]] == [("Apple", 23), ("Lentil soup", 24)]


def test_a_day_that_adds_up_to_more_than_a_day_can_hold_takes_what_fits(store: EventStore) -> None:
    feast = {**GOOD, "kcal": "60000"}
    done = diary(store, feast, {**feast, "food": "Second feast"})
    assert [(b.line, b.field) for b in done.bad] == [(3, "nutrition")]
    assert [type(r.event) for r in store.read()] == [MealLogged, DayClosed]


def test_a_day_of_which_every_row_is_bad_is_not_closed(store: EventStore) -> None:
    assert diary(store, {**GOOD, "kcal": "-1"}, {**GOOD, "kcal": "-2"}).events == 0
    assert store.head() == 0


@pytest.mark.parametrize("missing", COLUMNS)
def test_a_missing_column_is_named_and_nothing_goes_in(store: EventStore, missing: str) -> None:
    columns = tuple(c for c in COLUMNS if c != missing)
    with pytest.raises(Permanent, match=f"no column {missing}: its first line must name them; it names .*{columns[0]}"):
        import_diary(store, table({c: GOOD[c] for c in columns}, columns=columns), HOME, no_progress)
    assert store.head() == 0


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "names nothing"),
        (b"x" * 200_000, "line 1 is not CSV"),
        (table(GOOD) + b'"' + b"x" * 200_000, "line 3 is not CSV"),
        (table(GOOD).decode().encode("utf-16"), "not UTF-8"),
        (table(GOOD).decode().encode("utf-16-le"), "NUL characters"),
        (gzip.compress(table(GOOD))[:-9], "not whole gzip"),
    ],
    ids=["empty", "no line ends", "an open quote", "UTF-16", "UTF-16 unmarked", "truncated gzip"],
)
def test_what_is_no_table_is_refused_with_what_it_is(store: EventStore, content: bytes, text: str) -> None:
    with pytest.raises(Permanent, match=text):
        import_diary(store, content, HOME, no_progress)
    assert store.head() == 0


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"], ids=["Windows", "Unix", "an old Mac"])
def test_lines_end_as_any_system_ends_them(store: EventStore, end: bytes) -> None:
    content = table(GOOD, {**GOOD, "food": "Soup, hot\nand red"}).replace(b"\r\n", end)
    assert import_diary(store, content, HOME, no_progress).bad == []
    assert [m.food for m in logged(store)] == ["Lentil soup", "Soup, hot\nand red"]


def test_pounds_are_recorded_in_kilograms_and_kilograms_win(store: EventStore) -> None:
    rows = [
        {"person": "ada", "date": "2026-11-22", "weight_lb": "141.5"},
        {"person": "ada", "date": "2026-11-23", "weight_lb": "1", "weight_kg": "64"},
    ]
    import_weights(store, table(*rows), HOME, no_progress)
    assert [w.weight_kg for w in weights(store)] == pytest.approx([64.18, 64])


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ({}, "weight_kg"),
        ({"weight_kg": "heavy"}, "weight_kg"),
        ({"weight_kg": "0"}, "weight_kg"),
        ({"weight_kg": "-inf"}, "weight_kg"),
        ({"weight_lb": "2000"}, "weight_kg"),
        ({"weight_kg": "64", "fat_pct": "120"}, "fat_pct"),
        ({"weight_kg": "64", "date": "yesterday"}, "date"),
        ({"weight_kg": "64", "person": "a b"}, "person"),
    ],
    ids=str,
)
def test_a_bad_weigh_in_is_reported_and_the_others_go_in(store: EventStore, cells: dict[str, str], field: str) -> None:
    good = {"person": "ada", "date": "2026-11-22", "weight_kg": "64"}
    done = import_weights(store, table({"person": "ada", "date": "2026-11-23", **cells}, good), HOME, no_progress)
    assert [(b.line, b.field) for b in done.bad] == [(2, field)]
    assert [w.day for w in weights(store)] == [date(2026, 11, 22)]


def test_the_weigh_ins_of_each_person_go_into_a_stream_of_their_own(store: EventStore) -> None:
    rows = [{"person": p, "date": f"2026-11-{n}", "weight_kg": "64"} for n in (22, 23) for p in ("ada", "ben")]
    import_weights(store, table(*rows), HOME, no_progress)
    streams = {stream: len(list(each)) for stream, each in groupby(store.read(), key=lambda r: r.stream)}
    assert streams == {"home/body/ada": 2, "home/body/ben": 2}
