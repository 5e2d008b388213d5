"""Makes the part-of-speech tagger that the ingredient parser needs, in the form in which NLTK reads one.

`python -m making.tagger trontagger-0.1.0.pickle usda-sr28.jsonl.gz`, with the pickle out of the wheel of
textblob-aptagger 0.2.0 (© 2013 Matthew Honnibal, MIT). It tags USDA's food descriptions and the starter recipes, and
a small tagger learns from that: 8 MB become 0.3, and the parser is as often right with either.
"""

import gzip
import json
import pickle
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nltk

from meal_assets.foods.parser import TAGGER, tidy
from meal_assets.starter import library

SEED = 1
ROUNDS = 4
LEAST_WEIGHT = 1.0
"""Smaller weights hardly ever decide."""


class OnlySets(pickle.Unpickler):
    """A pickle may name any program to run; this one may only name sets."""

    def find_class(self, module: str, name: str) -> Any:
        if (module.removeprefix("__").removesuffix("__"), name) in {("builtin", "set"), ("builtins", "set")}:
            return set
        raise pickle.UnpicklingError(f"{module}.{name} is not wanted")


def texts(foods: Path) -> Iterator[str]:
    with gzip.open(foods, "rt", encoding="utf-8") as lines:
        yield from (json.loads(line)["description"] for line in lines)
    for dish in library().read_text(encoding="utf-8").splitlines():
        yield from (line["line"] for line in json.loads(dish)["ingredients"])


def main(teacher: Path, foods: Path) -> None:
    from nltk.tag import PerceptronTagger

    with teacher.open("rb") as file:
        weights, tags, classes = OnlySets(file, encoding="latin1").load()
    old = PerceptronTagger.decode_json_obj((weights, tags, list(classes)))
    write(TAGGER, {"weights": {}, "tagdict": {}, "classes": ["NN"]})  # the tokenizer wants some tagger
    nltk.data.path.insert(0, str(TAGGER))
    from ingredient_parser.en.preprocess import PreProcessor

    lines = dict.fromkeys(tidy(text) for text in texts(foods))
    sentences = [[t.text for t in PreProcessor(line).tokenized_sentence] for line in lines]
    random.seed(SEED)  # nltk shuffles with the module's own generator
    new = PerceptronTagger(load=False)
    new.train([old.tag(tokens) for tokens in sentences if tokens], nr_iter=ROUNDS)
    kept = {
        feature: {tag: round(w, 2) for tag, w in sorted(row.items()) if abs(w) >= LEAST_WEIGHT}
        for feature, row in sorted(new.model.weights.items())
    }
    write(
        TAGGER,
        {
            "weights": {feature: row for feature, row in kept.items() if row},
            "tagdict": dict(sorted(new.tagdict.items())),
            "classes": sorted(new.classes),
        },
    )


def write(folder: Path, parts: dict[str, Any]) -> None:
    name = "averaged_perceptron_tagger_eng"
    place = folder / "taggers" / name
    place.mkdir(parents=True, exist_ok=True)
    for part, content in parts.items():
        (place / f"{name}.{part}.json").write_text(json.dumps(content, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
