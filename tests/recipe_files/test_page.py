"""The recipe on a page, as pages are really written: with data, without, in old encodings, broken."""

import json
import subprocess
import sys
from typing import Any

import pytest

from meal_assets.errors import Invalid
from meal_assets.recipe_files.page import read_page

SOUP: dict[str, Any] = {
    "@context": "https://schema.org",
    "@type": "Recipe",
    "name": "Crème de lentilles",
    "recipeYield": "4 servings",
    "recipeIngredient": ["300 g red lentils", "1 onion"],
    "recipeInstructions": [{"@type": "HowToStep", "text": "Cook."}],
    "nutrition": {
        "@type": "NutritionInformation",
        "calories": "300 kcal",
        "proteinContent": "20 g",
        "carbohydrateContent": "40 g",
        "fatContent": "5 g",
    },
}
HOME = "https://kitchen.example/soup"


def page(*scripts: object, head: str = "", body: str = "") -> str:
    written = (s if isinstance(s, str) else json.dumps(s, ensure_ascii=False) for s in scripts)
    data = "".join(f'<script type="application/ld+json">{w}</script>' for w in written)
    return f'<!doctype html>\n<html lang="fr"><head><meta charset="utf-8">{head}{data}</head><body>{body}</body></html>'


MICRODATA = page(
    body="""<div itemscope itemtype="https://schema.org/Recipe"><h1 itemprop="name">Onion soup</h1>
    <li itemprop="recipeIngredient">4 onions</li><li itemprop="recipeIngredient">1 l stock</li>
    <p itemprop="recipeInstructions">Simmer.</p></div>"""
)
WOOP = page(
    head='<meta property="og:title" content="Onion bowl">',
    body="""<div class="ingredients"><li>4 onions</li><li>1 l stock</li></div>
    <div class="serving-amount"><div class="value">2</div></div>
    <div class="cooking-instructions"><li>Simmer.</li></div>""",
)
"""As woop.co.nz has it, which publishes no schema.org data."""


def test_json_ld_is_read_with_the_nutrition_that_it_publishes() -> None:
    event = read_page(page(SOUP).encode(), HOME).event
    assert (event.title, event.source_url, event.site, event.language) == (
        "Crème de lentilles",
        HOME,
        "kitchen.example",
        "fr",
    )
    assert [i.line for i in event.ingredients] == ["300 g red lentils", "1 onion"]
    assert event.per_serving is not None
    assert event.per_serving.kcal == 300
    assert event.recipe.startswith("soup-")


def test_nutrition_that_cannot_be_is_not_taken_and_told() -> None:
    impossible = {**SOUP, "nutrition": {**SOUP["nutrition"], "calories": "30 kcal"}}
    read = read_page(page(impossible).encode(), HOME)
    assert read.event.per_serving is None
    assert any("300" in reason or "give" in reason for _, reason in read.findings)


@pytest.mark.parametrize(
    "scripts",
    [
        ("{broken", SOUP),
        (json.dumps(SOUP)[:-1] + ",}",),
        ("/* data */ " + json.dumps(SOUP),),
        ("[" * 100_000, SOUP),
        ({"@graph": [{"@type": "WebSite"}, SOUP]},),
        ({"@type": "WebPage", "mainEntity": SOUP},),
        (json.dumps(SOUP).replace("Cook.", "Cook\n\twell."),),
    ],
    ids=["one broken", "a comma too many", "a comment", "one too deep", "a graph", "a page's", "line ends in texts"],
)
def test_data_that_is_written_badly_is_read_where_it_can_be(scripts: tuple[object, ...]) -> None:
    assert read_page(page(*scripts).encode(), HOME).event.title == "Crème de lentilles"


def test_microdata_is_read_where_there_is_no_json() -> None:
    event = read_page(MICRODATA.encode(), HOME).event
    assert (event.title, [i.line for i in event.ingredients]) == ("Onion soup", ["4 onions", "1 l stock"])
    assert event.instructions == ("Simmer.",)


