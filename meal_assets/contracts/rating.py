"""Topic `rating`: how persons like what they ate."""

from pydantic import Field

from .base import Event
from .values import PersonId, RecipeId


class RecipeRated(Event, topic="rating", stream="rating/{person}/{recipe}", stays=True):
    """A person gives a recipe one to five stars; the last time counts."""

    examples = [
        {"person": "ada", "recipe": "lentil-soup", "stars": 5},
        {"person": "ben", "recipe": "tofu-bowl", "stars": 2},
    ]

    person: PersonId
    recipe: RecipeId
    stars: int = Field(ge=1, le=5)
