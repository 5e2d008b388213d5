"""Tell who is registered what happened."""

from collections.abc import Iterator, Mapping
from functools import partial

from meal_assets.contracts import EVENTS
from meal_assets.contracts.webhook import WebhookRegistered, WebhookRemoved
from meal_assets.errors import MealAssetsError, Permanent, Transient, Unavailable, Waiting
from meal_assets.event_store import EventStore, Recorded
from meal_assets.event_store.cloud_event import attributes_of, line_of, logged_of
from meal_assets.event_store.connections import WEBHOOK, Connections

from .base import Act, Consumer, Said


class SendWebhooks(Consumer):
    """Sends each event to the webhooks of its household that want its topic, signed, as CloudEvents.

    At least once: `webhook-id` is the same in a repeat. One that is down costs the others nothing: when its breaker is
    open, its events become dead letters at once, to be retried when it is back.
    """

    listens_to = tuple(e for e in EVENTS.values() if e.topic != "system")
    says = ()
    waits_for = WebhookRegistered

    _first: int | None = None
    """Where the first of all webhooks was registered: before it, nobody is asked for."""

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said | Act]:
        if self._first is None:
            self._first = next((r.position for r in log.read(types=[WebhookRegistered], limit=1)), None)
        if self._first is None or recorded.position <= self._first:
            return
        wanted = _wanted(recorded, log)
        if wanted:
            yield Act(lambda _: self._send(_itself(recorded, log), log, wanted), key="send")

    def _send(self, recorded: Recorded, log: EventStore, wanted: Mapping[str, str]) -> None:
        """To all that want it and do not have it; the worst of what went wrong is raised at the end."""
        from meal_assets.clients.webhooks import Arrived, send  # it brings httpx, which the definitions do without

        message, arrived = str(recorded.event_id), Arrived(log.database)
        body = line_of(
            attributes_of(logged_of(recorded), chained=False), recorded.event.model_dump_json(exclude_none=True)
        )
        connections = Connections(log.database, recorded.household, WEBHOOK)
        failed: list[MealAssetsError] = []
        done = arrived.did(message, wanted)
        for webhook in (w for w in wanted if w not in done):
            try:
                url, secret = connections.secrets(webhook)
            except Unavailable:
                continue  # it was removed since
            try:
                to = partial(send, f"webhook {webhook}", url, secret, message, body.encode(), log.database)
                to(self.outside.page_servers)
            except Waiting as error:
                failed.append(Permanent(f"{error} Retry this letter when it answers again."))
            except MealAssetsError as error:
                failed.append(error)
            else:
                done.add(webhook)
        if failed:
            arrived.note(message, done)
            raise next((e for e in failed if isinstance(e, Transient)), failed[0])


def _itself(recorded: Recorded, log: EventStore) -> Recorded:
    """The event as it was recorded: one that is retried comes with the place of the decision to retry it."""
    (there,) = log.read(recorded.position - 1, limit=1)
    if (there.stream, there.stream_version) == (recorded.stream, recorded.stream_version):
        return there
    return next(r for r in log.read_stream(recorded.stream) if r.stream_version == recorded.stream_version)


def _wanted(recorded: Recorded, log: EventStore) -> dict[str, str]:
    """Webhook -> host, of those that stood when it happened."""
    said = log.latest((WebhookRegistered, WebhookRemoved), household=recorded.household, until=recorded.position)
    events = [r.event for r in said if isinstance(r.event, WebhookRegistered)]
    return {e.webhook: e.host for e in events if recorded.event.topic in e.topics}
