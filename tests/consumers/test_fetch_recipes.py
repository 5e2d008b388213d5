"""Bringing in the recipes of a file: what is new is said, what is bad is reported, and nothing is said twice."""

import gzip
import json
from typing import Any

import pytest

from meal_assets.commands.recipes import request_recipes
from meal_assets.consumers import Consumed, consume
from meal_assets.consumers.fetch_recipes import FetchRecipes
from meal_assets.consumers.library import recipes_at
from meal_assets.contracts.recipe import RecipeFetched, RecipeRemoved, RecipesFetched
from meal_assets.contracts.recipe_request import RecipesRequested
from meal_assets.contracts.system import DeadLettered
from meal_assets.event_store import EventStore, Origin
from tests.recipe_files.test_exports import zipped
from tests.shared_data import shared_data

SOUP = {"title": "Lentil soup", "ingredients": ["300 g red lentils"], "url": "https://example.org/soup"}
OATS = {"title": "Overnight oats", "ingredients": ["100 g oats"], "url": "https://example.org/oats"}


def lines(*rows: Any) -> bytes:
    return "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows).encode()


def bring_in(store: EventStore, content: bytes, name: str = "recipes") -> Consumed:
    request_recipes(store, name, content, Origin("home", "test"))
    return consume(FetchRecipes(), store)


def batch(store: EventStore) -> RecipesFetched:
    """What was said last about a whole file."""
    event = store.read(types=[RecipesFetched])[-1].event
    assert isinstance(event, RecipesFetched)
    return event


def counts(store: EventStore) -> tuple[int, int, int, int]:
    done = batch(store)
    return done.read, done.fetched, done.unchanged, done.rejected


def titles(store: EventStore) -> list[str]:
    return [r.event.title for r in store.read(types=[RecipeFetched]) if isinstance(r.event, RecipeFetched)]


@pytest.mark.parametrize(
    "content",
    [
        lines(SOUP, OATS),
        lines(SOUP, "", OATS, ""),
        json.dumps([SOUP, OATS], indent=1).encode(),
        gzip.compress(lines(SOUP, OATS)),
        gzip.compress(json.dumps([SOUP, OATS]).encode()),
        b"\xef\xbb\xbf" + lines(SOUP, OATS),
        lines(SOUP, OATS).replace(b"\n", b"\r\n"),
    ],
    ids=["lines", "empty lines", "array", "packed lines", "packed array", "byte order mark", "from Windows"],
)
def test_recipes_come_in_lines_or_in_an_array_packed_or_not(store: EventStore, content: bytes) -> None:
    assert bring_in(store, content).failed is None
    assert titles(store) == ["Lentil soup", "Overnight oats"]
    assert counts(store) == (2, 2, 0, 0)


def test_a_file_may_be_one_recipe(store: EventStore) -> None:
    bring_in(store, json.dumps(SOUP, indent=2).encode())
    assert counts(store) == (1, 1, 0, 0)


@pytest.mark.parametrize("content", [b"", b"[]", b"\n\n"], ids=["nothing", "an empty array", "empty lines"])
def test_a_file_without_recipes_is_told_so(store: EventStore, content: bytes) -> None:
    bring_in(store, content)
    assert counts(store) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ("{not json", "line"),
        ("[" * 100_000, "line"),
        ("9" * 5_000, "line"),
        ('"a text"', "recipe"),
        ("null", "recipe"),
        ({"ingredients": ["1 egg"]}, "title"),
        ({"title": "Air"}, "ingredients"),
    ],
    ids=["not JSON", "too deep", "too long a number", "a text", "null", "no title", "no ingredients"],
)
@pytest.mark.parametrize("line", [1, 2])
def test_a_bad_line_is_reported_with_its_number_and_the_others_come_in(
    store: EventStore, bad: Any, field: str, line: int
) -> None:
    rows = [SOUP, OATS]
    rows.insert(line - 1, bad)
    assert bring_in(store, lines(*rows)).set_aside == 0
    assert counts(store) == (3, 2, 0, 1)
    findings = [f for f in batch(store).findings if f.skipped]
    assert [(f.line, f.field) for f in findings] == [(line, field)]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (gzip.compress(lines(SOUP, OATS))[:-12], "not whole gzip"),
        (b"\x1f\x8bnothing of the kind", "not whole gzip"),
        ("Crème brûlée".encode("latin-1"), "not UTF-8"),
    ],
    ids=["truncated gzip", "only a beginning like gzip", "another encoding"],
)
def test_a_file_that_cannot_be_read_is_a_dead_letter_that_says_why_and_the_next_file_comes_in(
    store: EventStore, content: bytes, text: str
) -> None:
    assert bring_in(store, content).set_aside == 1
    (letter,) = store.read(types=[DeadLettered])
    assert isinstance(letter.event, DeadLettered)
    assert text in letter.event.error
    assert titles(store) == []
    assert bring_in(store, lines(SOUP)).handled == 1
    assert titles(store) == ["Lentil soup"]


