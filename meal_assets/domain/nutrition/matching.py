"""Which reference food a recipe means: an inverted index over names and descriptions, the same answer every time.

A word weighs by how rare it is among the descriptions. A food scores by how much of the name it explains, and how much
of what it says was asked for; what stands late in a USDA description counts less, and so do foods nobody cooks with.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .foods import Food
from .vocabulary import CATEGORIES, GENERIC, IDLE, NOISE, SOFT, STATES, TAILS
from .words import food_words

LEAST_SCORE = 0.55
"""A worse match is none: to say nothing is better than to say anything."""
MAX_REMEMBERED = 20_000
"""Names whose food is remembered: recipes say the same few thousand again and again."""
MAX_WEIGHT = 5.0
SOFT_WEIGHT = 1.5
"""At most, of a word that tells a variety rather than a food."""
UNKNOWN_WEIGHT = 1.5
"""Of a word that no description has: a brand, a place."""
HEAD = 1.8
"""The last word of a name says what it is: `peanut butter` is butter of a kind, and no kind of peanut."""
NAMED, LIKE = 1.12, 0.78
"""A name that cooks use for this food, and for one that is like it, beside 1 for a description."""
HEADLESS = 0.45
EXACT = 0.01
"""For each word of a name: of two that fit, `fresh thyme` is nearer than `thyme`."""

_DRY_BY_NATURE = frozenset(
    ("Cereal Grains and Pasta", "Legumes and Legume Products", "Spices and Herbs", "Nut and Seed Products")
)
_GROUP_PRIOR = {
    "Baby Foods": 0.4,
    "Fast Foods": 0.3,
    "Restaurant Foods": 0.3,
    "American Indian/Alaska Native Foods": 0.2,
    "Meals, Entrees, and Side Dishes": 0.15,
    "Snacks": 0.05,
    "Baked Products": 0.02,
    "Breakfast Cereals": 0.04,
}
BRAND_PRIOR = 0.12
PRODUCT_PRIOR = 0.1
"""Of packaged products: they come after USDA's foods."""
_ENDS = re.compile(
    r"\s(?:with|without|in|from|such as|like|preferably|for|packed|made|or|at|until|plus|including|measured|of your"
    r"|of choice|depending|if)\s|;|\s[–—]|[–—]\s",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"[(\[][^)\]]*[)\]]?")
_SHOUTED = re.compile(r"\b[A-Z]{3,}\b")


@dataclass(frozen=True, slots=True)
class Match:
    """The food a name stands for. `by` is the name or description that told; `second` the next best, if any."""

    food: Food
    score: float
    by: str
    second: Food | None = None
    second_score: float = 0.0


@dataclass(frozen=True, slots=True)
class _Text:
    """One text about a food: its words with their places' weights, and what must be said of it."""

    food: int
    text: str
    weights: dict[str, float]
    total: float
    factor: float
    states: frozenset[str]
    prior: float


