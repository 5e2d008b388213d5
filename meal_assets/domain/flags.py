"""Which value of a flag holds for whom: the rule that says most about them, and of a percentage always the same."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

PARTS = 1_000_000
"""How finely a percentage can be told: a ten-thousandth of one."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`value` for a household, a person, or (None) everybody; `percent` of them, 0 to 100."""

    value: str
    household: str | None = None
    person: str | None = None
    percent: float = 100.0


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a flag is asked for. Without any name only rules for everybody hold."""

    household: str | None = None
    person: str | None = None


def rule_for(flag: str, rules: Sequence[Rule], subject: Subject) -> Rule | None:
    """The rule that holds: a person's before a household's before everybody's; None when the default does.

    Whom a percentage leaves out gets the next rule. Somebody who is in at 10 % is in at 20 %, too.
    """
    for rule in sorted(rules, key=lambda r: (r.person is None, r.household is None)):
        meant = rule.household in (None, subject.household) and rule.person in (None, subject.person)
        if meant and (rule.percent >= 100 or part_of(flag, subject) < rule.percent):
            return rule
    return None


def part_of(flag: str, subject: Subject) -> float:
    """Where this subject stands between 0 and 100 for this flag: the same for ever, another for another flag.

    Nobody in particular stands at 100: no percentage below that holds for them.
    """
    if subject == Subject():
        return 100.0
    text = "\0".join([flag, subject.household or "", subject.person or ""])
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return number % PARTS * 100 / PARTS
