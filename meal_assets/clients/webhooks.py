"""Sending signed events to an address that somebody registered: https, the open internet, no redirects, bounded.

Signed as Standard Webhooks are (https://www.standardwebhooks.com): HMAC-SHA256 over id, time and body.
"""

import time
from base64 import b64decode, b64encode
from collections.abc import Collection
from hashlib import sha256
from hmac import digest

import httpcore
import httpx

from meal_assets.errors import Invalid, RemoteFailed, RemoteRefused

from .breaker import Breaker
from .pages import checked_address
from .public import Permit, PublicOnly
from .remote import TOO_BUSY, Shared

SECONDS = 15.0
MAX_ANSWER = 64 * 1024
"""Bytes of an answer that are read; nobody looks at them."""
SECRET_PREFIX = "whsec_"  # noqa: S105  # what a secret begins with
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


def checked_target(address: str, permit: Collection[Permit] = ()) -> httpx.URL:
    """Where webhooks may go at all. Raises `Invalid`: only https to a host of the open internet."""
    url = checked_address(address)
    port = url.port or (443 if url.scheme == "https" else 80)
    if url.scheme != "https" and (url.host, port) not in permit:
        raise Invalid("url", "must begin with https://, so that nobody on the way reads what is sent")
    return url


def signature(secret: str, message: str, moment: int, body: bytes) -> str:
    """What `webhook-signature` says."""
    key = b64decode(secret.removeprefix(SECRET_PREFIX))
    return f"v1,{b64encode(digest(key, f'{message}.{moment}.'.encode() + body, sha256)).decode()}"


def send(
    name: str, address: str, secret: str, message: str, body: bytes, shared: Shared, permit: Collection[Permit] = ()
) -> None:
    """Send one event. Raises `RemoteFailed`, `Waiting` while it is left alone, `RemoteRefused` or `Invalid`.

    `message`, which is the same whenever it is sent again, lets the receiver know a repeat.
    """
    breaker = Breaker(shared, name)
    probe = breaker.admit()
    try:
        _post(name, checked_target(address, permit), secret, message, body, permit)
    except RemoteFailed as error:
        breaker.failed(error, probe=probe)
        raise
    except (RemoteRefused, Invalid):
        breaker.passed(probe=probe)
        raise
    breaker.passed(probe=probe)


def _post(name: str, url: httpx.URL, secret: str, message: str, body: bytes, permit: Collection[Permit]) -> None:
    moment = int(time.time())
    headers = {
        "Content-Type": CONTENT_TYPE,
        "Content-Length": str(len(body)),
        "User-Agent": "meal_assets (+https://pypi.org/project/meal-assets)",
        "Connection": "close",
        "webhook-id": message,
        "webhook-timestamp": str(moment),
        "webhook-signature": signature(secret, message, moment, body),
    }
    target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    sent = [(b"Host", url.netloc), *((k.encode(), v.encode()) for k, v in headers.items())]
    backend = PublicOnly(SECONDS, permit=permit)
    waits = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), SECONDS)}
    context = httpx.create_ssl_context(trust_env=False)
    try:
        with (
            httpcore.ConnectionPool(context, network_backend=backend) as pool,
            pool.stream("POST", target, headers=sent, content=body, extensions=waits) as answer,
        ):
            read = 0
            for part in answer.iter_stream():
                read += len(part)
                if read > MAX_ANSWER:
                    break
            status = answer.status
    except (httpcore.TimeoutException, httpcore.ProtocolError, httpcore.NetworkError) as error:
        raise RemoteFailed(f"{name} at {url.host}: {type(error).__name__}: {error}") from error
    if 200 <= status < 300:
        return
    said = f"{name} at {url.host} answered with HTTP {status}"
    if status >= 500 or status in TOO_BUSY:
        raise RemoteFailed(said)
    raise RemoteRefused(f"{said}: an event is taken with 2xx, and redirects are not followed", status)


class Arrived:
    """Which events arrived at a webhook while others failed, so that those are not sent there again."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def did(self, message: str, webhooks: Collection[str]) -> set[str]:
        names = {_name(message, w): w for w in webhooks}
        with self._shared.transaction() as db:
            rows = db.execute("SELECT message FROM log.deliveries WHERE message = ANY(%s)", (list(names),))
            return {names[str(name)] for (name,) in rows}

    def note(self, message: str, webhooks: Collection[str]) -> None:
        query = "INSERT INTO log.deliveries (message, state) SELECT unnest(%s::text[]), 'sent' ON CONFLICT DO NOTHING"
        with self._shared.transaction() as db:
            db.execute(query, ([_name(message, w) for w in webhooks],))


def _name(message: str, webhook: str) -> str:
    return f"webhook/{webhook}/{message}"