class FoodIndex:
    """Foods by what they are called."""

    def __init__(self, foods: Sequence[Food]) -> None:
        self.foods = tuple(foods)
        self.by_id = {food.food: food for food in self.foods}
        self._found: dict[tuple[str, tuple[str, ...]], Match | None] = {}
        drafts = [draft for n, food in enumerate(self.foods) for draft in _drafts(n, food)]
        counts = Counter(word for _, _, places, _ in drafts for word in places)
        self._weights = {w: min(math.log(1 + len(drafts) / n), MAX_WEIGHT) for w, n in counts.items()}
        self._texts: list[_Text] = []
        self._postings: dict[str, list[int]] = defaultdict(list)
        for n, text, places, factor in drafts:
            food = self.foods[n]
            weights = {w: place * self._weights[w] for w, place in places.items()}
            states = _states((*_places(food.description), *places))
            entry = _Text(n, text, weights, sum(weights.values()), factor, states, _prior(food))
            for word in weights:
                self._postings[word].append(len(self._texts))
            self._texts.append(entry)

    def find(self, name: str, hints: Iterable[str] = ()) -> Match | None:
        """The food a name means, None when nothing is near enough.

        `hints` are words beside the name that may tell in which state the food is: `can`, `cooked`.
        """
        asked = name, tuple(hints)
        if asked not in self._found:
            if len(self._found) >= MAX_REMEMBERED:
                self._found.clear()
            self._found[asked] = self._find(*asked)
        return self._found[asked]

    def _find(self, name: str, told: tuple[str, ...]) -> Match | None:
        best: dict[int, tuple[float, str]] = {}
        for asked, factor in _ways(name):
            for n, (score, by) in self._scores(asked, told).items():
                if score * factor > best.get(n, (0.0, ""))[0]:
                    best[n] = (score * factor, by)
        ranked = sorted(best, key=lambda n: (-round(best[n][0], 6), len(self.foods[n].description), self.foods[n].food))
        if not ranked or best[ranked[0]][0] < LEAST_SCORE:
            return None
        first, *others = ranked
        second = others[0] if others else None
        return Match(
            self.foods[first],
            round(best[first][0], 3),
            best[first][1],
            None if second is None else self.foods[second],
            0.0 if second is None else round(best[second][0], 3),
        )

    def search(self, words: str, most: int) -> list[Food]:
        """The foods whose description or names have all these words, the likeliest first."""
        asked = set(food_words(words))
        found = {t.food for t in self._texts if asked and asked <= t.weights.keys()}
        return [self.foods[n] for n in sorted(found, key=self._plainness)[:most]]

    def _plainness(self, n: int) -> tuple[float, int, str]:
        food = self.foods[n]
        return _prior(food), len(food.description), food.food

    def _scores(self, asked: Sequence[str], hints: Sequence[str]) -> dict[int, tuple[float, str]]:
        """Food -> its best score for these words, and the text that got it."""
        query = [w for w in asked if w not in NOISE] or list(asked)
        wanted = {w: min(self._weights.get(w, UNKNOWN_WEIGHT), SOFT_WEIGHT if w in SOFT else MAX_WEIGHT) for w in query}
        head = query[-1]
        wanted[head] *= HEAD
        question = _Question(frozenset(asked), wanted, sum(wanted.values()), head, _states((*asked, *hints)))
        best: dict[int, tuple[float, str]] = {}
        telling = {head, min(wanted, key=lambda w: (len(self._postings.get(w, ())) or math.inf, w))}
        for n in {n for word in telling for n in self._postings.get(word, ())}:
            text = self._texts[n]
            score = self._score(text, question)
            if score > best.get(text.food, (0.0, ""))[0]:
                best[text.food] = (score, text.text)
        return best

    def _score(self, text: _Text, question: "_Question") -> float:
        named = text.factor != 1
        if named and not text.weights.keys() <= question.said:  # of a name all must be said
            return 0.0
        matched = {word for word in question.wanted if word in text.weights}
        explained = sum(question.wanted[word] for word in matched) / question.total
        if question.head not in matched or (
            question.head in GENERIC and matched <= GENERIC and len(question.wanted) > 1
        ):
            explained *= HEADLESS
        missing = question.states - text.states
        penalty = sum(STATES[s][0] / 2 for s in missing)
        if named:
            return explained * text.factor + EXACT * len(text.weights) - penalty
        asked_for = sum(w for word, w in text.weights.items() if word in matched) / text.total if text.total else 0.0
        dry = self.foods[text.food].group in _DRY_BY_NATURE
        penalty += sum(STATES[s][0] for s in text.states - question.states if not (dry and s == "dried"))
        return explained * (0.55 + 0.45 * asked_for) - penalty - text.prior


@dataclass(frozen=True, slots=True)
class _Question:
    """A name as it is asked for: its words, those that count with their weights, and its state."""

    said: frozenset[str]
    wanted: dict[str, float]
    total: float
    head: str
    states: frozenset[str]


def _ways(name: str) -> Iterable[tuple[list[str], float]]:
    """The ways to understand a name, each with what its scores are worth: whole, to the first comma, without a tail."""
    plain = _BRACKETS.sub(" ", f" {name} ")
    before, *rest = _ENDS.split(plain, maxsplit=1)
    whole = food_words(before)
    if rest and (not whole or (len(whole) == 1 and whole[0] in GENERIC | NOISE)):
        whole = food_words(rest[0])  # `seeds from 1 pomegranate`
    whole = whole or food_words(name)
    if not whole:
        return
    yield whole, 1.0
    if len(first := food_words(before.partition(",")[0])) not in (0, len(whole)):
        yield first, 0.97
    if whole[-1] in TAILS and not set(whole[:-1]) <= SOFT | NOISE:
        yield whole[:-1], 0.96


def _drafts(n: int, food: Food) -> Iterable[tuple[int, str, dict[str, float], float]]:
    """(food, text, word -> weight of its place, factor) of the description and of each name."""
    yield n, food.description, _places(food.description), 1.0
    for names, factor in ((food.names, NAMED), (food.like, LIKE)):
        for name in names:
            yield n, name, dict.fromkeys(food_words(name), 1.0), factor


def _places(description: str) -> dict[str, float]:
    """Words by the weight of their place: first parts count most, and a mere category hardly."""
    places: dict[str, float] = {}
    parts = re.split(r"[,(]", description)
    weight = 1.0
    for n, part in enumerate(parts):
        told = food_words(part)
        category = n == 0 and len(parts) > 1 and all(w in CATEGORIES for w in told)
        for word in told:
            place = 0.3 if category else 0.05 if word in IDLE else weight
            places[word] = max(place, places.get(word, 0.0))
        if not category:
            weight = max(weight * 0.65, 0.25)
    return places


def _states(told: Iterable[str]) -> frozenset[str]:
    said = set(told)
    return frozenset(state for state, (_, signs) in STATES.items() if not said.isdisjoint(signs))


def _prior(food: Food) -> float:
    branded = food.brand or _SHOUTED.search(food.description) is not None
    own = 0.0 if food.source == "usda" else PRODUCT_PRIOR
    return _GROUP_PRIOR.get(food.group, 0.0) + (BRAND_PRIOR if branded else 0.0) + own
