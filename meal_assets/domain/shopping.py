"""From a week's portions to what must be bought: amounts of one food are added only where their units allow it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from meal_assets.contracts.kitchen import IngredientsWeighed, KnownFood, Wanted
from meal_assets.contracts.recipe import Ingredient

from .nutrition import food_key
from .units import AS_WRITTEN, PIECE, in_base

LIQUID_G_ML = 0.9
"""What is lighter is no liquid, and is bought by mass: flour, leaves, grated cheese."""
DIGITS = 3
"""Of amounts on the list: a milligram, a microlitre."""
Key = tuple[str, str]
"""`food` and its id, `name` and what a name is known by, or `line` and the line."""


@dataclass(frozen=True, slots=True)
class Serving:
    """So many servings of a recipe that makes `makes` of them (1 where unknown) from `ingredients`, cooked on `day`.

    `weighed`: the same ingredients as foods, where they are known.
    """

    title: str
    servings: float
    makes: float
    ingredients: tuple[Ingredient, ...]
    weighed: IngredientsWeighed | None = None
    recipe: str = ""
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """What one dish, cooked on that day, needs of an item, in the item's unit."""

    title: str
    quantity: float | None
    recipe: str = ""
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the list. `quantity` is None where no amount was ever given ("salt to taste").

    `grams`: what all of it weighs, where the food itself tells. `names`: what the recipes call it.
    """

    item: str
    quantity: float | None
    unit: str
    uses: tuple[Use, ...]
    names: tuple[str, ...] = ()
    food: KnownFood | None = None
    grams: float | None = None

    @property
    def meals(self) -> tuple[str, ...]:
        """The dishes it is for."""
        return tuple(sorted({use.title for use in self.uses}))


@dataclass(slots=True)
class _Need:
    """So much of a food for one dish."""

    serving: Serving
    item: str
    quantity: float | None
    unit: str
    grams: float | None


@dataclass(slots=True)
class _Group:
    """All that is needed of one food."""

    food: KnownFood | None
    needs: list[_Need] = field(default_factory=list)

    def rows(self) -> Iterable[tuple[str, list[_Need]]]:
        """Unit -> needs that can be added: in grams, where units differ and all is weighed, and what is no liquid."""
        by_unit: dict[str, list[_Need]] = defaultdict(list)
        for need in self.needs:
            by_unit["" if need.quantity is None else need.unit].append(need)
        weighed = [u for u, needs in by_unit.items() if u and all(n.grams is not None for n in needs)]
        if len(weighed) > 1 or (weighed == ["ml"] and self._is_solid):
            together = [n for unit in weighed for n in by_unit.pop(unit)]
            by_unit["g"] = [_Need(n.serving, n.item, n.grams, "g", n.grams) for n in together]
        return sorted(by_unit.items())

    @property
    def _is_solid(self) -> bool:
        return self.food is not None and (self.food.grams_per_ml or LIQUID_G_ML) < LIQUID_G_ML


def shopping_list(servings: Iterable[Serving]) -> list[Item]:
    """The list by item and unit: masses in g, volumes in ml, pieces in pieces.

    Grams are added to pieces or millilitres only where the food itself tells what those weigh.
    """
    groups: dict[Key, _Group] = {}
    for serving in servings:
        foods = {f.food: f for f in serving.weighed.foods} if serving.weighed else {}
        factor = serving.servings / serving.makes
        for wanted in serving.weighed.wanted if serving.weighed else map(as_written, serving.ingredients):
            food = foods.get(wanted.food) if wanted.food else None
            group = groups.setdefault(_key(wanted, food), _Group(food))
            amounts = (None if a is None else a * factor for a in (wanted.quantity, wanted.grams))
            quantity, grams = amounts
            group.needs.append(_Need(serving, wanted.item, quantity, wanted.unit, grams))
    found = []
    for (_, group), name in zip(sorted(groups.items()), _names(groups), strict=True):
        found += [_item(name, group, unit, needs) for unit, needs in group.rows()]
    return sorted(found, key=lambda i: (i.item, i.unit))


def as_written(ingredient: Ingredient) -> Wanted:
    """A line of which nobody looked up the food: what its source gave apart, else its author's words."""
    if ingredient.food is None:
        return Wanted(line=0, item=ingredient.line, quantity=1, unit=AS_WRITTEN)
    if ingredient.quantity is None:
        return Wanted(line=0, item=ingredient.food)
    size, unit = in_base(ingredient.unit or "")
    amount = ingredient.quantity * size
    return Wanted.model_construct(  # as large as it may be, times a unit
        line=0, item=ingredient.food, food=None, quantity=amount, unit=unit, grams=amount if unit == "g" else None
    )


def shown(quantity: float | None, unit: str) -> str:
    """An amount as people write it: "1.2 kg", "3 pieces", ""."""
    if quantity is None:
        return ""
    if unit in {"g", "ml"} and quantity >= 1000:
        thousands = f"{quantity / 1000:.3g}" if quantity < 100_000 else f"{quantity / 1000:.0f}"
        return f"{thousands} {'kg' if unit == 'g' else 'l'}"
    number = f"{quantity:.0f}" if quantity >= 10 else f"{quantity:.2g}"
    if unit == PIECE:
        return f"{number} piece{'s' if number != '1' else ''}"
    return f"{number} {unit}"


def servings_of(portions: Mapping[str, float]) -> float:
    """All persons' portions of one planned meal together."""
    return sum(portions.values())


def _key(wanted: Wanted, food: KnownFood | None) -> Key:
    if food is not None:
        return "food", food.food
    if wanted.unit == AS_WRITTEN:
        return "line", wanted.item
    return "name", food_key(wanted.item) or wanted.item


def _names(groups: Mapping[Key, _Group]) -> list[str]:
    """What each group is called, by key: the shortest of its names; where two are called the same, their food too."""
    shortest = [min((n.item for n in groups[key].needs), key=lambda name: (len(name), name)) for key in sorted(groups)]
    taken: set[str] = set()
    names = []
    for key, name in zip(sorted(groups), shortest, strict=True):
        food = groups[key].food
        if shortest.count(name) > 1 and food is not None:
            name = f"{name} ({food.description})"
        if name in taken:
            name = f"{name} [{key[1]}]"
        taken.add(name)
        names.append(name)
    return names


def _item(name: str, group: _Group, unit: str, needs: list[_Need]) -> Item:
    by_dish: dict[tuple[date | None, str, str], list[_Need]] = defaultdict(list)
    for need in needs:
        by_dish[need.serving.day, need.serving.recipe, need.serving.title].append(need)
    uses = [
        Use(title, _sum(n.quantity for n in some), recipe, day)
        for (day, recipe, title), some in sorted(by_dish.items(), key=lambda kv: (kv[0][0] or date.min, *kv[0][1:]))
    ]
    names = tuple(sorted({n.item for n in needs}))
    return Item(
        name, _sum(n.quantity for n in needs), unit, tuple(uses), names, group.food, _sum(n.grams for n in needs)
    )


def _sum(amounts: Iterable[float | None]) -> float | None:
    """The sum; of what is unknown in part, unknown."""
    known = list(amounts)
    return None if any(a is None for a in known) else round(sum(a for a in known if a is not None), DIGITS)
