"""Topic `recipe_request`: somebody wants recipes brought in."""

from typing import Literal

from pydantic import Field

from .base import Event


class RecipesRequested(Event, topic="recipe_request", stream="recipe_request/{sha256}", outcome="working", stays=True):
    """A file of recipes is to be read; its bytes are kept in the database under their SHA-256."""

    examples = [{"source": "file", "name": "recipes.jsonl.gz", "sha256": "ab" * 32, "size": 236936}]

    source: Literal["file"]
    name: str = Field(min_length=1, max_length=255)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=0)


class RecipeSyncRequested(Event, topic="recipe_request", stream="recipe_request/{source}", outcome="working"):
    """The recipes of a service are to be brought in line; `full`: each is read, also where nothing says it changed."""

    examples = [{"source": "tandoor", "full": True}, {"source": "tandoor", "full": False}]

    source: Literal["tandoor"]
    full: bool = False


class RecipePageRequested(Event, topic="recipe_request", stream="recipe_request/{page}", outcome="working", stays=True):
    """The recipe on a web page is wanted."""

    examples = [{"page": "ab" * 16, "url": "https://kitchen.example/shakshuka"}]

    page: str = Field(pattern=r"^[0-9a-f]{32}$")
    """Of the address, the same for the same page."""
    url: str = Field(min_length=1, max_length=2_000)
    """Without names, passwords and what may be a token in it."""
