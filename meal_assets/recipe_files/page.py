"""The recipe on a web page: in its schema.org data, else by what recipe-scrapers knows of its site."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from meal_assets.domain.recipes import Read, read_recipe
from meal_assets.domain.recipes.addresses import without_secrets
from meal_assets.domain.recipes.source import recipe_in, web_address
from meal_assets.errors import Invalid

if TYPE_CHECKING:  # half a second that only reading a page needs
    from lxml.html import HtmlElement

MAX_SCRIPTS = 200
NOWHERE = "http://unknown.invalid/"
"""What recipe-scrapers is told of a page that does not say where it is from: it serves no site."""
JSON_LD = (
    './/script[translate(@type, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")="application/ld+json"]'
)

Row = dict[str, Any]
Look = Callable[[], Row]


def is_page(content: bytes) -> bool:
    """Whether the bytes look like HTML."""
    return content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def read_page(content: bytes, url: str | None = None, content_type: str | None = None) -> Read:
    """The recipe of an HTML page, or of JSON-LD, that came from `url`; None where it is a saved file.

    What the page says of its own address is believed on its own site only: it cannot speak for another one.
    Raises `Invalid`, which says what was looked for.
    """
    text = _text(content, content_type)
    if not text.lstrip().startswith("<"):
        return read_recipe(_of_page(_json(text), None if url is None else without_secrets(url)[0]))
    tree = _tree(text)
    where = _address(tree, url)
    missing = []
    for what, look in (_json_ld(tree), _scraped(text, where)):
        try:
            row = look()
            return read_recipe(_of_page({"inLanguage": tree.get("lang"), **row}, where))
        except Invalid as error:
            missing.append(f"{what} ({error.field} {error.reason})")
    raise Invalid("recipe", f"is not on this page. Looked for {' and for '.join(missing)}")


def _json(text: str) -> Row:
    try:
        return recipe_in(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise Invalid("recipe", f"is neither in HTML nor in JSON: {error}") from None


def _json_ld(tree: "HtmlElement") -> tuple[str, Look]:
    import jstyleson

    def look() -> Row:
        found = []
        for script in tree.xpath(JSON_LD)[:MAX_SCRIPTS]:
            written = script.text_content()
            for load in (json.loads, jstyleson.loads):  # the second passes over comments and commas too many
                try:
                    found.append(load(written, strict=False))
                    break
                except (ValueError, RecursionError, IndexError):
                    continue
        return recipe_in(found)

    return "schema.org JSON-LD", look


def _scraped(text: str, where: str | None) -> tuple[str, Look]:
    from recipe_scrapers import scrape_html, scraper_exists_for

    url = where or NOWHERE
    known = scraper_exists_for(url)

    def look() -> Row:
        try:
            page: Any = scrape_html(text, org_url=url, supported_only=False)
            row: Row = page.to_json()
        except Exception as error:  # of one in 600 scrapers, on a page that is not as it expects
            raise Invalid("recipe", "has none" if not known else f"was not found: {type(error).__name__}") from error
        return row

    return (f"what {urlsplit(url).hostname} is known to write" if known else "schema.org microdata"), look


def _of_page(row: Row, where: str | None) -> Row:
    """The recipe under its page's address; what it calls itself is its site's affair, not ours."""
    row = {k: v for k, v in row.items() if k not in ("id", "canonical_url", "source_url")}
    return row if where is None else {**row, "canonical_url": where}


def _address(tree: "HtmlElement", url: str | None) -> str | None:
    """Where the page is, by itself where that is on the same site, else as it was fetched; without secrets."""
    for path in ('string(.//link[@rel="canonical"]/@href)', 'string(.//meta[@property="og:url"]/@content)'):
        told = web_address(urljoin(url or "", str(tree.xpath(path))))
        if told and (url is None or _site(told) == _site(url)) and urlsplit(told).path.strip("/"):
            return without_secrets(told)[0]
    return None if url is None else without_secrets(url)[0]


def _site(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")


def _tree(text: str) -> "HtmlElement":
    import lxml.etree
    import lxml.html

    parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=False)
    try:
        return lxml.html.document_fromstring(text.encode(errors="replace"), parser=parser)
    except (lxml.etree.LxmlError, AssertionError, ValueError) as error:
        raise Invalid("recipe", f"the page cannot be read as HTML: {error}") from None


def _text(content: bytes, content_type: str | None) -> str:
    """The page's text by what the server, its first bytes or its head say of its encoding."""
    from w3lib.encoding import html_to_unicode

    _, text = html_to_unicode(content_type, content)
    return text.removeprefix("\ufeff").replace("\0", "")
