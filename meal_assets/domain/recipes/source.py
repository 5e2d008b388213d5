"""One recipe as its source gives it: the same content under the names of recipe-scrapers, schema.org and our own.

Nothing here raises for a field that is not understood; it is left out and noted.
"""

import re
from collections.abc import Iterator
from reprlib import repr as shown
from typing import Any, TypeVar
from urllib.parse import urlsplit

from meal_assets.contracts.recipe import Ingredient, RecipeFetched
from meal_assets.errors import Invalid

from .addresses import without_secrets
from .label import Note
from .markup import MAX_NESTING, clean, paragraphs, texts
from .published import amounts, finite, minutes, number, servings
from .words import fold

T = TypeVar("T")

MAX_QUANTITY = 1_000_000
MAX_LABELS = 200
MAX_LABEL = 255
MAX_STEPS = 500
MAX_STEP = 10_000

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
_NOT_IN_A_URL = re.compile('[\\s\x00-\x1f\x7f-\x9f<>"\ud800-\udfff]')


def limit(field: str, model: type[RecipeFetched | Ingredient] = RecipeFetched) -> int:
    """The most characters, or items, the contract lets a field have."""
    return next(int(m.max_length) for m in model.model_fields[field].metadata if hasattr(m, "max_length"))


def recipe_in(row: object) -> dict[str, Any]:
    """The recipe in a JSON value: a plain row, a schema.org Recipe, or the first Recipe of a list or an @graph.

    Raises Invalid where there is none.
    """
    if not isinstance(row, dict | list):
        raise Invalid("recipe", f"{shown(row)} is not an object")
    if (node := next(_recipes(row, MAX_NESTING), None)) is not None:
        return node
    if isinstance(row, dict) and not row.get("@type") and "@graph" not in row:
        return row
    raise Invalid("@type", "no Recipe is among them")


def _recipes(value: object, depth: int) -> Iterator[dict[str, Any]]:
    match value:
        case list() if depth:
            for part in value:
                yield from _recipes(part, depth - 1)
        case dict() if depth:
            types = (re.split(r"[/#:]", t)[-1].strip().casefold() for t in texts(value.get("@type")))
            if "recipe" in types:
                yield value
            for key in ("@graph", "mainEntity", "mainEntityOfPage"):
                yield from _recipes(value.get(key), depth - 1)


