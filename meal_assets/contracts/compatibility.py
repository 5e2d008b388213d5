"""Whether what one schema describes is still read under another: all that differs, beside words, with its path."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from .personal import KEYWORD

Schema = dict[str, Any]

WORDS = {"$id", "$schema", "$defs", "title", "description", "examples", KEYWORD}
"""Keywords that describe, and rule nothing out; definitions count where they are used."""
OF_FIELDS = {"properties", "required"}
PARTS = {"items": "[]", "additionalProperties": ".*"}
"""Keywords whose value is the schema of every item, or of every value under a key of the writer's own."""
CHOICES = {"anyOf", "oneOf", "allOf", "prefixItems"}


@dataclass(frozen=True, slots=True)
class _At:
    """A place in both schemas: its path, the definitions of each side, and the pairs of them that it lies within."""

    path: str
    was: Schema
    now: Schema
    within: frozenset[tuple[str, str]] = frozenset()

    def below(self, step: str) -> "_At":
        return replace(self, path=f"{self.path}{step}" if self.path else step.removeprefix("."))


def incompatible_changes(was: Schema, now: Schema) -> list[str]:
    """What of a payload that the one schema describes would be read otherwise under the other, a line each.

    Words and examples may change, and fields may be added that can be left out; whatever else differs is named.
    """
    at = _At("", was.get("$defs", {}), now.get("$defs", {}))
    return list(dict.fromkeys(_changes(at, was, now)))


def _changes(at: _At, was: Schema, now: Schema) -> Iterator[str]:
    pair = (was.get("$ref", ""), now.get("$ref", ""))
    if all(pair):
        if pair in at.within:  # a value that may hold another of its kind
            return
        at = replace(at, within=at.within | {pair})
    was, now = _followed(was, at.was), _followed(now, at.now)
    yield from _fields(at, was, now)
    for word in sorted({*was, *now} - WORDS - OF_FIELDS):
        left, right = was.get(word), now.get(word)
        if word in PARTS and isinstance(left, dict) and isinstance(right, dict):
            yield from _changes(at.below(PARTS[word]), left, right)
        elif word in CHOICES and isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
            for one, other in zip(left, right, strict=True):
                yield from _changes(at, one, other)
        elif word not in was or word not in now:
            yield _line(at, word, was, now)
        elif word == "default":
            if left != (right := _known(right, was, at.was)):
                yield _line(at, word, was, {word: right})
        elif _sorted(left) != _sorted(right):
            yield _line(at, word, was, now)


def _fields(at: _At, was: Schema, now: Schema) -> Iterator[str]:
    left, right = was.get("properties", {}), now.get("properties", {})
    for name in sorted({*left, *right}):
        field = at.below(f".{name}")
        had, has = name in was.get("required", ()), name in now.get("required", ())
        if name not in right:
            yield f"{field.path}: is gone"
        elif name not in left:
            if has or "default" not in right[name]:
                yield f"{field.path}: is new and cannot be left out"
        else:
            if had != has:
                yield f"{field.path}: " + ("could be left out, now cannot" if has else "could not be left out, now can")
            yield from _changes(field, left[name], right[name])


def _followed(node: Schema, definitions: Schema) -> Schema:
    """The node with its reference in its place; what stands beside the reference goes before it."""
    if "$ref" not in node:
        return node
    beside = {word: value for word, value in node.items() if word != "$ref"}
    return _followed(definitions[node["$ref"].rpartition("/")[2]], definitions) | beside


def _known(value: Any, node: Schema, definitions: Schema) -> Any:
    """A default without the fields that this schema does not know: those are added ones with defaults of their own."""
    node = _followed(node, definitions)
    if isinstance(value, dict) and "properties" in node:
        fields = node["properties"]
        return {name: _known(part, fields[name], definitions) for name, part in value.items() if name in fields}
    if isinstance(value, list) and isinstance(node.get("items"), dict):
        return [_known(part, node["items"], definitions) for part in value]
    return value


def _sorted(value: Any) -> Any:
    """The order of an enumeration says nothing."""
    return sorted(value, key=json.dumps) if isinstance(value, list) else value


def _line(at: _At, word: str, was: Schema, now: Schema) -> str:
    before, after = (json.dumps(side[word], ensure_ascii=False) if word in side else "nothing" for side in (was, now))
    return f"{at.path or 'the payload'}: {word} was {before}, is {after}"
