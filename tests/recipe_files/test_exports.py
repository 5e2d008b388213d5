"""Export files of Tandoor, Mealie and Paprika, and what else may be in a zip that somebody sends."""

import gzip
import io
import json
import stat
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.errors import Invalid, Permanent
from meal_assets.recipe_files import archive
from meal_assets.recipe_files.exports import read_row
from meal_assets.recipe_files.reading import entries

from .test_page import SOUP, page

TANDOOR: dict[str, Any] = {
    "name": "Chili",
    "keywords": [{"name": "American"}],
    "steps": [
        {
            "instruction": "Roast.",
            "ingredients": [
                {"food": {"name": "beef"}, "unit": {"name": "kg"}, "amount": 1.5, "note": "cubed", "is_header": False},
                {"food": None, "unit": None, "amount": 0, "note": "Spices", "is_header": True},
                {"food": {"name": "salt"}, "unit": None, "amount": 0, "note": "", "no_amount": True},
            ],
        },
        {"instruction": "Simmer.", "ingredients": []},
    ],
    "working_time": 20,
    "waiting_time": 180,
    "servings": 6,
    "nutrition": None,
    "source_url": "https://kitchen.example/chili",
}
MEALIE: dict[str, Any] = {
    "id": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
    "slug": "beef-stew",
    "name": "Beef stew",
    "orgURL": "https://kitchen.example/stew",
    "recipeServings": 4,
    "recipeYield": "bowls",
    "performTime": "2 hours",
    "tags": [{"name": "winter"}],
    "recipeCategory": [{"name": "Dinner"}],
    "recipeIngredient": [
        {"quantity": 0.5, "unit": {"name": "kg"}, "food": {"name": "beef"}, "note": "cubed", "disableAmount": False},
        {"quantity": 1, "unit": None, "food": None, "note": "1/4 cup flour", "disableAmount": True},
    ],
    "recipeInstructions": [{"title": "", "text": "Sear."}, {"text": "Stew."}],
    "nutrition": {"calories": "400", "proteinContent": "30", "carbohydrateContent": "25", "fatContent": "20"},
}
OLD_MEALIE = {
    "slug": "dough",
    "name": "Dough",
    "recipe_ingredient": [{"note": "240 g bread flour", "quantity": 1, "unit": None, "food": None}],
    "recipe_instructions": [{"text": "Knead."}],
    "nutrition": {"calories": None, "fat_content": None},
    "org_url": "",
    "recipe_yield": "2 pizzas",
}
PAPRIKA = {
    "uid": "D818BC90-6060-4399-9167-D3B23E0C3F3A",
    "name": "Zucchinipuffer",
    "ingredients": "400 g Zucchini\n2 Ei(er)\nSalz",
    "directions": "Raffeln.\n\nBraten.",
    "servings": "4",
    "prep_time": "20 min",
    "cook_time": "",
    "source": "Chefkoch",
    "source_url": "https://kitchen.example/zucchini",
    "categories": ["Snacks"],
    "nutritional_info": "a lot",
    "photo_data": "/9j/",
}


