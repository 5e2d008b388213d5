"""Send what people are to be told."""

from collections.abc import Iterator

from meal_assets.clients.notify import INTERRUPTED, Deliveries, scheme
from meal_assets.contracts.notification import NotificationFailed, NotificationSent
from meal_assets.contracts.notification_request import NotificationRequested
from meal_assets.event_store import EventStore, Recorded

from .base import Act, Consumer, Said
from .library import drawn


class Deliver(Consumer):
    """Sends each message once, to the address of the person or of the household (MEALS_NOTIFY_URLS).

    A crash while it is being sent leaves open whether it arrived: then it is said to have failed, and not sent again.
    """

    listens_to = (NotificationRequested,)
    says = (NotificationSent, NotificationFailed)

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said | Act]:
        wanted = recorded.event
        assert isinstance(wanted, NotificationRequested)
        message, deliveries = wanted.stream_in(recorded.household), Deliveries(log.database)
        address = self.outside.address_of(wanted.person, recorded.household)
        if address is None:
            yield _failed(wanted, f"no address is set for {wanted.person}: MEALS_NOTIFY_URLS")
        elif deliveries.state(message) == INTERRUPTED:
            yield _failed(wanted, "interrupted while it was sent: it may have arrived, and is not sent again")
        else:
            picture = None if wanted.picture is None else drawn(wanted.picture)
            yield Act(lambda _: deliveries.send_once(message, address, wanted.title, wanted.text, picture))
            sent = NotificationSent(person=wanted.person, kind=wanted.kind, period=wanted.period, by=scheme(address))
            yield Said(sent, key="sent")


def _failed(wanted: NotificationRequested, reason: str) -> Said:
    failed = NotificationFailed(person=wanted.person, kind=wanted.kind, period=wanted.period, reason=reason)
    return Said(failed, key="failed")
