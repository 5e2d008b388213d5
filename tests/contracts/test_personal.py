"""The mark on identifying texts."""

from typing import Annotated

import pytest
from pydantic import Field

from meal_assets.contracts import EVENTS, Event
from meal_assets.contracts.base import Value
from meal_assets.contracts.diary import MealLogged
from meal_assets.contracts.personal import PERSONAL, TOMBSTONE
from meal_assets.contracts.profile import PreferencesSet, ProfileSet
from meal_assets.contracts.schema import schema_of

SEALED = f"enc1:{'0' * 32}:profile.ProfileSet.name:{'A' * 300}"


def test_what_identifies_a_person_is_marked() -> None:
    marked = {f"{e.type_name}.{field}" for e in EVENTS.values() for field in e.personal}
    preferences = {"profile.PreferencesSet.exclude", "profile.PreferencesSet.diets"}
    assert marked == {"profile.ProfileSet.name", *preferences, "diary.MealLogged.food"}
    assert schema_of(MealLogged)["properties"]["food"]["x-personal"] is True


def test_an_encrypted_text_may_be_longer_than_a_text_may_be_and_nothing_else_may() -> None:
    ada = ProfileSet.examples[0]
    assert ProfileSet.model_validate({**ada, "name": SEALED}).name == SEALED
    assert PreferencesSet.model_validate({"person": "ada", "exclude": [SEALED]}).exclude == (SEALED,)
    assert PreferencesSet.model_validate({"person": "ada", "exclude": [TOMBSTONE]}).exclude == (TOMBSTONE,)
    for name in ("", "x" * 101, f"{SEALED} and more", "enc1:" + "x" * 200):
        with pytest.raises(ValueError, match="name"):
            ProfileSet.model_validate({**ada, "name": name})


class Note(Value):
    text: Annotated[str, PERSONAL]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"person": str, "grams": Annotated[float, PERSONAL]}, "neither a text nor a tuple"),
        ({"text": Annotated[str, Field(max_length=9), PERSONAL]}, "needs a field `person`"),
        ({"person": str, "notes": tuple[Note, ...]}, "only an event's own fields"),
    ],
)
def test_a_text_that_nobody_could_find_the_key_to_is_refused(fields: dict[str, object], why: str) -> None:
    with pytest.raises(TypeError, match=why):
        type("Wrong", (Event,), {"__annotations__": fields, "examples": [{}]}, topic="test", stream="wrong")
