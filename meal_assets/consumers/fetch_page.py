"""Bring in the recipe of a web page that somebody asked for.

A page is never as of an earlier moment: an attempt that died may have said what the page held then, and the key of what
is said is what it says, so that the same said again is nothing new.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Literal

from meal_assets.contracts.recipe import MAX_FINDINGS, Note, RecipeFetched, RecipePageRead, RecipeRemoved
from meal_assets.contracts.recipe_request import RecipePageRequested
from meal_assets.errors import Permanent
from meal_assets.event_store import EventStore, Recorded

from .base import MAX_ERROR_LENGTH, Consumer, Said


class FetchPage(Consumer):
    """Reads the page as it is now; its recipe is said only when its content changed, else why there is none."""

    listens_to = (RecipePageRequested,)
    says = (RecipeFetched, RecipePageRead)

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said]:
        from meal_assets.recipe_files.page import read_page

        request = recorded.event
        assert isinstance(request, RecipePageRequested)
        try:
            page = self.outside.pages().get(request.url)
            read = read_page(page.content, page.url, page.content_type)
        except Permanent as error:
            reason = str(error)[:MAX_ERROR_LENGTH]
            yield _said(RecipePageRead(page=request.page, result="left_out", reason=reason))
            return
        recipe = read.event
        changed = _known_hash(recorded, log, recipe.recipe) != recipe.content_hash
        if changed:
            yield _said(recipe)
        findings = tuple(Note(field=f, reason=why) for f, why in read.findings[:MAX_FINDINGS])
        result: Literal["new", "unchanged"] = "new" if changed else "unchanged"
        yield _said(RecipePageRead(page=request.page, result=result, recipe=recipe.recipe, findings=findings))


def _known_hash(recorded: Recorded, log: EventStore, recipe: str) -> str | None:
    latest = log.latest((RecipeFetched, RecipeRemoved), household=recorded.household, until=recorded.position)
    return next(
        (r.event.content_hash for r in latest if isinstance(r.event, RecipeFetched) and r.event.recipe == recipe), None
    )


def _said(event: RecipeFetched | RecipePageRead) -> Said:
    return Said(event, sha256(f"{event.type_name} {event.model_dump_json()}".encode()).hexdigest()[:32])
