"""The columns of a read model's tables, as its definitions say them: no database is asked."""

import re
from typing import NamedTuple

from .model import ReadModel

CONSTRAINTS = ("PRIMARY KEY", "UNIQUE", "CHECK", "CONSTRAINT", "FOREIGN KEY", "EXCLUDE")
TYPE_ENDS = re.compile(r" (?=NOT NULL|NULL|DEFAULT|GENERATED|PRIMARY KEY|UNIQUE|CHECK|REFERENCES|COLLATE)")


class Column(NamedTuple):
    """`type` as SQL names it; `key`: it is part of the primary key."""

    name: str
    type: str
    nullable: bool
    key: bool


def columns_of(model: type[ReadModel], table: str | None = None) -> list[Column]:
    """The columns of a table, the first one without a name, in their order."""
    keys, columns = keys_of(model, table), []
    for name, rest in (p.split(" ", 1) for p in _parts(model, table) if not p.startswith(CONSTRAINTS)):
        required = name in keys or "NOT NULL" in rest
        columns.append(Column(name, TYPE_ENDS.split(rest)[0], not required, name in keys))
    return columns


def keys_of(model: type[ReadModel], table: str | None = None) -> list[str]:
    """The columns of the primary key, in its order."""
    for part in _parts(model, table):
        if listed := re.match(r"PRIMARY KEY \((.*)\)", part):
            return [name.strip() for name in listed[1].split(",")]
        if "PRIMARY KEY" in part:
            return [part.split()[0]]
    return []


def row_names(model: type[ReadModel]) -> list[str]:
    """The columns that name a row of a household, in the order of `meals audit`."""
    return [name for name in keys_of(model) if name != "household"]


def _parts(model: type[ReadModel], table: str | None) -> list[str]:
    """What stands in the table's definition between commas that are in no parentheses."""
    return [" ".join(part.split()) for part in _split(model.tables[table or next(iter(model.tables))])]


def _split(columns: str) -> list[str]:
    parts, depth = [""], 0
    for character in columns:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts
