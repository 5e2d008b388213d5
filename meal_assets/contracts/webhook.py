"""Topic `webhook`: who outside is told what happens here. Addresses and keys to sign with are no events."""

from pydantic import Field, field_validator

from .base import Event

WEBHOOK_ID = r"^[0-9a-f]{16}$"


class WebhookRegistered(Event, topic="webhook", stream="webhook/{webhook}", stays=True):
    """From here on, events of these topics are sent to an address on that host; the whole of it, each time."""

    examples = [{"webhook": "0a1b2c3d4e5f6071", "host": "hooks.example.org", "topics": ["plan", "diary"]}]

    webhook: str = Field(pattern=WEBHOOK_ID)
    host: str = Field(min_length=1, max_length=253)
    topics: tuple[str, ...] = Field(min_length=1, max_length=50)

    @field_validator("topics")
    @classmethod
    def _each_once(cls, topics: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(topics)) < len(topics):
            raise ValueError("names a topic twice")
        return topics


class WebhookRemoved(Event, topic="webhook", stream="webhook/{webhook}", stays=True):
    """From here on, nothing is sent there."""

    examples = [{"webhook": "0a1b2c3d4e5f6071"}]

    webhook: str = Field(pattern=WEBHOOK_ID)
