"""Bring in the recipes of a file, one event a recipe that says something new."""

import io
import json
from collections.abc import Iterator
from typing import Any

from meal_assets.contracts.recipe import MAX_FINDINGS, Finding, RecipeFetched, RecipeRemoved, RecipesFetched
from meal_assets.contracts.recipe_request import RecipesRequested
from meal_assets.domain.recipes import read_recipe
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Recorded
from meal_assets.event_store.files import read_file, text_of

from .base import Consumer, Said


class FetchRecipes(Consumer):
    """Reads the requested file; a recipe is said again only when its content changed, a bad row is reported."""

    listens_to = (RecipesRequested,)
    says = (RecipeFetched, RecipesFetched)

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said]:
        request = recorded.event
        assert isinstance(request, RecipesRequested)
        known = {
            r.event.recipe: r.event.content_hash
            for r in log.latest((RecipeFetched, RecipeRemoved), household=recorded.household, until=recorded.position)
            if isinstance(r.event, RecipeFetched)
        }
        read = fetched = unchanged = rejected = 0
        findings: list[Finding] = []
        for line, row in rows(read_file(log.database, request.sha256)):
            read += 1
            try:
                if isinstance(row, Invalid):
                    raise row
                recipe = read_recipe(row)
            except Invalid as error:
                rejected += 1
                findings.append(Finding(line=line, field=error.field, reason=error.reason, skipped=True))
                continue
            findings += [Finding(line=line, field=f, reason=why, skipped=False) for f, why in recipe.findings]
            if known.get(recipe.event.recipe) == recipe.event.content_hash:
                unchanged += 1
            else:
                fetched += 1
                known[recipe.event.recipe] = recipe.event.content_hash
                yield Said(recipe.event, key=str(line))
        findings.sort(key=lambda f: not f.skipped)
        yield Said(
            RecipesFetched(
                sha256=request.sha256,
                read=read,
                fetched=fetched,
                unchanged=unchanged,
                rejected=rejected,
                findings=tuple(findings[:MAX_FINDINGS]),
            ),
            key="end",
        )


def rows(content: bytes) -> Iterator[tuple[int, Any]]:
    """(line, decoded JSON or the Invalid it is) of each recipe: JSON lines, or one JSON value, packed or not.

    Raises `Permanent` when the file as a whole cannot be read.
    """
    text = text_of(content)
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        yield from _lines(text)
        return
    items = whole if isinstance(whole, list) else [whole]
    yield from enumerate(items, start=1)


def _lines(text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(io.StringIO(text), start=1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, Invalid("line", f"is not JSON: {error}")
