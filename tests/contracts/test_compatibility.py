"""Which edits of an event leave what was stored readable, and which need a new version: each tried by itself."""

from datetime import date
from typing import Annotated, Any, Literal, Optional

import pytest
from pydantic import BaseModel, Field, create_model

from meal_assets.contracts import EVENTS
from meal_assets.contracts.base import Value
from meal_assets.contracts.compatibility import incompatible_changes
from meal_assets.contracts.schema import schema_of


def model(**fields: Any) -> type[BaseModel]:
    """A value of these fields; one that is no pair must be given."""
    return create_model(
        "Dish", __base__=Value, **{k: v if isinstance(v, tuple) else (v, ...) for k, v in fields.items()}
    )


class Tree(Value):
    """Holds its own kind."""

    leaf: str
    below: tuple["Tree", ...] = ()


class TreeWithARing(Value):
    leaf: str
    ring: int | None = None
    below: tuple["TreeWithARing", ...] = ()


class TreeOfNumbers(Value):
    leaf: int
    below: tuple["TreeOfNumbers", ...] = ()


def changes(was: Any, now: Any) -> list[str]:
    """What a field of this annotation is told to have become; or the changes between two whole values."""
    left, right = (
        side if isinstance(side, type) and issubclass(side, BaseModel) else model(x=side) for side in (was, now)
    )
    return incompatible_changes(left.model_json_schema(), right.model_json_schema())


INNER = model(a=int)
WORDED = create_model("Worded", __base__=Value, __doc__="A dish.", a=(int, Field(description="how many", examples=[1])))


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (int, Annotated[int, Field(title="How many", description="of them", examples=[1, 2])]),
        (INNER, WORDED),
        (INNER, model(a=int, b=(int | None, None))),
        (INNER, model(a=int, b=(str, "x"))),
        (INNER, model(a=int, b=(INNER, INNER(a=1)))),
        (model(x=INNER), model(x=model(a=int, b=(int, 0)))),
        (model(x=tuple[INNER, ...]), model(x=tuple[model(a=int, b=(int, 0)), ...])),
        (model(x=dict[str, INNER]), model(x=dict[str, model(a=int, b=(int, 0))])),
        (model(x=Optional[INNER]), model(x=Optional[model(a=int, b=(int, 0))])),  # noqa: UP045 - computed types
        (model(x=(INNER, INNER(a=1))), model(x=(n := model(a=int, b=(int, 0)), n(a=1)))),
        (model(x=(tuple[INNER, ...], (INNER(a=1),))), model(x=(tuple[n := model(a=int, b=(int, 0)), ...], (n(a=1),)))),
        (Literal["a", "b"], Literal["b", "a"]),
        (Tree, TreeWithARing),
        (model(x=Tree, y=INNER), model(y=INNER, x=Tree)),
    ],
)  # fmt: skip
def test_what_leaves_stored_payloads_readable_passes(was: Any, now: Any) -> None:
    assert changes(was, now) == []


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        (INNER, model(), ["a: is gone"]),
        (INNER, model(b=int), ["a: is gone", "b: is new and cannot be left out"]),
        (INNER, model(a=int, b=int), ["b: is new and cannot be left out"]),
        (INNER, model(a=(int, 1)), ["a: could not be left out, now can", "a: default was nothing, is 1"]),
        (model(a=(int, 1)), INNER, ["a: could be left out, now cannot", "a: default was 1, is nothing"]),
        (model(a=(int, 1)), model(a=(int, 2)), ["a: default was 1, is 2"]),
        (model(x=(INNER, INNER(a=1))), model(x=(INNER, INNER(a=2))), ['x: default was {"a": 1}, is {"a": 2}']),
        (model(x=(dict[str, int], {})), model(x=(dict[str, int], {"a": 1})), ['x: default was {}, is {"a": 1}']),
        (int, str, ['x: type was "integer", is "string"']),
        (float, int, ['x: type was "number", is "integer"']),
        (int, float, ['x: type was "integer", is "number"']),
        (str, date, ['x: format was nothing, is "date"']),
        (int, int | None, ["x: anyOf was nothing, is", 'x: type was "integer", is nothing']),
        (int | None, int, ["x: anyOf was", 'x: type was nothing, is "integer"']),
        (int | None, str | None, ['x: type was "integer", is "string"']),
        (Annotated[int, Field(ge=1)], Annotated[int, Field(ge=2)], ["x: minimum was 1, is 2"]),
        (Annotated[int, Field(ge=2)], Annotated[int, Field(ge=1)], ["x: minimum was 2, is 1"]),
        (Annotated[int, Field(ge=1)], Annotated[int, Field(gt=1)], ["x: exclusiveMinimum was", "x: minimum was 1, is"]),
        (str, Annotated[str, Field(max_length=5)], ["x: maxLength was nothing, is 5"]),
        (Annotated[str, Field(pattern="^a")], Annotated[str, Field(pattern="^b")], ['x: pattern was "^a", is "^b"']),
        (Literal["a", "b"], Literal["a"], ['x: const was nothing, is "a"', 'x: enum was ["a", "b"], is nothing']),
        (Literal["a", "b"], Literal["a", "b", "c"], ['x: enum was ["a", "b"], is ["a", "b", "c"]']),
        (tuple[int, ...], tuple[str, ...], ['x[]: type was "integer", is "string"']),
        (tuple[int, ...], Annotated[tuple[int, ...], Field(min_length=1)], ["x: minItems was nothing, is 1"]),
        (tuple[int, int], tuple[int, str], ['x: type was "integer", is "string"']),
        (dict[str, int], dict[str, str], ['x.*: type was "integer", is "string"']),
        (model(x=INNER), model(x=int), ["x.a: is gone", "x: additionalProperties was false", 'x: type was "object"']),
        (tuple[INNER, ...], tuple[model(b=int), ...], ["x[].a: is gone", "x[].b: is new and cannot be left out"]),
        (dict[str, tuple[INNER, ...]], dict[str, tuple[model(), ...]], ["x.*[].a: is gone"]),
        (Optional[INNER], Optional[model()], ["x.a: is gone"]),  # noqa: UP045 - computed types
        (Tree, TreeOfNumbers, ['leaf: type was "string", is "integer"']),
    ],
)  # fmt: skip
def test_anything_else_is_named_with_its_path(was: Any, now: Any, told: list[str]) -> None:
    found = changes(was, now)
    assert [one[: len(line)] for one, line in zip(found, told, strict=True)] == told


def test_an_object_that_takes_unknown_fields_is_another_one() -> None:
    open_one = create_model("Dish", a=(int, ...))
    assert changes(INNER, open_one) == ["the payload: additionalProperties was false, is nothing"]


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_every_bound_of_every_event_is_looked_at(event: Any) -> None:
    """Each keyword that rules something out, anywhere in the schema, is missed when it is taken away."""
    schema = schema_of(event)
    assert incompatible_changes(schema, schema) == []
    words = {"type", "enum", "const", "format", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
    words |= {"minLength", "maxLength", "minItems", "maxItems", "default", "required", "additionalProperties"}
    places = list(_places(schema, words))
    assert places
    for node, word in places:
        kept = node.pop(word)
        assert incompatible_changes(schema_of(event), schema), (node, word)
        node[word] = kept
    assert incompatible_changes(schema_of(event), schema) == []


def _places(node: Any, words: set[str]) -> Any:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in words and ("type" in node or "$ref" in node or "anyOf" in node or "const" in node):
                yield node, key
            if key not in ("examples", "default"):
                yield from _places(value, words)
    elif isinstance(node, list):
        for one in node:
            yield from _places(one, words)
