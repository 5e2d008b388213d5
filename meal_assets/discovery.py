"""Finding classes by the package they live in, so that a new file needs no list to be added to."""

import importlib
import pkgutil
import re
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


def subclasses_in(package: ModuleType, base: type[T]) -> list[type[T]]:
    """Every class below `base` defined in a module of `package`, by module and then in order of definition."""
    found = []
    for name in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        if name.startswith("_"):
            continue
        module = importlib.import_module(f"{package.__name__}.{name}")
        found += [
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, base)
            and value is not base
            and value.__module__ == module.__name__
        ]
    return found


def snake(name: str) -> str:
    """`WeekPlan` -> `week_plan`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
