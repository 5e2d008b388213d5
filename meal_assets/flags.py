"""OpenFeature over the read model `flags`: `api.set_provider(FlagProvider(database))`, then `client.get_boolean_value`.

The evaluation context's `targeting_key` is a person, with the attribute `household`; or a household, without it.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import TypeVar

from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import (
    FlagNotFoundError,
    InvalidContextError,
    OpenFeatureError,
    ParseError,
    ProviderNotReadyError,
    TypeMismatchError,
)
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider, Metadata

from meal_assets.domain.flags import Rule, Subject, rule_for
from meal_assets.event_store import Connection, Database

MAX_CACHED = 1_000
"""Flags for subjects kept in memory; the one asked for longest ago goes first."""
SWITCH = {"on": True, "off": False}

T = TypeVar("T")


class FlagProvider(AbstractProvider):
    """Answers from the rows as of the model's checkpoint: one short query while it stands still, two after it moved."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database
        self._lock = Lock()
        self._position = -1
        self._rules: OrderedDict[tuple[str, Subject], tuple[Rule, ...]] = OrderedDict()

    def get_metadata(self) -> Metadata:
        return Metadata("meals")

    def resolve_boolean_details(
        self, flag_key: str, default_value: bool, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[bool]:
        """The flag's on or off as True or False."""
        return self._resolve(flag_key, default_value, evaluation_context, _switch)

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        """The flag's text as it was set."""
        return self._resolve(flag_key, default_value, evaluation_context, str)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        """The flag's text as a whole number."""
        return self._resolve(flag_key, default_value, evaluation_context, int)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        """The flag's text as a number."""
        return self._resolve(flag_key, default_value, evaluation_context, float)

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        """The flag's text as a JSON object or array."""
        return self._resolve(flag_key, default_value, evaluation_context, _object)

    def _resolve(
        self, flag: str, default: T, context: EvaluationContext | None, read: Callable[[str], T]
    ) -> FlagResolutionDetails[T]:
        subject = subject_of(context)
        rules = self._rules_for(flag, subject)
        if not rules:
            raise FlagNotFoundError(f"{flag} was never set: `meals flags set {flag} on`")
        rule = rule_for(flag, rules, subject)
        if rule is None:
            return FlagResolutionDetails(default, reason=Reason.DEFAULT)
        try:
            value = read(rule.value)
        except ValueError as error:
            raise TypeMismatchError(f"{flag} is {rule.value!r}, which was asked for as another type") from error
        if rule.percent < 100:
            reason = Reason.SPLIT
        else:
            reason = Reason.STATIC if rule.household is rule.person is None else Reason.TARGETING_MATCH
        return FlagResolutionDetails(value, reason=reason, variant=rule.value)

    def _rules_for(self, flag: str, subject: Subject) -> tuple[Rule, ...]:
        with self._lock, self._database.transaction() as db:
            row = db.execute("SELECT position FROM log.checkpoints WHERE subscriber = 'flags'").fetchone()
            if row is None:
                raise ProviderNotReadyError("the flags were never folded: `meals flags` does it")
            if row[0] != self._position:
                self._rules.clear()
                self._position = row[0]
            key = (flag, subject)
            if key not in self._rules:
                self._rules[key] = _read_rules(db, flag, subject)
                if len(self._rules) > MAX_CACHED:
                    self._rules.popitem(last=False)
            self._rules.move_to_end(key)
            return self._rules[key]


def is_on(database: Database, flag: str, household: str) -> bool:
    """Whether the flag is on for the household; off where nobody ever said so."""
    try:
        return FlagProvider(database).resolve_boolean_details(flag, False, EvaluationContext(household)).value
    except OpenFeatureError:
        return False


def subject_of(context: EvaluationContext | None) -> Subject:
    """Whom the context is about. Raises `InvalidContextError` where its household is no text."""
    if context is None:
        return Subject()
    household = context.attributes.get("household")
    if household is None or household == context.targeting_key:
        return Subject(household=context.targeting_key)
    if not isinstance(household, str):
        raise InvalidContextError(f"household {household!r} is no text: give a household's id")
    return Subject(household=household, person=context.targeting_key)


def _read_rules(db: Connection, flag: str, subject: Subject) -> tuple[Rule, ...]:
    """The flag's rules that are about the subject, at most four; one that nobody meets where it has only others."""
    rows = db.execute(
        "SELECT value, nullif(household, ''), nullif(person, ''), percent FROM read.flags"
        " WHERE flag = %s AND household = ANY(%s) AND person = ANY(%s)",
        (flag, ["", subject.household or ""], ["", subject.person or ""]),
    ).fetchall()
    if not rows:
        rows = db.execute(
            "SELECT value, nullif(household, ''), nullif(person, ''), percent FROM read.flags WHERE flag = %s LIMIT 1",
            (flag,),
        ).fetchall()
    return tuple(Rule(value, household, person, float(percent)) for value, household, person, percent in rows)


def _switch(text: str) -> bool:
    if text not in SWITCH:
        raise ValueError(text)
    return SWITCH[text]


def _object(text: str) -> Sequence[FlagValueType] | Mapping[str, FlagValueType]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ParseError(f"{text!r} is no JSON: {error}") from error
    if not isinstance(value, dict | list):
        raise ValueError(text)
    return value
