"""Server-sent events: each as it happens, once, from where one was; and an end for who may not any more."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from meal_assets.api import tail
from meal_assets.event_store.tokens import revoke_token, tokens_of

from .conftest import GOAL, Api

STREAM = {"Accept": "text/event-stream"}


def sent(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    """The events of a stream, as a browser takes them; a comment is one without data."""
    one: dict[str, Any] = {}
    for line in answer.iter_lines():
        if not line:
            if "data" in one or "comment" in one:
                yield one
            one = {}
            continue
        name, _, value = line.partition(":")
        one[name or "comment"] = value.strip()


def test_a_stream_tells_what_happens_and_goes_on_where_it_was(api: Api, admin: httpx.Client) -> None:
    with admin.stream("GET", "/events", headers=STREAM) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        comes = sent(stream)
        first, second = (admin.put(f"/persons/{p}/goal", json=GOAL).json() for p in ("sia", "sol"))
        one = next(comes)
        assert (one["event"], int(one["id"])) == ("profile.GoalSet", first["position"])
        assert json.loads(one["data"])["correlationid"] == first["command_id"]
    with admin.stream("GET", "/events", headers={**STREAM, "Last-Event-ID": one["id"]}) as stream:
        assert int(next(sent(stream))["id"]) == second["position"]


def test_a_stream_tells_only_what_was_asked_for_and_is_the_callers(
    api: Api, admin: httpx.Client, stranger: httpx.Client
) -> None:
    stranger.put("/persons/tom/goal", json=GOAL)
    with admin.stream("GET", "/events", params={"topic": "body", "after": 0}, headers=STREAM) as stream:
        comes = sent(stream)
        stranger.put("/persons/tom/weights/2026-11-23", json={"weight_kg": 70})
        admin.put("/persons/tia/goal", json=GOAL)
        mine = admin.put("/persons/tia/weights/2026-11-23", json={"weight_kg": 60}).json()
        assert int(next(comes)["id"]) == mine["position"]


def test_a_command_is_streamed_to_its_end(api: Api, admin: httpx.Client) -> None:
    where = admin.post("/plans", json={"week": "2026-12-07", "persons": ["uma"]}).headers["Location"]
    with admin.stream("GET", where, headers=STREAM) as stream:
        comes = sent(stream)
        assert next(comes)["event"] == "accepted"
        api.settle()
        rest = [one["event"] for one in comes]
    assert rest[-1] == "failed", "there is no recipe to plan with"
    assert admin.get("/commands/01a2222f-8e86-7868-a953-44dc88611176", headers=STREAM).status_code == 404


def test_there_is_room_for_so_many_streams_of_one_token(api: Api) -> None:
    with api.client(api.secret("read")) as reader, api.client(api.secret("read")) as other:
        held = [reader.stream("GET", "/events", headers=STREAM) for _ in range(tail.MAX_STREAMS_OF_ONE)]
        try:
            assert [one.__enter__().status_code for one in held] == [200] * len(held)
            refused = reader.get("/events", headers=STREAM)
            assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
            with other.stream("GET", "/events", headers=STREAM) as stream:
                assert stream.status_code == 200
        finally:
            for one in held:
                one.__exit__(None, None, None)


def test_a_token_that_is_revoked_ends_its_streams(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "BEAT_SECONDS", 0.05)
    with api.client(api.secret("read")) as reader:
        newest = tokens_of(api.store.database, "home")[0]
        with reader.stream("GET", "/events", headers=STREAM) as stream:
            comes = sent(stream)
            assert "comment" in next(comes)
            revoke_token(api.store.database, "home", newest.id)
            assert [one["event"] for one in comes if "event" in one] == ["unauthorized"]
