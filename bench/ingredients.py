"""How well and how fast ingredient lines are read: sentences with labels that somebody else gave them."""

import sys
import time

from meal_assets.foods.parser import read_lines
from tests.shared_data import FOLDER

from .figures import Figure
from .labelled import is_right, labelled

AIM = 0.97
SHOWN = 20


def run() -> list[Figure]:
    file = FOLDER / "ingredients-labelled.csv.gz"
    if not file.exists():
        print(f"no labelled sentences at {file}", file=sys.stderr)
        return []
    labels = labelled(file)
    list(read_lines(["1 cup flour"]))  # imports the parser
    began = time.process_time()
    readings = list(read_lines(label.line for label in labels))
    seconds = time.process_time() - began
    wrong = [(label, reading) for label, reading in zip(labels, readings, strict=True) if not is_right(label, reading)]
    for label, reading in wrong[:SHOWN]:
        read = ", ".join(f"{m.low:g} {m.unit}".strip() for m in reading.measures)
        print(f"  {label.line}\n    label {label.quantity} | {label.unit}, read {read}", file=sys.stderr)
    right = 1 - len(wrong) / len(labels)
    rate = len(labels) / seconds
    return [
        Figure("ingredients, right", right * 100, "% of lines", f"≥ {AIM:.0%}", right >= AIM),
        Figure("ingredients, rate", rate, "lines/s of a core", "", True),
    ]
