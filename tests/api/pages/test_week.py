"""The week: what is planned is shown, and what is decided is asked for with all else as it was."""

from meal_assets.contracts.plan import PlanGenerated
from meal_assets.contracts.plan_request import PlanRequested

from ..conftest import Api
from .conftest import Browser, monday, text_of


def plans(api: Api) -> list[PlanGenerated]:
    return [r.event for r in api.store.read_stream(f"home/plan/{monday()}") if isinstance(r.event, PlanGenerated)]


def dishes(plan: PlanGenerated) -> dict[tuple[object, str], str]:
    return {(m.day, m.meal): m.recipe for m in plan.meals}


def test_the_week_shows_every_meal_its_portions_and_the_days(kitchen: Api, browser: Browser) -> None:
    html = text_of(browser.page(f"week/{monday()}"))
    plan = plans(kitchen)[-1]
    for meal in plan.meals:
        assert meal.title in html.replace("&#39;", "'").replace("&amp;", "&")
    assert "Ada" in html
    assert "Ben" in html
    assert html.count("Energy") == 14


def test_a_week_is_known_by_its_monday(browser: Browser) -> None:
    assert browser.client.get(f"/app/week/{monday()}").status_code == 200
    for day, status in (("2026-11-25", 303), ("soon", 404), ("0001-01-01", 404), ("2026-13-01", 404)):
        assert browser.client.get(f"/app/week/{day}").status_code == status


def test_a_swap_changes_one_meal_and_locks_it(kitchen: Api, browser: Browser) -> None:
    before = plans(kitchen)[-1]
    slot = before.meals[6]
    offered = browser.page(f"week/{monday()}/swap/{slot.day}/{slot.meal}")
    assert slot.title in text_of(offered)
    recipe = "overnight-oats-blueberries"
    if recipe in dishes(before).values():
        recipe = next(r for r in _recipes(offered) if r not in dishes(before).values())
    offered = browser.page(f"week/{monday()}/swap/{slot.day}/{slot.meal}", q=recipe.replace("-", " "))
    html = browser.send(offered, f"/app/week/{monday()}/decide", recipe=recipe, what="swap")
    after = plans(kitchen)[-1]
    if len(plans(kitchen)) > 1 and after is not before:
        assert dishes(after) == dishes(before) | {(slot.day, slot.meal): recipe}
        assert html.count("Unlock") == 1
    else:
        assert "No week keeps all of this together" in text_of(html)


def _recipes(html: str) -> list[str]:
    from .conftest import forms_of

    return [f.fields["recipe"] for f in forms_of(html) if "recipe" in f.fields]


def test_lock_and_skip_are_told_apart_from_what_only_stays(kitchen: Api, browser: Browser) -> None:
    week = f"/app/week/{monday()}"
    cell = plans(kitchen)[-1].meals[0]
    html = browser.page(f"week/{monday()}")
    locked = html.count("Unlock")
    where = {"day": str(cell.day), "meal": cell.meal}
    html = browser.send(html, f"{week}/decide", **where, what="lock")
    assert html.count("Unlock") == locked + 1
    assert dishes(plans(kitchen)[-1])[cell.day, cell.meal] == cell.recipe
    html = browser.send(html, f"{week}/decide", **where, what="unlock")
    assert html.count("Unlock") == locked
    html = browser.send(html, f"{week}/decide", **where, what="skip")
    requests = [
        r.event for r in kitchen.store.read_stream(f"home/plan/{monday()}") if isinstance(r.event, PlanRequested)
    ]
    assert [(s.day, s.meal) for s in requests[-1].rules.skips] == [(cell.day, cell.meal)]
    html = browser.send(html, f"{week}/decide", **where, what="unskip")
    assert "skipped" not in text_of(html)
