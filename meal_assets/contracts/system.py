"""Topic `system`: what the platform itself has to say."""

from datetime import datetime
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from .base import Event
from .values import PersonId

Mode = Literal["on", "shadow", "off"]
MODES: tuple[Mode, ...] = get_args(Mode)
"""What the flag of a consumer may say; that of a read model is on or off."""
CONSUMER_FLAG, READ_MODEL_FLAG = "consumer.", "read_model."
"""A flag that begins so, and goes on with the name of a consumer or read model, switches it."""

At = Annotated[int, Field(ge=1)]


class DeadLettered(Event, topic="system", stream="dead_letter/{consumer}/{position}", outcome="failed", stays=True):
    """The consumer set the event at that position aside and went on."""

    examples = [
        {
            "consumer": "generate_plan",
            "position": 7,
            "event_type": "plan_request.PlanRequested",
            "event_stream": "home/plan_request/2026-11-23",
            "error_class": "Permanent",
            "message": "ada has no profile",
            "traceback": "Permanent\n  meal_assets/consumers/generate_plan.py:48 in _targets",
            "attempts": 1,
            "first_tried_at": "2026-11-23T18:00:00Z",
            "last_tried_at": "2026-11-23T18:00:00Z",
        },
        {
            "consumer": "fetch_recipes",
            "position": 9,
            "event_type": "recipe_request.RecipesRequested",
            "event_stream": "home/recipe_request/recipes",
            "error_class": "Transient",
            "message": "the file is locked",
            "traceback": "Transient\n  meal_assets/consumers/fetch_recipes.py:34 in handle",
            "attempts": 5,
            "first_tried_at": "2026-11-23T18:00:00Z",
            "last_tried_at": "2026-11-23T18:01:15Z",
        },
    ]

    consumer: str
    position: At
    event_type: str
    event_stream: str
    error_class: str = Field(max_length=200)
    message: str = Field(max_length=4_000)
    traceback: str = Field(max_length=4_000)
    attempts: int = Field(ge=1)
    first_tried_at: datetime
    last_tried_at: datetime

    @property
    def error(self) -> str:
        """What a person reads: the class and the message."""
        return f"{self.error_class}: {self.message}"


class DeadLetterWaiting(
    Event, topic="system", stream="dead_letter/{consumer}/{position}", outcome="working", stays=True
):
    """The consumer takes a stream in order, so this event waits behind an earlier dead letter of its stream."""

    examples = [
        {
            "consumer": "generate_plan",
            "position": 8,
            "event_type": "plan_request.PlanRequested",
            "event_stream": "home/plan_request/2026-11-23",
            "behind": 7,
        }
    ]

    consumer: str
    position: At
    event_type: str
    event_stream: str
    behind: At


class DeadLetterRetried(
    Event, topic="system", stream="dead_letter/{consumer}/{position}", outcome="working", stays=True
):
    """Somebody mended the cause: the consumer shall try that event again."""

    examples = [{"consumer": "generate_plan", "position": 7}]

    consumer: str
    position: At


class DeadLetterHandled(Event, topic="system", stream="dead_letter/{consumer}/{position}", stays=True):
    """The consumer handled the event after all: it was retried, or what it waited behind is out of the way."""

    examples = [{"consumer": "generate_plan", "position": 7}]

    consumer: str
    position: At


class DeadLetterDiscarded(Event, topic="system", stream="dead_letter/{consumer}/{position}", stays=True):
    """Somebody decided that the event need not be handled."""

    examples = [{"consumer": "fetch_recipes", "position": 9, "reason": "imported again from a mended file"}]

    consumer: str
    position: At
    reason: str = Field(min_length=1, max_length=1_000)


class ConsumerReset(Event, topic="system", stream="consumer/{consumer}", stays=True):
    """Somebody moved the consumer: back, to handle events again, or forward, over events that it shall not handle."""

    examples = [
        {"consumer": "fetch_recipes", "from_position": 120, "to_position": 80, "reason": "its shop was out of reach"}
    ]

    consumer: str
    from_position: int = Field(ge=0)
    to_position: int = Field(ge=0)
    reason: str | None = Field(default=None, min_length=1, max_length=300)


class PersonForgotten(Event, topic="system", stream="person/{person}", stays=True):
    """The keys of the person's texts are gone, and so is all that read models knew; from here on they begin anew."""

    examples = [{"person": "eve"}]

    person: PersonId


class FlagSet(Event, topic="system", stream="flag/{flag}", stays=True):
    """A flag has this value for everybody, or for whom it names; a percentage of them, always the same ones."""

    examples = [
        {"flag": "consumer.generate_plan", "value": "shadow"},
        {"flag": "read_model.favourites", "value": "off", "reason": "its table is being moved to another disk"},
        {"flag": "new-pages", "value": "on", "target_household": "home", "target_person": "ada", "percent": 100.0},
        {"flag": "new-pages", "value": "on", "percent": 12.5},
    ]

    flag: str = Field(pattern=r"^[a-z][a-z0-9_.-]{0,99}$")
    value: str = Field(min_length=1, max_length=200)
    target_household: str | None = Field(default=None, min_length=1, max_length=100)
    target_person: PersonId | None = None
    percent: float = Field(default=100.0, ge=0, le=100)
    reason: str | None = Field(default=None, min_length=1, max_length=300)

    @model_validator(mode="after")
    def _subscribers_know_it(self) -> Self:
        kinds = (("consumer", CONSUMER_FLAG, MODES), ("read model", READ_MODEL_FLAG, ("on", "off")))
        for kind, prefix, values in kinds:
            if not self.flag.startswith(prefix):
                continue
            if self.value not in values:
                raise ValueError(f"a {kind} is {', '.join(values)}, not {self.value!r}")
            if (self.target_household, self.target_person, self.percent) != (None, None, 100.0):
                raise ValueError(f"a {kind} works for everybody: switch it without a household, person or percentage")
        return self
