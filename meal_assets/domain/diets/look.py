"""Looking at a recipe: the foods its words name, and what follows for diets, allergies and variety."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache

from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.contracts.values import Meal, Nutrients

from ..recipes.dishes import carries_word, meals_for
from ..recipes.occasions import MAIN
from ..recipes.words import fold, has_no_spaces, singulars, words
from .tables import (
    Bounds,
    Phrase,
    Sign,
    allergens,
    cuisines,
    language_words,
    languages,
    phrases,
    protein_of_group,
    proteins,
    rules,
    told_by_titles,
    trace_ends,
)

NEAR = 3
"""So many words before a name, `vegan` and the like still speak of it: gluten-free all-purpose flour."""
LITTLE_PROTEIN_G = 7
"""A serving with less has no main source of protein."""
KCAL_PER_G_PROTEIN = 4
ROUNDING = 1e-9
UNCHANGED = 3
"""Words of so many letters only get an s."""
MAX_WORDS = 20_000
"""So many different words are remembered."""

_TOKEN = re.compile(r"[^\W_]+|\n")
_SHOWN = {"protein_g": "g of protein", "carbs_g": "g of carbohydrates", "fat_g": "g of fat", "kcal": "kcal"}
_FREE_OF = frozenset(("no", "without"))


class Look:
    """What the words of a recipe say, each read once and only when somebody asks.

    `per_serving` of the recipe is what is believed of a serving.
    """

    def __init__(self, recipe: RecipeFetched) -> None:
        self.recipe = recipe

    @cached_property
    def meals(self) -> frozenset[Meal]:
        """As `meals_for` has them."""
        return meals_for(self.recipe)

    @cached_property
    def carried(self) -> Mapping[str, str]:
        """Group of foods -> the name it goes by in the recipe."""
        return {group: name for group, (name, _) in {**self._listed, **self._titled}.items()}

    @cached_property
    def protein(self) -> str | None:
        """Its main source of protein, by the title, else by the ingredients."""
        per_serving = self.recipe.per_serving
        if per_serving is not None and per_serving.protein_g < LITTLE_PROTEIN_G:
            return None
        return _first_protein(self._titled) or _first_protein(g for g, (_, trace) in self._listed.items() if not trace)

    @cached_property
    def cuisines(self) -> tuple[str, ...]:
        """Where it is from as its source says, the known first; by the names of `cuisine_named`."""
        return tuple(dict.fromkeys(_cuisines(self.recipe)))

    @cached_property
    def is_understood(self) -> bool:
        """Whether it is in a language whose words are known; where none is told, by its small words."""
        if told := self.recipe.language:
            return told.replace("_", "-").split("-")[0].casefold() in languages()
        english, foreign = language_words()
        said = set(words(" ".join((*self._lines, *self.recipe.instructions[:3]))))
        return len(said & english) >= len(said & foreign)

    @cached_property
    def _text(self) -> str:
        """Title and ingredients, folded."""
        texts = (text for i in self.recipe.ingredients for text in (i.line, i.food) if text)
        return fold("\n".join((self.recipe.title, *texts)))

    @cached_property
    def _lines(self) -> list[str]:
        return [t for i in self.recipe.ingredients for t in (i.line, "" if (i.food or "") in i.line else i.food) if t]

    @cached_property
    def _listed(self) -> dict[str, tuple[str, bool]]:
        return _found("\n".join(self._lines))

    @cached_property
    def _titled(self) -> dict[str, tuple[str, bool]]:
        return {group: said for group, said in _found(self.recipe.title).items() if group in told_by_titles()}

    def unfit(self, diet: str) -> str | None:
        """Why a dish does not fit a diet, None where it does; a diet that nobody knows fits no dish.

        A recipe in a language whose words are not known fits no diet that rules out foods.
        """
        rule = rules().get(diet)
        if rule is None:
            return f"{diet} is no known diet"
        if rule.without and not self.is_understood:
            return f"its language ({self.recipe.language or 'not told'}) is not understood"
        if name := next((self.carried[group] for group in rule.without if group in self.carried), None):
            return name
        per_serving = self.recipe.per_serving
        if not rule.asks_for_nutrition:
            return None
        if per_serving is None:
            return "no nutrition is known"
        is_small = rule.small_protein_pct is not None and MAIN.isdisjoint(self.meals)
        if found := _outside(per_serving, rule.serving) or (None if is_small else _outside(per_serving, rule.main)):
            return found
        if is_small and rule.small_protein_pct is not None:
            pct = 100 * KCAL_PER_G_PROTEIN * per_serving.protein_g / per_serving.kcal if per_serving.kcal else 0.0
            if pct + ROUNDING < rule.small_protein_pct:
                return f"{pct:.0f} % of the energy from protein, at least {rule.small_protein_pct:g} % are wanted"
        return None

    def carries(self, word: str) -> str | None:
        """The name under which a dish carries what a word means, None where it does not.

        A word of `allergens` stands for all of its foods: nuts for almonds, too. Any other only for itself.
        """
        for group in allergens().get(" ".join(words(word)), ()):
            if group in self.carried:
                return self.carried[group]
        return word if self._may_carry(word) and carries_word(self.recipe, word) else None

    def _may_carry(self, word: str) -> bool:
        """Whether the beginnings of all words of a phrase stand anywhere: far cheaper than to look at each word."""
        return has_no_spaces(word) or all(beginning in self._text for beginning in _beginnings(word))


def unfit(recipe: RecipeFetched, per_serving: Nutrients | None, diet: str) -> str | None:
    """Why a dish does not fit a diet: the food or the figure; None where it does."""
    return Look(recipe.model_copy(update={"per_serving": per_serving})).unfit(diet)


@lru_cache(maxsize=8192)
def _beginnings(phrase: str) -> tuple[str, ...]:
    """Of each word what is the same in singular and plural: `cherries` -> cherr, `knife` -> kni, `egg` -> egg."""
    shortest = (min(singulars(word), key=len) for word in words(phrase))
    return tuple(s if len(s) <= UNCHANGED else s.removesuffix("e")[:-1] for s in shortest)


@lru_cache(maxsize=8192)
def cuisine_named(text: str) -> str:
    """The name a cuisine goes by, however it is said: `Tex-Mex` -> mexican; folded where it is none we know."""
    said = words(text)
    runs = (said[start:end] for start in range(len(said)) for end in range(len(said), start, -1))
    return next((name for run in runs if (name := cuisines().get(" ".join(run)))), " ".join(said))


def _found(text: str) -> dict[str, tuple[str, bool]]:
    """Group -> a name it goes by in the text, and whether all of its names are but traces of it."""
    tokens = _TOKEN.findall(fold(text))
    hits: dict[str, list[tuple[int, int]]] = {}
    covers: dict[tuple[str, Sign], list[tuple[int, int]]] = {}
    begins = [(start, begun) for start, token in enumerate(tokens) if (begun := _BEGINNING[token]) is not None]
    for start, (alone, longer) in begins:
        if longer is not None and start + 1 < len(tokens):
            alone = (*alone, *longer[tokens[start + 1]])
        for phrase in alone:
            end = start + len(phrase.forms)
            if end - start > 2 and not _goes_on(tokens[start + 2 : end], phrase):
                continue
            for group, sign in phrase.says:
                spans = hits.setdefault(group, []) if sign == "is" else covers.setdefault((group, sign), [])
                spans.append((start, end))
    found: dict[str, tuple[str, bool]] = {}
    for group, spans in hits.items():
        looks, free = covers.get((group, "only looks so"), ()), covers.get((group, "is free of it"), ())
        traces = covers.get((group, "is a trace"), ())
        for start, end in spans:
            if looks and any(s <= start and end <= e for s, e in looks):
                continue
            if _is_free(tokens, start, end, free):
                continue
            trace = tokens[end : end + 1] != [] and tokens[end] in trace_ends()
            trace = trace or (bool(traces) and any(s < end and start < e for s, e in traces))
            if group not in found or (found[group][1] and not trace):
                found[group] = " ".join(tokens[start:end]), trace
    return found


def _is_free(tokens: list[str], start: int, end: int, free: Sequence[tuple[int, int]]) -> bool:
    if tokens[end : end + 1] == ["free"] or (start and tokens[start - 1] in _FREE_OF):
        return True
    return bool(free) and any(
        (s <= start and start - e <= NEAR and "\n" not in tokens[s:start])
        or (s == end and tokens[e : e + 1] not in (["if"], ["or"]))
        for s, e in free
    )


def _goes_on(tokens: list[str], phrase: Phrase) -> bool:
    """Whether the words behind the first two of a phrase are those."""
    return len(tokens) == len(phrase.forms) - 2 and all(
        not form.isdisjoint(singulars(token)) for token, form in zip(tokens, phrase.forms[2:], strict=True)
    )


class _Longer(dict[str, tuple[Phrase, ...]]):
    """Second word -> those of some phrases that go on with it, found when first asked for."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._phrases = tuple(phrases)

    def __missing__(self, token: str) -> tuple[Phrase, ...]:
        found = tuple(p for p in self._phrases if not p.forms[1].isdisjoint(singulars(token)))
        if len(self) >= MAX_WORDS:
            self.clear()
        self[token] = found
        return found


