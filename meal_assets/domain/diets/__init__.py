"""Which dishes fit a diet, which foods they carry, what their protein comes from, and from where they are.

A `Look` reads the words of a recipe once; what is asked of it afterwards is a matter of sets.
What the words and rules are, with their sources, stands in foods.toml and diets.toml.
"""

from .look import Look, cuisine_named, unfit
from .tables import allergens, sources

__all__ = ["Look", "allergens", "cuisine_named", "sources", "unfit"]
