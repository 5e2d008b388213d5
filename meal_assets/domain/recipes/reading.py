"""A recipe out of a decoded JSON value: what is no recipe raises, what is not understood is left out and reported."""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from pydantic import ValidationError

from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.errors import Invalid

from .label import Note, read_label
from .source import Source, limit, recipe_in
from .words import fold

_RECIPE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,127}")
_SLUG_LENGTH = 80
_TRACKING = re.compile(r"utm_\w+|fbclid|gclid|mc_[ce]id", re.IGNORECASE)
_PAGE_ENDING = re.compile(r"\.(?:html?|php|aspx?|jsp)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Read:
    """A recipe as read, and what of its source was not: pairs of field, as the source calls it, and reason."""

    event: RecipeFetched
    findings: tuple[Note, ...]


def read_recipe(row: object) -> Read:
    """A decoded JSON value as a recipe: a row as recipe-scrapers writes it, our own, or schema.org/Recipe JSON-LD.

    Raises Invalid, and nothing else, when it is no recipe at all: no object, no title, no ingredient.
    """
    node = recipe_in(row)
    source = Source(node)
    if (title := source.text(limit("title"), "title", "name", "headline")) is None:
        raise Invalid("title", "is missing")
    if not (ingredients := source.ingredients()):
        raise Invalid("ingredients", "has no line")
    url = source.url(limit("source_url"), "canonical_url", "source_url", "url", "mainEntityOfPage", "@id")
    site = source.text(limit("site"), "site_name", "publisher", "host") or _host(url)
    content = {
        "recipe": recipe_id(node.get("id"), url=url, title=title, site=site),
        "title": title,
        "source_url": url,
        "site": site,
        "author": source.text(limit("author"), "author", joined=True),
        "language": source.language(),
        "image_url": source.url(limit("image_url"), "image", "image_url", "thumbnailUrl"),
        **_yield_and_label(source),
        **_times(source),
        "categories": source.labels("category", "categories", "recipeCategory"),
        "cuisines": source.labels("cuisine", "cuisines", "recipeCuisine"),
        "keywords": source.labels("keywords", "tags"),
        "ingredients": ingredients,
        "instructions": source.instructions(),
    }
    return Read(_event(content), tuple(source.findings))


def content_hash(payload: dict[str, Any]) -> str:
    """SHA-256, in hex, of a RecipeFetched payload's canonical JSON without the hash itself."""
    content = {k: v for k, v in payload.items() if k != "content_hash"}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def recipe_id(explicit: object, *, url: str | None, title: str, site: str | None) -> str:
    """The id of a recipe, the same every time it is read: its own when it has the form of one, else words and a hash.

    The hash is of the page's address (whatever its scheme, www, tracking, trailing slash); where that is missing or
    only a site's, of the site with the source's id or the title. Without a Latin word the id is a longer hash alone.
    """
    own = str(explicit) if isinstance(explicit, str | int) and not isinstance(explicit, bool) else ""
    if _RECIPE_ID.fullmatch(own):
        return own
    identity = (url and _page(url)) or f"{site or ''}\n{own or fold(title)}"
    digest = hashlib.sha256(identity.encode(errors="replace")).hexdigest()
    slug = (_slug(_last_part(url)) if url else "") or _slug(title)
    return f"{slug}-{digest[:8]}" if slug else digest[:16]


def _yield_and_label(source: Source) -> dict[str, Any]:
    field, nutrition = source.said("nutrients", "nutrition")
    facts = nutrition[0] if isinstance(nutrition, list) else nutrition
    yields, servings = source.yields(facts.get("servingSize") if isinstance(facts, dict) else None)
    label = read_label(nutrition, source.row.get("macros"), field=field, servings=servings)
    source.findings += label.findings
    return {"yields": yields, "servings": servings, "per_serving": label.per_serving}


def _times(source: Source) -> dict[str, int | None]:
    # A total of nothing is how pages say that they do not know.
    return {
        "prep_minutes": source.minutes("prep_time", "prepTime"),
        "cook_minutes": source.minutes("cook_time", "cookTime"),
        "total_minutes": source.minutes("total_time", "totalTime") or None,
    }


def _event(content: dict[str, Any]) -> RecipeFetched:
    try:
        draft = RecipeFetched(**content, content_hash="0" * 64)
    except ValidationError as error:
        first = error.errors()[0]
        raise Invalid(".".join(str(part) for part in first["loc"]), first["msg"]) from error
    return draft.model_copy(update={"content_hash": content_hash(draft.model_dump(mode="json"))})


def _host(url: str | None) -> str | None:
    return _parts(url)[0][: limit("site")] if url else None


def _parts(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return (parts.hostname or "").removeprefix("www."), unquote(parts.path).rstrip("/")


def _page(url: str) -> str | None:
    """What identifies a page, however its address is written; None when it is a whole site's."""
    host, path = _parts(url)
    query = [(k, v) for k, v in parse_qsl(urlsplit(url).query) if not _TRACKING.fullmatch(k)]
    return f"{host}{path}?{urlencode(sorted(query))}" if path or query else None


def _last_part(url: str) -> str:
    return _PAGE_ENDING.sub("", _parts(url)[1].rpartition("/")[2])


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", fold(text)).strip("-")[:_SLUG_LENGTH].rstrip("-")