class _Beginning(dict[str, tuple[tuple[Phrase, ...], _Longer | None] | None]):
    """Word -> the phrases that are it, and those that begin with it, found when first asked for; None for neither."""

    def __missing__(self, token: str) -> tuple[tuple[Phrase, ...], _Longer | None] | None:
        found = tuple(dict.fromkeys(p for form in sorted(singulars(token)) for p in phrases().get(form, ())))
        alone = tuple(p for p in found if len(p.forms) == 1)
        if len(self) >= MAX_WORDS:
            self.clear()
        longer = _Longer(p for p in found if len(p.forms) > 1) if len(alone) < len(found) else None
        self[token] = (alone, longer) if found else None
        return self[token]


_BEGINNING = _Beginning()


def _first_protein(groups: Iterable[str]) -> str | None:
    found = {protein_of_group()[group] for group in groups if group in protein_of_group()}
    return next((protein for protein in proteins() if protein in found), None)


def _cuisines(recipe: RecipeFetched) -> Iterator[str]:
    names = set(cuisines().values())
    told = [cuisine_named(text) for text in recipe.cuisines]
    yield from (name for name in told if name in names)
    yield from (name for text in (*recipe.categories, *recipe.keywords) if (name := cuisine_named(text)) in names)
    yield from (name for name in told if name)


def _outside(per_serving: Nutrients, bounds: Bounds) -> str | None:
    for nutrient, least in bounds.least.items():
        if (holds := getattr(per_serving, nutrient)) + ROUNDING < least:
            return f"{holds:.0f} {_SHOWN[nutrient]} a serving, at least {least:g} are wanted"
    for nutrient, most in bounds.most.items():
        if (holds := getattr(per_serving, nutrient)) > most + ROUNDING:
            return f"{holds:.0f} {_SHOWN[nutrient]} a serving, at most {most:g} are wanted"
    return None
