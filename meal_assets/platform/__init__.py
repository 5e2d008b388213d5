"""The Dagster face: the only package, with `definitions.py`, that imports Dagster."""