class Source:
    """Reads the fields of one recipe by all the names they go by, and notes what was not understood."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.row = row
        self.findings: list[Note] = []

    def note(self, field: str, reason: str) -> None:
        self.findings.append((field, reason))

    def said(self, *names: str) -> tuple[str, Any]:
        """The first of these names that has a value, and the value; the first name and None when none has."""
        for name in names:
            value = self.row.get(name)
            if value not in (None, [], {}) and not (isinstance(value, str) and not value.strip()):
                return name, value
        return names[0], None

    def cut(self, text: str, most: int, field: str) -> str:
        if len(text) <= most:
            return text
        self.note(field, f"has {len(text)} characters, the first {most} were kept")
        return text[:most].rstrip()

    def text(self, most: int, *names: str, joined: bool = False) -> str | None:
        """A text of at most `most` characters; several are `joined` by commas or the first is taken."""
        name, value = self.said(*names)
        found = [t for raw in texts(value, "name", "text", "@value") if (t := clean(raw))]
        if not found:
            if value is not None:
                self.note(name, f"{shown(value)} is not a text")
            return None
        return self.cut(", ".join(found) if joined else found[0], most, name)

    def url(self, most: int, *names: str) -> str | None:
        """The first http address under these names, without what may be secret in it."""
        refused: Note | None = None
        for name in names:
            for raw in texts(self.row.get(name), "url", "contentUrl", "@id", "@value"):
                if (url := web_address(raw)) and len(url) <= most:
                    url, secret = without_secrets(url)
                    if secret:
                        self.note(name, f"is kept without what may be secret in it: {', '.join(secret)}")
                    return url
                if raw.strip() and refused is None:
                    refused = name, f"{shown(raw)} is not an http address of at most {most} characters"
        self.findings += [refused] if refused else []
        return None

    def language(self) -> str | None:
        name, value = self.said("language", "inLanguage")
        tag = next(texts(value, "alternateName", "name"), "").strip().replace("_", "-")
        if _LANGUAGE.fullmatch(tag) and len(tag) <= limit("language"):
            return tag
        if value is not None:
            self.note(name, f"{shown(value)} is not a language tag")
        return None

    def minutes(self, *names: str) -> int | None:
        name, value = self.said(*names)
        found = minutes(value)
        if found is None and value is not None:
            self.note(name, f"{shown(value)} is not a duration")
        return found

    def yields(self, serving_size: object) -> tuple[str | None, float | None]:
        """The yield as written, and how many servings it is."""
        name, value = self.said("yields", "recipeYield", "yield", "servings")
        parts = value if isinstance(value, list) else [value]
        numbers = (finite(part) for part in parts)
        written = [
            clean(t)
            for part, amount in zip(parts, numbers, strict=True)
            for t in (texts(part) if amount is None else [f"{amount:g}"])
        ]
        told = next((t for t in written if re.search(r"[^\W\d]", t)), next(iter(written), ""))
        told = self.cut(told, limit("yields"), name)
        count = servings(told, serving_size if isinstance(serving_size, str) else "")
        if value is not None and count is None:
            self.note(name, f"{shown(value)} does not say how many servings")
        return told or None, count

    def labels(self, *names: str) -> tuple[str, ...]:
        """Words, given apart or with commas between them; each once."""
        name, value = self.said(*names)
        found: dict[str, str] = {}
        for raw in texts(value, "name", "text", "label", "@value"):
            for part in clean(raw).split(","):
                if label := part.strip(" ;&"):
                    found.setdefault(fold(label), self.cut(label, MAX_LABEL, name))
        if value is not None and not found:
            self.note(name, f"{shown(value)} is not a list of words")
        return tuple(self.first(list(found.values()), MAX_LABELS, name))

    def instructions(self) -> tuple[str, ...]:
        name, value = self.said("instructions_list", "instructions", "recipeInstructions")
        raw = texts(value, "text", "itemListElement", "steps", "name", "description")
        steps = [self.cut(step, MAX_STEP, name) for part in raw for step in paragraphs(part)]
        if value is not None and not steps:
            self.note(name, f"{shown(value)} is not a list of steps")
        return tuple(self.first(steps, MAX_STEPS, name))

    def ingredients(self) -> tuple[Ingredient, ...]:
        """Every line with something on it; empty when there is none."""
        for name in ("ingredients", "recipeIngredient", "ingredient_groups"):
            if found := list(self._ingredients(self.row.get(name), name, MAX_NESTING)):
                return tuple(self.first(found, limit("ingredients"), name))
        return ()

    def first(self, items: list[T], most: int, field: str) -> list[T]:
        """At most that many; a note when some are left out."""
        if len(items) > most:
            self.note(field, f"has {len(items)} entries, the first {most} were kept")
        return items[:most]

    def _ingredients(self, value: object, field: str, depth: int) -> Iterator[Ingredient]:
        match value:
            case str():
                for line in paragraphs(value):
                    yield Ingredient(line=self.cut(line, limit("line", Ingredient), field))
            case list() if depth:
                for n, part in enumerate(value):
                    yield from self._ingredients(part, f"{field}.{n}", depth - 1)
            case {"ingredients": list(group)} | {"itemListElement": list(group)} if depth:
                yield from self._ingredients(group, f"{field}.ingredients", depth - 1)
            case dict():
                yield from self._ingredient(value, field)
            case None:
                pass
            case _:
                self.note(field, f"{shown(value)} is not an ingredient")

    def _ingredient(self, parts: dict[str, Any], field: str) -> Iterator[Ingredient]:
        line, unit, food = (
            clean(next(texts(next((parts[k] for k in keys if parts.get(k)), None), "name", "@value"), ""))
            for keys in (("line", "text", "original_text", "name"), ("unit",), ("food",))
        )
        quantity = _quantity(parts.get("quantity"))
        if quantity is None and parts.get("quantity") not in (None, ""):
            self.note(f"{field}.quantity", f"{shown(parts['quantity'])} is not an amount")
        written = "" if quantity is None else f"{quantity:.10g}"
        if line or food:
            yield Ingredient(
                line=self.cut(line or " ".join(filter(None, (written, unit, food))), limit("line", Ingredient), field),
                quantity=quantity,
                unit=self.cut(unit, limit("unit", Ingredient), f"{field}.unit") or None,
                food=self.cut(food, limit("food", Ingredient), f"{field}.food") or None,
            )
        elif parts:
            self.note(field, f"{shown(parts)} has no line")


def web_address(raw: str) -> str | None:
    """An http or https address without blanks; None for anything else."""
    # Not html.unescape: it makes © of the &copy in "?a=1&copy=2".
    url = raw.strip().replace("&amp;", "&").replace(" ", "%20")
    url = f"https:{url}" if url.startswith("//") else url
    try:
        parts = urlsplit(url)
        known = parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return None
    return url if known and not _NOT_IN_A_URL.search(url) else None


def _quantity(value: object) -> float | None:
    if isinstance(value, str):
        found = amounts(value)
        quantity = number(found[0][0], grouped=False) if found else None
    else:
        quantity = finite(value)
    return quantity if quantity is not None and 0 <= quantity <= MAX_QUANTITY else None
