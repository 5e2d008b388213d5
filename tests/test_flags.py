"""Flags: which value holds for whom, the same people at every percentage, and OpenFeature's own answers and errors."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason
from pydantic import ValidationError
from typer.testing import CliRunner

from meal_assets.cli.app import app
from meal_assets.commands.flags import set_flag
from meal_assets.consumers import CONSUMERS, consume
from meal_assets.contracts.system import FlagSet
from meal_assets.domain.flags import Rule, Subject, part_of, rule_for
from meal_assets.event_store import Database, EventStore, Origin
from meal_assets.flags import MAX_CACHED, FlagProvider, subject_of
from meal_assets.read_models import catch_up
from meal_assets.read_models.flags import Flags, set_flags

ADA, BEN = Subject("home", "ada"), Subject("home", "ben")
PEOPLE = [Subject(f"home-{n // 4}", f"person-{n}") for n in range(4_000)]
ADA_CONTEXT = EvaluationContext("ada", {"household": "home"})


def chosen(percent: float, flag: str = "new-pages") -> set[Subject]:
    return {who for who in PEOPLE if rule_for(flag, [Rule("on", percent=percent)], who)}


def test_a_persons_rule_holds_before_the_households_before_everybodys() -> None:
    rules = [Rule("all"), Rule("home", household="home"), Rule("ada", person="ada"), Rule("own", "home", "ada")]
    asked = [ADA, Subject("next-door", "ada"), BEN, Subject("home"), Subject("next-door"), Subject()]
    found = [rule_for("f", rules, who) for who in asked]
    assert [rule.value if rule else None for rule in found] == ["own", "ada", "home", "home", "all", "all"]
    assert rule_for("f", rules[1:], Subject("next-door", "ben")) is None


def test_whom_a_percentage_leaves_out_gets_the_next_rule_and_nobody_in_particular_never_is_in() -> None:
    rules = [Rule("off"), Rule("on", household="home", percent=0)]
    assert rule_for("f", rules, ADA) == rules[0]
    assert rule_for("f", [Rule("on", percent=99.9)], Subject()) is None
    assert rule_for("f", [Rule("on")], Subject()) == Rule("on")


@pytest.mark.parametrize("percent", [0, 0.5, 10, 50, 99, 100])
def test_about_so_many_percent_are_chosen_and_always_the_same(percent: float) -> None:
    found = chosen(percent)
    assert len(found) / len(PEOPLE) * 100 == pytest.approx(percent, abs=2.5)
    assert found == chosen(percent)


def test_a_growing_percentage_keeps_whom_it_has_and_another_flag_chooses_others() -> None:
    assert chosen(5) < chosen(20) < chosen(60)
    assert len(chosen(50) & chosen(50, "other")) / len(PEOPLE) == pytest.approx(0.25, abs=0.03)


def test_where_somebody_stands_never_changes() -> None:
    """These figures are kept by every installation: a change would exchange the people of every percentage."""
    assert [part_of("new-pages", who) for who in (ADA, BEN, Subject("home"))] == [64.9507, 26.8226, 24.9566]


@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_everybody_stands_somewhere_below_a_hundred(flag: str, household: str, person: str) -> None:
    assert 0 <= part_of(flag, Subject(household, person)) < 100


@pytest.mark.parametrize(
    "wrong",
    [
        {"flag": "consumer.echo", "value": "maybe"},
        {"flag": "consumer.echo", "value": "off", "target_household": "home"},
        {"flag": "consumer.echo", "value": "off", "percent": 50},
        {"flag": "read_model.echo", "value": "shadow"},
        {"flag": "read_model.echo", "value": "off", "target_person": "ada"},
        {"flag": "new-pages", "value": "on", "reason": ""},
        {"flag": "New Pages", "value": "on"},
        {"flag": "new-pages", "value": ""},
        {"flag": "new-pages", "value": "on", "percent": 101},
        {"flag": "new-pages", "value": "on", "target_person": "a da"},
    ],
)
def test_a_flag_that_could_not_be_followed_cannot_be_set(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FlagSet.model_validate(wrong)


def put(store: EventStore, flag: str, value: str, **targets: Any) -> None:
    set_flag(store, FlagSet(flag=flag, value=value, **targets), Origin("home", "test"))
    catch_up(Flags(), store)


def test_what_was_set_last_for_the_same_is_the_row_that_holds(store: EventStore) -> None:
    put(store, "new-pages", "off")
    put(store, "new-pages", "on", target_household="home", target_person="ada")
    put(store, "new-pages", "on", percent=12.5)
    with store.database.transaction() as db:
        rows = [(f.value, f.household, f.person, f.percent, f.actor) for f in set_flags(db)]
    assert rows == [("on", None, None, 12.5, "test"), ("on", "home", "ada", 100, "test")]


@pytest.fixture
def client(database: Database) -> Iterator[OpenFeatureClient]:
    """A client of OpenFeature over the log of the test."""
    api.set_provider(FlagProvider(database), "meals-test")
    yield api.get_client("meals-test")
    api.clear_providers()


def test_before_any_flag_was_folded_the_default_holds(client: OpenFeatureClient) -> None:
    details = client.get_boolean_details("new-pages", True)
    assert (details.value, details.error_code) == (True, ErrorCode.PROVIDER_NOT_READY)


def test_a_flag_nobody_set_is_not_found_and_the_default_holds(store: EventStore, client: OpenFeatureClient) -> None:
    put(store, "other", "on")
    details = client.get_boolean_details("new-pages", True)
    assert (details.value, details.error_code, details.reason) == (True, ErrorCode.FLAG_NOT_FOUND, Reason.ERROR)


def test_a_flag_that_names_others_leaves_the_default(store: EventStore, client: OpenFeatureClient) -> None:
    put(store, "new-pages", "on", target_person="ben")
    details = client.get_boolean_details("new-pages", False, ADA_CONTEXT)
    assert (details.value, details.error_code, details.reason) == (False, None, Reason.DEFAULT)


def test_why_a_value_holds_is_told(store: EventStore, client: OpenFeatureClient) -> None:
    put(store, "everybody", "on")
    put(store, "ada", "on", target_person="ada")
    put(store, "nearly", "on", percent=99.9999)
    reasons = [client.get_boolean_details(f, False, ADA_CONTEXT) for f in ("everybody", "ada", "nearly")]
    assert [(d.value, d.reason, d.variant) for d in reasons] == [
        (True, Reason.STATIC, "on"),
        (True, Reason.TARGETING_MATCH, "on"),
        (True, Reason.SPLIT, "on"),
    ]


def test_each_type_is_read_from_the_text_and_another_is_a_mismatch(
    store: EventStore, client: OpenFeatureClient
) -> None:
    for flag, value in (("switch", "off"), ("text", "blue"), ("number", "7"), ("share", "0.5"), ("many", '{"a": [1]}')):
        put(store, flag, value)
    assert client.get_boolean_value("switch", True) is False
    assert client.get_string_value("text", "") == "blue"
    assert client.get_integer_value("number", 0) == 7
    assert client.get_float_value("share", 0.0) == 0.5
    assert client.get_object_value("many", {}) == {"a": [1]}
    wrong = [
        client.get_boolean_details("text", True),
        client.get_integer_details("share", 3),
        client.get_float_details("text", 3.0),
        client.get_object_details("number", {"b": 1}),
    ]
    assert [d.error_code for d in wrong] == [ErrorCode.TYPE_MISMATCH] * 4
    assert [d.value for d in wrong] == [True, 3, 3.0, {"b": 1}]
    assert client.get_object_details("text", {}).error_code == ErrorCode.PARSE_ERROR


def test_the_context_names_a_person_of_a_household_or_a_household(store: EventStore, client: OpenFeatureClient) -> None:
    assert subject_of(ADA_CONTEXT) == ADA
    assert subject_of(EvaluationContext("home")) == subject_of(EvaluationContext("home", {"household": "home"}))
    assert subject_of(EvaluationContext("home")) == Subject("home")
    assert subject_of(None) == subject_of(EvaluationContext()) == Subject()
    put(store, "new-pages", "on")
    wrong = client.get_boolean_details("new-pages", False, EvaluationContext("ada", {"household": 7}))
    assert (wrong.value, wrong.error_code) == (False, ErrorCode.INVALID_CONTEXT)


def test_a_flag_that_is_set_anew_is_seen_at_once_and_one_that_stands_is_read_once(
    store: EventStore, client: OpenFeatureClient
) -> None:
    put(store, "new-pages", "off")
    assert client.get_boolean_value("new-pages", True) is False
    with store.database.transaction() as db:
        db.execute("UPDATE read.flags SET value = 'on'")  # nobody does this: it shows which answers are read again
    assert client.get_boolean_value("new-pages", True) is False
    put(store, "other", "on")
    assert client.get_boolean_value("new-pages", False) is True


def test_the_cache_is_bounded(store: EventStore) -> None:
    put(store, "new-pages", "on")
    provider = FlagProvider(store.database)
    for n in range(MAX_CACHED + 5):
        assert provider.resolve_boolean_details("new-pages", False, EvaluationContext(f"household-{n}")).value
    assert len(provider._rules) == MAX_CACHED


def test_flags_are_set_shown_and_compared_on_the_command_line(
    database_url: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEALS_DATABASE_URL", database_url)
    monkeypatch.setenv("MEALS_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")

    def meals(*arguments: str) -> str:
        done = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return " ".join(done.output.split())

    assert "every consumer is on" in meals("flags")
    assert "consumer.reconcile │ shadow │ all │ all │ 100" in meals("flags", "set", "consumer.reconcile", "shadow")
    meals("flags", "set", "new-pages", "on", "--household", "home", "--percent", "12.5")
    assert "new-pages │ on │ home │ all │ 12.5" in meals("flags")
    assert "reconcile never had a shadow: `meals flags set" in meals("flags", "diff", "reconcile")
    with Database(database_url) as database:
        consume(CONSUMERS["reconcile"](), EventStore(database))
    assert "No difference: reconcile said the same in its shadow, up to position 0" in meals(
        "flags", "diff", "reconcile"
    )
