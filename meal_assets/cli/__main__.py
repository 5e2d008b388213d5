"""`python -m meal_assets.cli` is `meals`."""

from . import main

main()
