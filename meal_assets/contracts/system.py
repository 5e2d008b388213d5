"""Topic `system`: what the platform itself has to say."""

from pydantic import Field

from .base import Event


class DeadLettered(Event, topic="system", stream="dead_letter/{consumer}/{position}", outcome="failed"):
    """The consumer set the event at that position aside and went on."""

    examples = [
        {
            "consumer": "generate_plan",
            "position": 7,
            "event_type": "plan_request.PlanRequested",
            "error": "Permanent: ada has no profile",
            "attempts": 1,
        },
        {
            "consumer": "fetch_recipes",
            "position": 9,
            "event_type": "recipe_request.RecipesRequested",
            "error": "Transient: the file is locked",
            "attempts": 5,
        },
    ]

    consumer: str
    position: int = Field(ge=1)
    event_type: str
    error: str = Field(max_length=4_000)
    attempts: int = Field(ge=1)


class DeadLetterRetried(Event, topic="system", stream="dead_letter/{consumer}/{position}", outcome="working"):
    """Somebody mended the cause: the consumer shall try that event again."""

    examples = [{"consumer": "generate_plan", "position": 7}]

    consumer: str
    position: int = Field(ge=1)


class DeadLetterDiscarded(Event, topic="system", stream="dead_letter/{consumer}/{position}"):
    """Somebody decided that the event need not be handled."""

    examples = [{"consumer": "fetch_recipes", "position": 9, "reason": "imported again from a mended file"}]

    consumer: str
    position: int = Field(ge=1)
    reason: str = Field(min_length=1, max_length=1_000)
