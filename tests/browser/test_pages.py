"""What a person does in a browser: from the first run to a plan, then living with it."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from meal_assets.commands.plan import request_plan
from meal_assets.commands.profile import set_profile
from meal_assets.contracts.plan import PlanGenerated
from meal_assets.contracts.plan_request import PlanRules
from meal_assets.contracts.profile import GoalSet
from meal_assets.event_store import Origin
from tests.api.conftest import GOAL, Api

from .conftest import SIZES, keep, listening, visit

pytestmark = pytest.mark.slow
PAGES = ("today", "week", "shopping", "recipes", "recipes/apple-cinnamon-porridge", "trends", "history", "system")
MORE = ("start", "yours", "login", "today?q=lentil", "history?stream=profile/ada&at=2026-11-28T12:00")
SERIOUS = ("serious", "critical")


def plans(api: Api) -> list[PlanGenerated]:
    return [r.event for r in api.store.read(0, types=(PlanGenerated,)) if isinstance(r.event, PlanGenerated)]


def test_from_the_first_run_to_a_plan_on_the_screen(chromium: Browser, fresh: Api) -> None:
    page = visit(chromium, fresh, "phone")
    page.get_by_role("link", name="Begin").click()
    page.get_by_label("Name").fill("Ada")
    page.get_by_label("Weight, kg").fill("62,5")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("a day ·")).to_be_visible()
    page.get_by_role("button", name="Bring in the starter library").click()
    expect(page.get_by_text("recipes are here")).to_be_visible()
    page.get_by_role("button", name="Plan the week").click()
    expect(page.locator(".day")).to_have_count(7)
    expect(page.locator(".cell .dish")).to_have_count(28)
    page.context.close()


def test_the_same_without_javascript(chromium: Browser, lived_in: Api) -> None:
    page = visit(chromium, lived_in, "phone", script=False)
    page.goto("/app/today?person=ben")
    page.get_by_role("button", name="Eaten").first.click()
    expect(page.get_by_text("eaten", exact=True).first).to_be_visible()
    page.get_by_role("button", name="Undo").first.click()
    expect(page.get_by_text("Nothing yet.")).to_be_visible()
    page.context.close()


def test_a_logged_meal_shows_on_every_open_page_without_a_reload(chromium: Browser, lived_in: Api) -> None:
    here, there = visit(chromium, lived_in), visit(chromium, lived_in, "phone")
    for page in (here, there):
        page.goto("/app/today?person=ada")
        listening(page).evaluate("window.kept = 1")
    expect(there.locator("#entries")).to_contain_text("Nothing yet.")
    here.get_by_role("button", name="Eaten").first.click()
    for page in (here, there):
        expect(page.locator("#next .tag")).to_have_text("eaten")
        expect(page.locator("#entries")).to_contain_text("kcal")
        expect(page.locator("#eaten")).not_to_contain_text("0 of 2,0")
        assert page.evaluate("window.kept") == 1
    here.context.close()
    there.context.close()


def test_a_swapped_meal_is_in_the_week_and_locked(chromium: Browser, lived_in: Api) -> None:
    page = visit(chromium, lived_in)
    page.goto("/app/week")
    before = {(m.day, m.meal): m.recipe for m in plans(lived_in)[-1].meals}
    listening(page)
    page.get_by_role("link", name="Swap dinner on Monday").click()
    offered = page.locator("#other .row").first
    title = offered.locator("a").first.inner_text()
    offered.get_by_role("button").click()
    cell = page.locator(".day").first.locator(".cell").nth(2)
    said = page.get_by_text("No week keeps all of this together")
    expect(cell.get_by_text(title).or_(said)).to_be_visible()
    if cell.get_by_text(title).is_visible():
        expect(cell.get_by_text("locked")).to_be_visible()
        now = {(m.day, m.meal): m.recipe for m in plans(lived_in)[-1].meals}
        assert [slot for slot, recipe in now.items() if before[slot] != recipe] == [(min(d for d, _ in now), "dinner")]
    page.context.close()


def test_a_tick_on_one_page_is_on_the_other(chromium: Browser, lived_in: Api) -> None:
    here, there = visit(chromium, lived_in, "phone"), visit(chromium, lived_in)
    for page in (here, there):
        page.goto("/app/shopping")
        listening(page)
    first = here.locator(".item button").first
    assert first.get_attribute("aria-pressed") == "false"
    first.click()
    for page in (here, there):
        expect(page.locator(".item button").first).to_have_attribute("aria-pressed", "true")
        expect(page.get_by_text("has it").first).to_be_visible()
    there.locator(".item button").nth(1).click()
    expect(here.locator(".item button").nth(1)).to_have_attribute("aria-pressed", "true")
    here.context.close()
    there.context.close()


def test_a_dead_letter_is_tried_again(chromium: Browser, lived_in: Api) -> None:
    page = visit(chromium, lived_in)
    page.goto("/app/system")
    listening(page)
    request_plan(lived_in.store, plans(lived_in)[0].week, Origin("home", "test"), persons=["zoe"], rules=PlanRules())
    letter = page.locator("#letters .row", has_text="generate_plan")
    expect(letter).to_contain_text("zoe has neither a profile nor a goal")
    keep(page, "page-system-letter")
    set_profile(lived_in.store, GoalSet(person="zoe", **GOAL), Origin("home", "test"))
    letter.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Everything that happened could be handled.")).to_be_visible()
    page.context.close()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_page_keeps_anybody_out(chromium: Browser, lived_in: Api, size: str, dark: bool) -> None:
    page = visit(chromium, lived_in, size, dark=dark)
    axe, found = Axe(), []
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    for path in (*PAGES, *MORE):
        page.goto(f"/app/{path}")
        result = axe.run(page)
        wrong = [v for v in result.response["violations"] if v["impact"] in SERIOUS]
        found += [f"{path}: {v['id']} {v['nodes'][0]['html'][:200]} ({len(v['nodes'])})" for v in wrong]
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than the screen"
        _picture(page, path, size, dark)
    assert not found, "\n".join(found)
    assert not complaints, complaints
    page.context.close()


def _picture(page: Page, path: str, size: str, dark: bool) -> None:
    if path in PAGES and not dark:
        keep(page, f"page-{'recipe' if '/' in path else path}-{size}")
