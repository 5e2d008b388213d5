"""Everything that goes wrong here on purpose, split by what the caller does next.

* MealAssetsError
  x Transient        again later: a remote is down, a lock is held; the event is retried, bounded
  x Permanent        never as it is: the event is set aside as a dead letter, the next ones go on
    x Invalid        a command or a row breaks a rule; names the field
    x UnknownEvent   the log holds an event this program is too old to read: a newer one can
    x BrokenEvent    the log holds an event that is not what its contract says
  x StaleVersion     read the stream again and decide again: somebody appended first
  x OnceConflict     the same key was used for something else: use another key
  x Unavailable      start or repair something first; says what
"""


class MealAssetsError(Exception):
    """Base of all errors raised on purpose; its text says what happened, to what, and what to do next."""


class Transient(MealAssetsError):
    """Another attempt could succeed."""


class Permanent(MealAssetsError):
    """No attempt will succeed until someone changes something."""


class Invalid(Permanent):
    """A command or an imported row that breaks a rule.

    `field` is the dotted name of what is wrong, as the person typed or sent it.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class UnknownEvent(Permanent):
    """A stored event whose type, version or field this program does not know."""


class BrokenEvent(Permanent):
    """A stored event that its contract refuses: something else than this program wrote it, or changed it."""


class StaleVersion(MealAssetsError):
    """The stream moved on between reading and appending."""

    def __init__(self, stream: str, expected: int, actual: int) -> None:
        super().__init__(f"{stream} is at version {actual}, not {expected}: read it again and decide again")
        self.stream = stream
        self.expected = expected
        self.actual = actual


class OnceConflict(MealAssetsError):
    """A `once` key that already stands for other events."""


class Unavailable(MealAssetsError):
    """Something this program needs is not there; the text says how to get it."""
