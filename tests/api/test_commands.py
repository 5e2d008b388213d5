"""Commands over HTTP: accepted once, on the version they were meant for, and followed to their end."""

import httpx
import pytest

from meal_assets.contracts.profile import GoalSet

from .conftest import GOAL, Api


def test_a_command_is_accepted_and_shows_what_became_of_it(api: Api, admin: httpx.Client) -> None:
    answer = admin.put("/persons/ada/goal", json=GOAL)
    receipt = answer.json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/commands/{receipt['command_id']}"
    (recorded,) = api.store.read_correlation(receipt["command_id"])
    assert (recorded.position, recorded.event) == (receipt["position"], GoalSet(person="ada", **GOAL))
    assert admin.get(answer.headers["Location"]).json()["state"] == "done"


def test_what_says_nothing_new_is_no_command(admin: httpx.Client) -> None:
    admin.put("/persons/bea/goal", json=GOAL)
    answer = admin.put("/persons/bea/goal", json=GOAL)
    assert (answer.status_code, answer.json()["events"], "Location" in answer.headers) == (200, 0, False)


def test_one_reads_ones_own_write(api: Api, admin: httpx.Client) -> None:
    position = admin.put("/persons/cleo/goal", json=GOAL).json()["position"]
    late = admin.get("/read-models/targets", params={"person": "cleo", "after": position, "wait": 0.01})
    assert (late.status_code, late.headers["Content-Type"]) == (503, "application/problem+json")
    assert int(late.headers["Retry-After"]) > 0
    api.settle()
    shown = admin.get("/read-models/targets", params={"person": "cleo", "after": position})
    assert [(row["person"], row["kcal"]) for row in shown.json()["rows"]] == [("cleo", 2000)]
    assert int(shown.headers["X-Position"]) >= position


def test_the_same_key_is_done_once_and_answered_the_same(api: Api, admin: httpx.Client) -> None:
    meal = {"meal": "snack", "food": "Apple", "nutrition": {"kcal": 78, "protein_g": 0, "carbs_g": 21, "fat_g": 0}}
    first, again = (
        admin.post("/persons/ada/diary/2026-11-23/meals", json=meal, headers={"Idempotency-Key": "one"})
        for _ in range(2)
    )
    assert first.status_code == again.status_code == 202
    assert first.json() == again.json()
    assert len(api.store.read_stream("home/diary/ada/2026-11-23")) == 1
    other = admin.post(
        "/persons/ada/diary/2026-11-23/meals", json={**meal, "food": "Pear"}, headers={"Idempotency-Key": "one"}
    )
    assert other.status_code == 409
    with api.client(api.secret()) as another:
        somebody = another.post("/persons/ada/diary/2026-11-23/meals", json=meal, headers={"Idempotency-Key": "one"})
    assert somebody.json()["command_id"] != first.json()["command_id"]


def test_a_key_whose_command_was_refused_is_free_again(admin: httpx.Client) -> None:
    key = {"Idempotency-Key": "refused"}
    assert admin.put("/plans/2026-01-05/acceptance", headers=key).status_code == 422
    assert admin.put("/persons/dora/goal", json=GOAL, headers=key).status_code == 202


@pytest.mark.parametrize("version", ['"1"', "1"])
def test_a_stale_version_is_refused_and_nothing_said(api: Api, admin: httpx.Client, version: str) -> None:
    person = f"eve-{len(version)}"
    assert admin.put(f"/persons/{person}/goal", json=GOAL).headers["ETag"] == '"1"'
    newer = admin.put(f"/persons/{person}/goal", json={**GOAL, "kcal": 2100}, headers={"If-Match": version})
    assert (newer.status_code, newer.headers["ETag"]) == (202, '"2"')
    stale = admin.put(f"/persons/{person}/goal", json={**GOAL, "kcal": 2200}, headers={"If-Match": version})
    assert (stale.status_code, stale.json()["field"]) == (412, "If-Match")
    assert len(api.store.read_stream(f"home/profile/{person}")) == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**GOAL, "kcal": 2}, "kcal"),
        ({**GOAL, "fats": 2}, "fats"),
        ({k: v for k, v in GOAL.items() if k != "fat_g"}, "fat_g"),
        ({**GOAL, "kcal": "many"}, "kcal"),
    ],
)
def test_a_problem_names_the_field_and_nothing_is_said(
    api: Api, admin: httpx.Client, body: dict[str, object], field: str
) -> None:
    head = api.store.head()
    answer = admin.put("/persons/ada/goal", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert api.store.head() == head


def test_unknown_parameters_are_refused(admin: httpx.Client) -> None:
    answer = admin.get("/read-models/targets", params={"persn": "ada"})
    assert (answer.status_code, answer.json()["field"]) == (422, "persn")


def test_a_body_that_is_too_large_is_refused_with_and_without_its_length(admin: httpx.Client) -> None:
    large = b"x" * (1 << 20) + b"x"
    assert admin.put("/persons/ada/goal", content=large).status_code == 413
    pieces = (large[n : n + 65536] for n in range(0, len(large), 65536))
    assert admin.put("/persons/ada/goal", content=pieces).status_code == 413


def test_a_plan_is_followed_from_accepted_to_done(api: Api, admin: httpx.Client) -> None:
    assert admin.post("/plans", json={"week": "2026-11-24", "persons": ["ada"]}).json()["field"] == "week"
    where = admin.post("/plans", json={"week": "2026-11-23", "persons": ["ada"]}).headers["Location"]
    now = admin.get(where).json()
    assert (now["state"], now["waits_for"]) == ("accepted", ["generate_plan"])
    api.settle()
    then = admin.get(where).json()
    assert then["state"] == "failed", "there is no recipe to plan with"
    assert then["failures"]
    assert then["events"][0]["because_of"] is None
    assert then["events"][1]["because_of"] == then["events"][0]["event_id"]
