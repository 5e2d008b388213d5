"""A recipe that somebody wrote down, as text or Markdown: its title, and what stands under the headings.

Nothing is guessed: without a heading for the ingredients, or the rules that RecipeMD sets around them, it is no recipe.
"""

import re
from collections.abc import Iterator
from typing import Any

from meal_assets.domain.recipes.words import fold
from meal_assets.errors import Invalid

MAX_LENGTH = 200_000
"""Characters: fifty printed pages are no recipe."""
INGREDIENTS = frozenset({
    "ingredients", "zutaten", "ingredienten", "ingredientes", "ingredienti", "ingredienser", "ingredient list",
    "what you need", "you will need",
})  # fmt: skip
STEPS = frozenset({
    "instructions", "directions", "method", "preparation", "steps", "procedure", "zubereitung", "anleitung",
    "bereiding", "bereidingswijze", "etapes", "instrucciones", "preparacion", "elaboracion", "preparazione",
    "procedimento", "tillagning", "fremgangsmade", "modo de preparo", "preparo", "how to make it",
})  # fmt: skip
"""Without accents, as `fold` leaves them."""
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
_BULLET = re.compile(r"^\s*(?:[-*+•–]\s+(?:\[[ xX]\]\s+)?|\d{1,2}[.)]\s+)")
_RULE = re.compile(r"^\s*(?:-{3,}|\*{3,}|_{3,})\s*$")
_EMPHASIS = re.compile(r"(\*\*|__|\*|_|`)(?=\S)(.+?)(?<=\S)\1")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*\)")
_UNDERLINE = re.compile(r"^\s*(?:={3,}|-{3,})\s*$")
_SERVES = re.compile(
    r"^(?:serves|servings|yields?|makes|portions?|portionen|personen|raciones|porzioni)\b\s*:?\s*(.+)$"
    r"|^(?:for|für|pour|para|per|voor)\s+(\d.*(?:people|persons?|servings|personen|portionen|personnes|personas|persone).*)$",
    re.IGNORECASE,
)
_SOURCE = re.compile(r"^(?:source|quelle|url|from)\s*:\s*<?(https?://\S+?)>?$", re.IGNORECASE)


def read_plain(text: str) -> dict[str, Any]:
    """The recipe as a row. Raises `Invalid`, which says what a text needs to be read."""
    if len(text) > MAX_LENGTH:
        raise Invalid("text", f"has {len(text):,} characters, at most {MAX_LENGTH:,} are read as one recipe")
    lines = _set_headings(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    title, parts = _parts(lines)
    ingredients = [bare for line in parts["ingredients"] if (bare := _bare(line))]
    if not ingredients:
        raise Invalid(
            "ingredients",
            "are under no heading: write a line `Ingredients` above them and a line `Instructions` above the steps",
        )
    row: dict[str, Any] = {
        "title": title,
        "ingredients": ingredients,
        "instructions_list": list(_joined(parts["steps"])),
    }
    for line in map(_bare, parts["head"]):
        if found := _SERVES.match(line):
            row.setdefault("yields", (found[1] or found[2]).strip())
        if found := _SOURCE.match(line):
            row.setdefault("canonical_url", found[1])
    return row


def _set_headings(lines: list[str]) -> list[str]:
    """The same with underlined headings written with a mark before them."""
    out: list[str] = []
    for line in lines:
        if _UNDERLINE.match(line) and out and out[-1].strip() and not _HEADING.match(out[-1]):
            out[-1] = f"# {out[-1].strip()}"
        else:
            out.append(line)
    return out


def _parts(lines: list[str]) -> tuple[str | None, dict[str, list[str]]]:
    title: str | None = None
    parts: dict[str, list[str]] = {"head": [], "ingredients": [], "steps": [], "other": []}
    ruled = sum(bool(_RULE.match(line)) for line in lines) >= 2 and not any(_kind(line) for line in lines)
    here, rules = "head", 0
    for line in lines:
        if _RULE.match(line):
            rules += 1
            here = ("head", "ingredients", "steps")[min(rules, 2)] if ruled else here
        elif title is None and line.strip():
            title = _bare(line)
        elif kind := _kind(line):
            here = kind
        elif _HEADING.match(line):
            # It names a part of what it is in, as "For the sauce"; after the steps it is something else.
            here = "other" if here == "steps" and line.startswith("## ") and parts["steps"] else here
        else:
            parts[here].append(line)
    return title, parts


def _kind(line: str) -> str | None:
    """Which of our parts a line is the heading of."""
    found = _HEADING.match(line)
    said = fold(_bare(found[1] if found else line)).rstrip(" :")
    if said in INGREDIENTS:
        return "ingredients"
    return "steps" if said in STEPS else None


def _joined(lines: list[str]) -> Iterator[str]:
    """Steps: a mark or an empty line begins a new one, a broken line goes on."""
    step: list[str] = []
    for line in [*lines, ""]:
        if (_BULLET.match(line) or not line.strip()) and step:
            yield " ".join(step)
            step = []
        if bare := _bare(line):
            step.append(bare)


def _bare(line: str) -> str:
    """Without bullets, numbers, emphasis and links."""
    found = _HEADING.match(line.strip())
    text = _BULLET.sub("", found[1] if found else line)
    text = _LINK.sub(r"\1", text)
    for _ in range(3):
        text = _EMPHASIS.sub(r"\2", text)
    return " ".join(text.split())
