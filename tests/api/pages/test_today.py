"""Today: a planned meal is logged by one button, anything else by a search or by what it held."""

from datetime import timedelta

from meal_assets.contracts.diary import MealLogged, MealLogRetracted

from ..conftest import Api
from .conftest import Browser, settings_today, text_of


def said(api: Api, person: str) -> list[object]:
    return [r.event for r in api.store.read_stream(f"home/diary/{person}/{settings_today()}")]


def test_what_is_planned_is_logged_with_one_button_and_taken_back(kitchen: Api, browser: Browser) -> None:
    html = browser.page("today", person="ada")
    assert "0 of" in text_of(html)
    html = browser.send(html, "/app/log/planned", meal="dinner")
    logged = said(kitchen, "ada")[-1]
    assert isinstance(logged, MealLogged)
    assert (logged.meal, logged.source) == ("dinner", "plan")
    assert f"{logged.nutrition.kcal:,.0f} of" in text_of(html)
    assert "eaten" in text_of(html)
    html = browser.send(html, "/app/log/undo", entry=logged.entry)
    assert isinstance(said(kitchen, "ada")[-1], MealLogRetracted)
    html = browser.send(html, "/app/log/planned", meal="dinner", servings="2")
    again = said(kitchen, "ada")[-1]
    assert isinstance(again, MealLogged)
    assert again.servings == 2
    assert "eaten" in text_of(html)


def test_anything_else_is_found_or_told(kitchen: Api, browser: Browser) -> None:
    html = browser.page("today", person="ben", q="lentil")
    assert "Lentil" in text_of(html) or "lentil" in text_of(html)
    html = browser.send(html, "/app/log/recipe", servings="1,5", meal="lunch")
    logged = said(kitchen, "ben")[-1]
    assert isinstance(logged, MealLogged)
    assert (logged.servings, logged.meal, logged.source) == (1.5, "lunch", "person")
    html = browser.send(html, "/app/log/food", food="Pretzel <b>", kcal="230", fat_g="3")
    assert "Pretzel &lt;b&gt;" in html
    tomorrow = browser.page("today", person="ben", q="pretz", day=settings_today() + timedelta(days=1))
    browser.send(tomorrow, "/app/log/again", meal="snack")
    other = kitchen.store.read_stream(f"home/diary/ben/{settings_today() + timedelta(days=1)}")
    assert [r.event.nutrition.kcal for r in other if isinstance(r.event, MealLogged)] == [230]


def test_a_form_that_is_sent_twice_is_done_once(kitchen: Api, browser: Browser) -> None:
    html = browser.page("today", person="ada", q="lentil")
    for _ in range(2):
        browser.send(html, "/app/log/food", food="Twice", kcal="10")
    assert sum(getattr(e, "food", "") == "Twice" for e in said(kitchen, "ada")) == 1


def test_what_is_no_number_is_told_and_nothing_said(kitchen: Api, browser: Browser) -> None:
    head = kitchen.store.head()
    html = browser.send(browser.page("today"), "/app/log/food", 422, food="Bread", kcal="many")
    assert "“many” is no number" in text_of(html)
    assert kitchen.store.head() == head