def zipped(files: Mapping[str, bytes | str | Any]) -> bytes:
    """An archive of texts, bytes, or of what becomes JSON."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content if isinstance(content, bytes | str) else json.dumps(content))
    return out.getvalue()


def recipes(content: bytes) -> dict[str | None, RecipeFetched]:
    """Those that were read, by the names of their entries."""
    return {e.name: e.read.event for e in entries(content) if not isinstance(e.read, Invalid)}


def refused(content: bytes) -> dict[str | None, str]:
    return {e.name: str(e.read) for e in entries(content) if isinstance(e.read, Invalid)}


def test_an_export_of_tandoor_holds_an_archive_a_recipe() -> None:
    one = recipes(zipped({"Chili.zip": zipped({"recipe.json": TANDOOR, "image.jpeg": b"\xff\xd8"})}))[
        "Chili.zip/recipe.json"
    ]
    assert (one.title, one.servings, one.total_minutes, one.keywords) == ("Chili", 6, 200, ("American",))
    assert [i.model_dump(exclude_none=True) for i in one.ingredients] == [
        {"line": "1.5 kg beef, cubed", "quantity": 1.5, "unit": "kg", "food": "beef"},
        {"line": "salt", "food": "salt"},
    ]
    assert one.instructions == ("Roast.", "Simmer.")


def test_a_recipe_in_a_file_is_never_taken_for_one_of_the_own_tandoor() -> None:
    assert not read_row({**TANDOOR, "id": 7}).event.recipe.startswith("tandoor-")


def test_an_export_of_mealie_is_read_in_its_newer_and_older_form() -> None:
    found = recipes(zipped({"recipes/beef-stew/beef-stew.json": MEALIE, "recipes/dough/dough.json": OLD_MEALIE}))
    new, old = found["recipes/beef-stew/beef-stew.json"], found["recipes/dough/dough.json"]
    assert (new.recipe, new.servings, new.cook_minutes, new.keywords, new.categories) == (
        "mealie-beef-stew",
        4,
        120,
        ("winter",),
        ("Dinner",),
    )
    assert [i.model_dump(exclude_none=True) for i in new.ingredients] == [
        {"line": "0.5 kg beef, cubed", "quantity": 0.5, "unit": "kg", "food": "beef"},
        {"line": "1/4 cup flour"},
    ]
    assert new.instructions == ("Sear.", "Stew.")
    assert new.per_serving is not None
    assert (new.per_serving.kcal, new.source_url) == (400, "https://kitchen.example/stew")
    assert (old.title, old.yields, old.per_serving, [i.line for i in old.ingredients]) == (
        "Dough",
        "2 pizzas",
        None,
        ["240 g bread flour"],
    )


def test_an_export_of_paprika_is_read_whole_and_one_recipe_of_it_alone() -> None:
    packed = gzip.compress(json.dumps(PAPRIKA).encode())
    for content in (zipped({"Zucchinipuffer.paprikarecipe": packed}), packed):
        ((one),) = recipes(content).values()
        assert (one.recipe, one.title, one.servings, one.prep_minutes) == (
            "paprika-d818bc90-6060-4399-9167-d3b23e0c3f3a",
            "Zucchinipuffer",
            4,
            20,
        )
        assert [i.line for i in one.ingredients] == ["400 g Zucchini", "2 Ei(er)", "Salz"]
        assert (one.instructions, one.categories) == (("Raffeln.", "Braten."), ("Snacks",))


def test_what_was_not_read_of_a_recipe_is_told() -> None:
    assert ("nutritional_info", "is free text, and is not read") in read_row(PAPRIKA).findings


def test_pages_texts_and_json_ld_in_an_archive_are_read_and_pictures_passed_over() -> None:
    found = recipes(
        zipped(
            {
                "a.html": page(SOUP),
                "b/b.md": "# Salad\n## Ingredients\n- 1 tomato\n",
                "c.json": {**SOUP, "name": "Soup"},
                "d.jpg": b"\xff",
                "__MACOSX/._a.html": b"x",
                ".DS_Store": b"x",
            }
        )
    )
    assert {name: one.title for name, one in found.items()} == {
        "a.html": "Crème de lentilles",
        "b/b.md": "Salad",
        "c.json": "Soup",
    }


def test_a_backup_of_mealie_says_what_to_do_instead() -> None:
    assert (
        "export recipes"
        in refused(zipped({"database.json": {"recipes": [], "recipes_ingredients": []}}))["database.json"]
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xff\xfe\x00broken", "is not UTF-8"),
        ("Crème".encode("latin-1"), "UTF-8"),
        (b"{", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"{}", "title"),
        (b"null", "recipe"),
        (b"", "is not JSON"),
        (b"\x1f\x8bnothing", "not whole gzip"),
        (gzip.compress(b"{}" * 99)[:-9], "not whole gzip"),
        ({**TANDOOR, "steps": "none"}, "not as Tandoor writes it"),
        ({**TANDOOR, "steps": [{"ingredients": [7]}]}, "not as Tandoor writes it"),
        ({**MEALIE, "recipeIngredient": 7}, "ingredients"),
        ({**PAPRIKA, "ingredients": ""}, "ingredients"),
    ],
    ids=[
        *("bytes", "latin-1", "a brace", "deep", "empty object", "null", "nothing", "like gzip", "half gzip"),
        *("no steps", "odd ingredients", "a number of ingredients", "no ingredients"),
    ],
)
def test_a_broken_entry_is_told_by_its_name_and_the_others_come_in(content: Any, why: str) -> None:
    packed = zipped({"broken.json": content, "soup.json": SOUP})
    assert list(recipes(packed)) == ["soup.json"]
    assert why in refused(packed)["broken.json"]
    assert [e.number for e in entries(packed)] == [1, 2]


def test_a_text_in_another_encoding_is_told() -> None:
    packed = zipped({"soup.md": "# Crème\n## Ingredients\n- 1 oignon".encode("latin-1")})
    assert "is not UTF-8 text" in refused(packed)["soup.md"]


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/cron.d/soup.json",
        "/etc/soup.json",
        "a/../../soup.json",
        "..\\soup.json",
        "C:/soup.json",
        "C:\\soup.json",
    ],
)
def test_a_name_that_leads_out_of_the_archive_is_refused(name: str) -> None:
    info = zipfile.ZipInfo("x.json")
    info.filename = name  # as it is: the constructor would tidy it
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr(info, json.dumps(SOUP))
        made.writestr("soup.json", json.dumps(SOUP))
    (why,) = refused(out.getvalue()).values()
    assert "leads out of the archive" in why
    assert list(recipes(out.getvalue())) == ["soup.json"]


def test_a_link_and_an_encrypted_entry_are_refused() -> None:
    link = zipfile.ZipInfo("link.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr(link, "/etc/passwd")
        made.writestr("locked.json", json.dumps(SOUP))
    locked = bytearray(out.getvalue())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.rindex(mark) + flags] |= archive.ENCRYPTED
    told = refused(bytes(locked))
    assert "is a link" in told["link.json"]
    assert "is encrypted" in told["locked.json"]


def test_a_damaged_entry_is_told_and_the_next_comes_in() -> None:
    packed = bytearray(zipped({"a.json": SOUP, "b.json": SOUP}))
    packed[60] ^= 0xFF
    assert "is broken" in refused(bytes(packed))["a.json"]
    assert list(recipes(bytes(packed))) == ["b.json"]


@pytest.mark.parametrize("layers", ["one", "gzip in it", "archive in it"])
def test_a_bomb_is_told_by_its_name_and_never_unpacked(layers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_ENTRY", 1_000_000)
    zeros = b"0" * 30_000_000
    bomb = {
        "one": {"bomb.json": zeros},
        "gzip in it": {"bomb.paprikarecipe": gzip.compress(zeros)},
        "archive in it": {"bomb.zip": zipped({"recipe.json": zeros})},
    }[layers]
    packed = zipped({**bomb, "soup.json": SOUP})
    (why,) = refused(packed).values()
    assert "unpacks to more than" in why
    assert list(recipes(packed)) == ["soup.json"]


def test_many_entries_that_are_too_much_together_end_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_UNPACKED", 1_000_000)
    packed = zipped({"soup.json": SOUP, **{f"{n}.json": b"0" * 400_000 for n in range(9)}})
    told = refused(packed)
    assert len(told) == 3
    assert "unpacks to more than" in list(told.values())[-1]
    assert list(recipes(packed)) == ["soup.json"]


def test_archives_in_archives_in_archives_are_not_opened() -> None:
    packed = zipped({"a.zip": zipped({"b.zip": zipped({"recipe.json": TANDOOR})})})
    assert "archive in an archive" in refused(packed)["a.zip/b.zip"]


def test_too_many_entries_are_refused_before_a_list_of_them_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_ENTRIES", 2)
    with pytest.raises(Permanent, match="3 entries"):
        list(entries(zipped({"a.txt": "", "b.txt": "", "c.txt": ""})))


@pytest.mark.parametrize(
    "content", [zipped({"a.json": SOUP})[:-9], b"PK\x03\x04nothing of the kind"], ids=["half", "only a beginning"]
)
def test_half_an_archive_is_none(content: bytes) -> None:
    with pytest.raises(Permanent, match="not a whole zip"):
        list(entries(content))


def test_two_entries_that_would_replace_each_other_are_told() -> None:
    packed = zipped({"a.json": SOUP, "b.json": {**SOUP, "recipeIngredient": ["1 stone"]}, "c.json": SOUP})
    assert set(recipes(packed)) == {"a.json", "c.json"}
    assert "a.json" in refused(packed)["b.json"]


def test_a_name_is_shown_without_what_would_steer_a_screen() -> None:
    assert list(recipes(zipped({"a\x1b[2Jb.json": SOUP}))) == ["a[2Jb.json"]


def test_a_name_that_a_mac_wrote_is_read_as_it_was_meant() -> None:
    packed = zipped({"Gemuese.json": SOUP}).replace(b"Gemuese", "Gemüs".encode() + b"e")
    assert list(recipes(packed)) == ["Gemüse.json"]


fields = sorted({*TANDOOR, *MEALIE, *PAPRIKA, "food", "unit", "amount", "text", "name", "ingredients"})
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(fields), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([TANDOOR, MEALIE, OLD_MEALIE, PAPRIKA]), json_values)
def test_whatever_stands_where_is_read_or_refused(row: dict[str, Any], value: Any) -> None:
    for field in row:
        try:
            read_row({**row, field: value})
        except Invalid:
            continue
