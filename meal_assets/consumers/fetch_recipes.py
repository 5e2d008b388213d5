"""Bring in the recipes of a file, one event a recipe that says something new."""

from collections.abc import Iterator

from meal_assets.contracts.recipe import MAX_FINDINGS, Finding, RecipeFetched, RecipeRemoved, RecipesFetched
from meal_assets.contracts.recipe_request import RecipesRequested
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Recorded
from meal_assets.event_store.files import read_file
from meal_assets.recipe_files.entry import Entry
from meal_assets.recipe_files.reading import entries

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
        for entry in entries(read_file(log.database, request.sha256)):
            read += 1
            if isinstance(entry.read, Invalid):
                rejected += 1
                findings.append(_finding(entry, (entry.read.field, entry.read.reason), skipped=True))
                continue
            findings += [_finding(entry, note, skipped=False) for note in entry.read.findings]
            recipe = entry.read.event
            if known.get(recipe.recipe) == recipe.content_hash:
                unchanged += 1
            else:
                fetched += 1
                known[recipe.recipe] = recipe.content_hash
                yield Said(recipe, key=str(entry.number))
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


def _finding(entry: Entry, note: tuple[str, str], *, skipped: bool) -> Finding:
    return Finding(line=entry.number, entry=entry.name, field=note[0], reason=note[1], skipped=skipped)
