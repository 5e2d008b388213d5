"""Everything that goes wrong here on purpose, split by what the caller does next.

* MealAssetsError
  x Transient        again later: a lock is held, the connection broke; the event is retried, bounded
    x RemoteFailed   a remote did not answer, or answered with trouble, after all attempts
    x Waiting        not before a moment that is known: it is no attempt, and counts as none
  x Permanent        never as it is: the event is set aside as a dead letter, the next ones go on
    x RemoteRefused  a remote said no, and will again
    x Invalid        a command or a row breaks a rule; names the field
    x UnknownEvent   the log holds an event this program is too old to read: a newer one can
    x BrokenEvent    the log holds an event that is not what its contract says
  x StaleVersion     read the stream again and decide again: somebody appended first
  x OnceConflict     the same key was used for something else: use another key
  x IdConflict       the same event ids were used for something else: use others
  x Unavailable      start or repair something first; says what
    x ArchivedEvents events that are needed lie in a file: bring them back; names it
"""

from datetime import datetime, timedelta


class MealAssetsError(Exception):
    """Base of all errors raised on purpose; its text says what happened, to what, and what to do next."""


class Transient(MealAssetsError):
    """Another attempt could succeed."""


class RemoteFailed(Transient):
    """A remote in trouble; `wait` is how long it asked to be left alone, None where it did not."""

    def __init__(self, message: str, wait: timedelta | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class Waiting(Transient):
    """Nothing can be done before `until`: a breaker is open, a budget is used up."""

    def __init__(self, message: str, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class Permanent(MealAssetsError):
    """No attempt will succeed until someone changes something."""


class RemoteRefused(Permanent):
    """A remote that answered no; `status` is the HTTP status of that."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


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


class IdConflict(MealAssetsError):
    """Event ids that already stand for other events."""


class Unavailable(MealAssetsError):
    """Something this program needs is not there; the text says how to get it."""


class ArchivedEvents(Unavailable):
    """Events that are needed are not in the database but in a file, which the text names."""