def test_an_archive_comes_in_and_what_is_broken_in_it_is_told_by_its_name(store: EventStore) -> None:
    packed = zipped({"a/soup.json": SOUP, "b/oats.json": OATS, "c/broken.json": b"{", "d/../../e.json": SOUP})
    assert bring_in(store, packed).failed is None
    assert counts(store) == (4, 2, 0, 2)
    assert [(f.line, f.entry) for f in batch(store).findings] == [(3, "c/broken.json"), (4, "d/../../e.json")]
    bring_in(store, zipped({"soup.json": SOUP, "oats.json": OATS}))
    assert counts(store) == (2, 0, 2, 0)


def test_a_recipe_that_is_twice_in_a_file_is_fetched_once_when_equal_and_again_when_not(store: EventStore) -> None:
    bring_in(store, lines(SOUP, SOUP, {**SOUP, "ingredients": ["500 g red lentils"]}))
    assert counts(store) == (3, 2, 1, 0)


def test_each_household_has_a_library_of_its_own(store: EventStore) -> None:
    bring_in(store, lines(SOUP))
    request_recipes(store, "recipes", lines(SOUP), Origin("next-door", "test"))
    consume(FetchRecipes(), store)
    assert [r.household for r in store.read(types=[RecipeFetched])] == ["home", "next-door"]


def test_the_same_file_again_says_nothing_new(store: EventStore) -> None:
    first = request_recipes(store, "recipes", lines(SOUP), Origin("home", "test"))
    consume(FetchRecipes(), store)
    head = store.head()
    again = request_recipes(store, "another name", lines(SOUP), Origin("home", "test"))
    assert (again.correlation_id, again.position, again.events) == (first.correlation_id, first.position, 0)
    consume(FetchRecipes(), store)
    assert store.head() == head


def test_a_recipe_that_was_removed_is_neither_cooked_with_nor_known_when_it_comes_again(store: EventStore) -> None:
    bring_in(store, lines(SOUP, OATS))
    soup, oats = (r.event for r in store.read(types=[RecipeFetched]))
    assert isinstance(soup, RecipeFetched)
    gone = RecipeRemoved(recipe=soup.recipe, reason="deleted")
    store.append(gone.stream_in("home"), [gone], origin=Origin("home", "test"))
    request_recipes(store, "again", lines(OATS, SOUP), Origin("home", "test"))
    (request,) = store.read_newest([RecipesRequested], 1)
    assert recipes_at(request, store) == [oats]
    consume(FetchRecipes(), store)
    assert counts(store) == (2, 1, 1, 0)
    assert titles(store) == ["Lentil soup", "Overnight oats", "Lentil soup"]


@pytest.mark.slow
def test_the_real_file_is_read_to_the_last_row_and_of_a_changed_one_only_the_change(store: EventStore) -> None:
    content = gzip.decompress(shared_data("recipes-real.jsonl.gz").read_bytes())
    bring_in(store, gzip.compress(content))
    read, fetched, unchanged, rejected = counts(store)
    assert (read, fetched + rejected, unchanged) == (277, 277, 0)
    assert fetched > 260
    assert len(titles(store)) == fetched
    rows = [json.loads(line) for line in content.decode().splitlines()]
    rows[4]["ingredients"] = [*rows[4]["ingredients"], "1 pinch of saffron"]
    bring_in(store, lines(*rows), "changed")
    assert counts(store) == (277, 1, fetched - 1, rejected)
    assert titles(store)[-1] == rows[4]["title"]
