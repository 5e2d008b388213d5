"""USDA FoodData Central as people download it: the CSV zips, or compact JSON lines with a food a line."""

import csv
import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from meal_assets.contracts.values import Nutrients
from meal_assets.domain.nutrition.foods import NUTRIENTS, Food, Portion
from meal_assets.domain.units import MASSES_G
from meal_assets.errors import Invalid
from meal_assets.event_store.files import text_of

ZIP_MAGIC = b"PK\x03\x04"
MAX_FOODS = 50_000
"""More are branded products, which belong to `meals import products`."""
MAX_TABLE = 512 * 1024 * 1024
MAX_FINDINGS = 100
MAX_PORTIONS = 20
MAX_DESCRIPTION, MAX_GROUP, MAX_UNIT = 500, 100, 120

COMPACT = ("energ_kcal", "protein", "carbohydrt", "lipid_tot", "fiber_td", "sugar_tot", "fa_sat", "sodium")
"""What the compact file calls each of our nutrients, in their order."""
NUMBERS: tuple[tuple[str, ...], ...] = (
    ("208", "957", "958"),
    ("203",),
    ("205",),
    ("204",),
    ("291",),
    ("269", "269.3"),
    ("606",),
    ("307",),
)
"""FoodData Central's nutrient numbers of the same; of several the first that is there (957 and 958: Atwater energy)."""
OWN_TYPES = frozenset({"foundation_food", "sr_legacy_food", "survey_fndds_food"})


class ReadFoods(NamedTuple):
    """The foods of a file, and what was left out of it: (where, why), the first `MAX_FINDINGS` of `rejected`."""

    foods: tuple[Food, ...]
    findings: tuple[tuple[str, str], ...]
    rejected: int


def read_usda(content: bytes) -> ReadFoods:
    """The foods of a CSV zip or a compact file. Raises `Invalid` or `Permanent` when it is neither, or holds none."""
    read = read_zip(content) if content.startswith(ZIP_MAGIC) else read_compact(content)
    if not read.foods:
        why = f": {read.findings[0][0]}: {read.findings[0][1]}" if read.findings else ""
        raise Invalid("file", f"holds no food with energy, protein, carbohydrate and fat{why}")
    return read


