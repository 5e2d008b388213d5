"""Recipes: reading them from files and pages, and what a planner asks of them.

`read_recipe` goes source -> published, label -> reading; `meals_for`, `carries_word` and `minutes` look at the event.
"""

from .dishes import carries_word, meals_for, minutes
from .reading import Read, content_hash, read_recipe, recipe_id

__all__ = ["Read", "carries_word", "content_hash", "meals_for", "minutes", "read_recipe", "recipe_id"]
