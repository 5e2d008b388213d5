"""Recipes that people wrote down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meal_assets.errors import Invalid
from meal_assets.recipe_files.plain import MAX_LENGTH, read_plain
from meal_assets.recipe_files.reading import entries

TEXT = """Grandmother's lentil soup

Serves 4
Source: https://kitchen.example/soup

Ingredients:
- 300 g red lentils
- 1 onion, chopped

Directions:
1. Fry the onion
   until it is golden.
2. Add the lentils.

Simmer.
"""
MARKDOWN = """# **Lentil** soup

For 4 people.

In [my words](https://x.example).

## Zutaten

* [ ] 300 g rote Linsen
* 1 _große_ Zwiebel

### Für oben

* 2 EL Joghurt

## Zubereitung

Zwiebel braten.

Linsen dazu.

## Notizen

Schmeckt auch kalt.
"""
RECIPE_MD = """# Guacamole

Some people call it guac.

*sauce, vegan*

**4 Servings, 200g**

---

- *1* avocado
- *.5 teaspoon* salt

---

Remove flesh from avocado.
"""


def test_a_text_with_its_two_headings_is_read() -> None:
    assert read_plain(TEXT) == {
        "title": "Grandmother's lentil soup",
        "yields": "4",
        "canonical_url": "https://kitchen.example/soup",
        "ingredients": ["300 g red lentils", "1 onion, chopped"],
        "instructions_list": ["Fry the onion until it is golden.", "Add the lentils.", "Simmer."],
    }


def test_markdown_is_read_without_its_marks_in_other_languages_too() -> None:
    assert read_plain(MARKDOWN) == {
        "title": "Lentil soup",
        "yields": "4 people.",
        "ingredients": ["300 g rote Linsen", "1 große Zwiebel", "2 EL Joghurt"],
        "instructions_list": ["Zwiebel braten.", "Linsen dazu."],
    }


def test_recipe_md_has_rules_instead_of_headings() -> None:
    row = read_plain(RECIPE_MD)
    assert row["ingredients"] == ["1 avocado", ".5 teaspoon salt"]
    assert row["instructions_list"] == ["Remove flesh from avocado."]


def test_underlined_headings_are_headings() -> None:
    row = read_plain("Soup\n====\n\nIngredients\n-----------\n1 onion\n\nMethod\n------\nCook.\n")
    assert (row["title"], row["ingredients"], row["instructions_list"]) == ("Soup", ["1 onion"], ["Cook."])


@pytest.mark.parametrize(
    "text",
    [
        "Soup\n\nTake lentils and cook them.",
        "Ingredients of a good life",
        "# Soup\n## Method\nCook.",
        "Soup\nIngredients\n\n",
    ],
)
def test_a_text_without_ingredients_says_what_it_needs(text: str) -> None:
    with pytest.raises(Invalid, match="write a line `Ingredients` above them"):
        read_plain(text)


def test_a_book_is_no_recipe() -> None:
    with pytest.raises(Invalid, match="are read as one recipe"):
        read_plain("x" * (MAX_LENGTH + 1))


def test_a_file_that_is_a_text_is_read_as_one() -> None:
    (entry,) = entries(TEXT.encode())
    assert not isinstance(entry.read, Invalid)
    assert (entry.read.event.title, entry.read.event.servings) == ("Grandmother's lentil soup", 4)


@given(st.text(max_size=200) | st.lists(st.sampled_from(TEXT.splitlines() + MARKDOWN.splitlines())).map("\n".join))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    try:
        row = read_plain(text)
    except Invalid:
        return
    assert all(line.strip() for line in row["ingredients"] + row["instructions_list"])