def read_compact(content: bytes) -> ReadFoods:
    """JSON lines with description, group, per_100g, portions, refuse_pct, and fdc_id or ndb_no; packed or not."""
    foods, findings = [], []
    for number, line in enumerate(io.StringIO(text_of(content)), start=1):
        if not line.strip():
            continue
        try:
            foods.append(_compact(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            findings.append((f"line {number}", _reason(error)))
        _bounded(len(foods))
    return ReadFoods(tuple(foods), tuple(findings[:MAX_FINDINGS]), len(findings))


def _compact(row: Mapping[str, Any]) -> Food:
    amounts = row["per_100g"]
    return _food(
        food=str(row["fdc_id"]) if row.get("fdc_id") else f"ndb:{row['ndb_no']}",
        description=row["description"],
        group=row["group"],
        amounts=[amounts.get(key) for key in COMPACT],
        portions=((p["unit"], p["amount"], p["grams"]) for p in row.get("portions") or ()),
        refuse_pct=float(row.get("refuse_pct") or 0),
        brand=bool(row.get("manufacturer")),
    )


def read_zip(content: bytes) -> ReadFoods:
    """FoodData Central's CSV tables as they lie in its zip, in any folder of it."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _read_tables(_Tables(archive))
    except zipfile.BadZipFile as error:
        raise Invalid("file", f"is not a whole zip: {error}. Download it again.") from error


class _Tables:
    """The CSV tables of a zip by name."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._files = {info.filename.rpartition("/")[2]: info for info in archive.infolist()}

    def rows(self, name: str, *, needed: bool = True) -> Iterator[dict[str, str]]:
        info = self._files.get(f"{name}.csv")
        if info is None:
            if needed:
                raise Invalid("file", f"has no {name}.csv: it is not a CSV download of FoodData Central")
            return
        if info.file_size > MAX_TABLE:
            raise Invalid(
                "file", f"{name}.csv unpacks to more than {MAX_TABLE:,} bytes: take the download without brands"
            )
        with self._archive.open(info) as packed:
            yield from csv.DictReader(io.TextIOWrapper(packed, "utf-8-sig", newline=""))


def _read_tables(tables: _Tables) -> ReadFoods:
    groups = {r["id"]: r["description"] for r in tables.rows("food_category", needed=False)}
    units = {r["id"]: r["name"] for r in tables.rows("measure_unit", needed=False)}
    kept = {}
    for row in tables.rows("food"):
        if row.get("data_type", "sr_legacy_food") in OWN_TYPES:
            kept[row["fdc_id"]] = row
        _bounded(len(kept))
    amounts = _amounts(tables, kept)
    portions = defaultdict(list)
    for row in tables.rows("food_portion", needed=False):
        if row["fdc_id"] in kept:
            words = [
                units.get(row.get("measure_unit_id") or "", ""),
                row.get("portion_description"),
                row.get("modifier"),
            ]
            unit = " ".join(w for w in words if w and w != "undetermined")
            portions[row["fdc_id"]].append((unit, row.get("amount") or 1, row.get("gram_weight")))
    foods, findings = [], []
    for fdc_id, row in kept.items():
        try:
            foods.append(
                _food(
                    food=fdc_id,
                    description=row["description"],
                    group=groups.get(row.get("food_category_id") or "", ""),
                    amounts=amounts[fdc_id],
                    portions=portions[fdc_id],
                    refuse_pct=0.0,
                    brand=False,
                )
            )
        except (ValueError, KeyError, TypeError) as error:
            findings.append((f"food {fdc_id}", _reason(error)))
    return ReadFoods(tuple(foods), tuple(findings[:MAX_FINDINGS]), len(findings))


def _amounts(tables: _Tables, kept: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Food id -> the value of each of our nutrients, or None."""
    places = {number: (n, rank) for n, row in enumerate(NUMBERS) for rank, number in enumerate(row)}
    numbers = {r["id"]: places[r["nutrient_nbr"]] for r in tables.rows("nutrient") if r["nutrient_nbr"] in places}
    ranked: dict[str, list[tuple[int, Any]]] = {food: [(9, None)] * len(NUMBERS) for food in kept}
    for row in tables.rows("food_nutrient"):
        place, values = numbers.get(row["nutrient_id"]), ranked.get(row["fdc_id"])
        if place and values and place[1] < values[place[0]][0]:
            values[place[0]] = (place[1], row["amount"] or None)
    return {food: [value for _, value in values] for food, values in ranked.items()}


def _food(
    *,
    food: str,
    description: str,
    group: str,
    amounts: list[Any],
    portions: Any,
    refuse_pct: float,
    brand: bool,
) -> Food:
    values = {name: None if v is None else float(v) for name, v in zip(NUTRIENTS, amounts, strict=True)}
    weighed = (
        Portion(str(u)[:MAX_UNIT], round(float(g) / float(n), 3))
        for u, n, g in portions
        if g and float(n) > 0 and u not in MASSES_G
    )
    return Food(
        food=food,
        description=" ".join(description.split())[:MAX_DESCRIPTION],
        group=group[:MAX_GROUP],
        per_100g=Nutrients.model_validate(values),
        portions=tuple(weighed)[:MAX_PORTIONS],
        refuse_pct=refuse_pct,
        brand=brand,
    )


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return f"has no {error}" if isinstance(error, KeyError) else str(error)


def _bounded(count: int) -> None:
    if count > MAX_FOODS:
        raise Invalid("file", f"holds more than {MAX_FOODS:,} foods: take the download without brands")
