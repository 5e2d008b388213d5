"""Registering who outside is told what happens, and taking that back."""

import secrets
from base64 import b64encode
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256

from meal_assets.clients.webhooks import SECRET_PREFIX, checked_target
from meal_assets.contracts import TOPICS, Event
from meal_assets.contracts.webhook import WebhookRegistered, WebhookRemoved
from meal_assets.errors import Invalid, Unavailable
from meal_assets.event_store import EventStore, Origin
from meal_assets.event_store.connections import WEBHOOK, Connections

from .base import Accepted, command

NEVER_SENT = ("system",)
"""Topics that no webhook gets: what failed to be sent would be said in them, and sent."""
SENT = tuple(t for t in TOPICS if t not in NEVER_SENT)
MOST = 20
"""Webhooks of a household."""
MAX_URL = 2_000


@dataclass(frozen=True, slots=True)
class Webhook:
    """As who registered it may see it; `url` and `secret` are kept encrypted."""

    webhook: str
    url: str
    secret: str
    topics: tuple[str, ...]


def register_webhook(
    store: EventStore, url: str, topics: Sequence[str], origin: Origin, permit: Collection[tuple[str, int]] = ()
) -> Accepted:
    """Send events of these topics to the address from now on; its key to sign with is made with it.

    The same address again gets these topics instead, and keeps its key. Raises `Invalid` for an address that is not
    https, a topic that is none, or one webhook too many.
    """
    target = checked_target(url, permit)
    if len(str(target)) > MAX_URL:
        raise Invalid("url", f"has more than {MAX_URL:,} characters")
    if unknown := [t for t in topics if t not in SENT]:
        raise Invalid("topics", f"{unknown[0]!r} is none of {', '.join(SENT)}")
    name = sha256(f"{origin.household}\0{target}".encode()).hexdigest()[:16]
    standing = {w.webhook for w in webhooks_of(store, origin.household)}
    if name not in standing and len(standing) >= MOST:
        raise Invalid("url", f"is one too many: a household may have {MOST}; remove another one first")
    connections = Connections(store.database, origin.household, WEBHOOK)
    if name not in {c.person for c in connections.all()}:
        secret = SECRET_PREFIX + b64encode(secrets.token_bytes(32)).decode()
        connections.keep(name, (str(target), secret))
    event = WebhookRegistered(webhook=name, host=target.host, topics=tuple(topics))

    def decide(history: list[Event]) -> list[Event]:
        return [] if history and history[-1] == event else [event]

    return command(store, event.stream_in(origin.household), decide, origin)


def remove_webhook(store: EventStore, webhook: str, origin: Origin) -> Accepted:
    """Send nothing there any more. Raises `Invalid` where there is no such."""
    event = WebhookRemoved(webhook=webhook)

    def decide(history: list[Event]) -> list[Event]:
        if not history or isinstance(history[-1], WebhookRemoved):
            raise Invalid("webhook", f"{origin.household} has no webhook {webhook}")
        return [event]

    accepted = command(store, event.stream_in(origin.household), decide, origin)
    Connections(store.database, origin.household, WEBHOOK).remove(webhook)
    return accepted


def webhooks_of(store: EventStore, household: str) -> list[Webhook]:
    """Those that stand, by id."""
    connections, found = Connections(store.database, household, WEBHOOK), []
    said = store.latest((WebhookRegistered, WebhookRemoved), household=household, until=store.head())
    for event in (r.event for r in said):
        if isinstance(event, WebhookRegistered):
            try:
                url, secret = connections.secrets(event.webhook)
            except Unavailable:  # its key went with a database that was restored without it
                continue
            found.append(Webhook(event.webhook, url, secret, event.topics))
    return found