@pytest.mark.parametrize("url", ["https://woop.co.nz/bowls/onion-bowl", None])
def test_a_site_that_publishes_no_data_is_read_as_it_is_known_to_write(url: str | None) -> None:
    written = WOOP.replace("<head>", '<head><link rel="canonical" href="https://woop.co.nz/bowls/onion-bowl">')
    event = read_page(written.encode(), url).event
    assert (event.title, event.servings, event.instructions) == ("Onion bowl", 2, ("Simmer.",))
    assert event.source_url == "https://woop.co.nz/bowls/onion-bowl"


def test_data_without_ingredients_does_not_keep_the_page_from_being_read() -> None:
    half = page({**SOUP, "recipeIngredient": []}, body=WOOP)
    assert read_page(half.encode(), "https://woop.co.nz/bowls/x").event.title == "Onion bowl"


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (page(body="<p>Our menu</p>").encode(), "microdata"),
        (b"<", "JSON-LD"),
        (b"<html></html>", "JSON-LD"),
        (page({"@type": "Recipe", "name": "Air"}).encode(), "ingredients has no line"),
        (b"", "neither in HTML nor in JSON"),
        (b"plain text", "neither in HTML nor in JSON"),
        (b"[" * 100_000, "neither in HTML nor in JSON"),
        (b'{"@type": "WebPage"}', "no Recipe is among them"),
        (b"<" + bytes(range(256)) * 40, "JSON-LD"),
    ],
    ids=["none", "a bracket", "empty", "half", "nothing", "text", "deep", "a page's", "bytes"],
)
def test_a_page_without_a_recipe_says_what_was_looked_for(content: bytes, wanted: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_page(content, HOME)
    assert wanted in str(caught.value)


def test_a_known_site_is_named_where_its_page_is_not_as_it_was() -> None:
    with pytest.raises(Invalid, match=r"what woop\.co\.nz is known to write"):
        read_page(page(body="<p>New design</p>").encode(), "https://woop.co.nz/bowls/x")


def test_json_ld_alone_is_a_page_too() -> None:
    assert read_page(json.dumps([{"@type": "WebPage"}, SOUP]).encode(), HOME).event.title == "Crème de lentilles"


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (page(SOUP).replace("utf-8", "windows-1252").encode("cp1252"), "text/html"),
        (page(SOUP).replace('<meta charset="utf-8">', "").encode("latin-1"), "text/html; charset=iso-8859-1"),
        (b"\xef\xbb\xbf" + page(SOUP).replace('<meta charset="utf-8">', "").encode(), None),
        (page(SOUP).replace('<meta charset="utf-8">', "").encode(), None),
    ],
    ids=["its head says", "the server says", "a byte order mark", "nobody says"],
)
def test_a_page_is_read_in_its_own_encoding(content: bytes, content_type: str | None) -> None:
    assert read_page(content, HOME, content_type).event.title == "Crème de lentilles"


@pytest.mark.parametrize(
    ("told", "fetched", "kept"),
    [
        ("https://www.kitchen.example/the-soup", HOME, "https://www.kitchen.example/the-soup"),
        ("/the-soup", HOME, "https://kitchen.example/the-soup"),
        ("https://other.example/famous-soup", HOME, HOME),
        ("https://kitchen.example/", HOME, HOME),
        ("javascript:alert(1)", HOME, HOME),
        ("https://other.example/famous-soup", None, "https://other.example/famous-soup"),
        ("", f"{HOME}?a=1&token=hush", f"{HOME}?a=1"),
        ("/the-soup?sid=hush&b=2", HOME, "https://kitchen.example/the-soup?b=2"),
    ],
)
def test_a_page_names_itself_on_its_own_site_only_and_without_secrets(
    told: str, fetched: str | None, kept: str
) -> None:
    head = f'<link rel="canonical" href="{told}">'
    own = {**SOUP, "url": "https://elsewhere.example/x", "id": "tandoor-7"}
    event = read_page(page(own, head=head).encode(), fetched).event
    assert event.source_url == kept
    assert event.recipe != "tandoor-7"


def test_nothing_is_imported_before_a_page_is_read() -> None:
    """The library of site scrapers takes two thirds of a second."""
    code = (
        "import sys, meal_assets.consumers, meal_assets.cli.app, meal_assets.recipe_files.reading\n"
        "sys.exit(str({'recipe_scrapers', 'lxml', 'extruct', 'w3lib', 'bs4'} & set(sys.modules) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == ""
