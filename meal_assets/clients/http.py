"""The way to every remote: cache ∘ breaker ∘ attempts ∘ budget ∘ time-outs, each a transport around the next."""

import logging
import ssl
from hashlib import sha256

import httpx
from hishel.httpx import CacheTransport

from meal_assets.errors import RemoteFailed, RemoteRefused

from .attempts import Attempting
from .breaker import Breaker
from .budget import Budgeted
from .caching import SharedStorage
from .remote import Remote, Shared
from .signing import Sign, Signed

CONNECT_SECONDS = 5.0
USER_AGENT = "meal_assets (+https://pypi.org/project/meal-assets)"


class Breaking(httpx.BaseTransport):
    """Asks the breaker before, and tells it after."""

    def __init__(self, inner: httpx.BaseTransport, breaker: Breaker) -> None:
        self._inner, self._breaker = inner, breaker

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        probe = self._breaker.admit()
        try:
            response = self._inner.handle_request(request)
        except RemoteFailed as error:
            self._breaker.failed(error, probe=probe)  # which raises something else where it opens
            raise
        except RemoteRefused:
            self._breaker.passed(probe=probe)  # who says no is there
            raise
        self._breaker.passed(probe=probe)
        return response

    def close(self) -> None:
        self._inner.close()


def client(
    remote: Remote,
    shared: Shared,
    *,
    headers: dict[str, str] | None = None,
    sign: Sign | None = None,
    cache_seconds: float = 0.0,
    verify: ssl.SSLContext | bool = True,
) -> httpx.Client:
    """A client of the remote; close it, or use `with`.

    Its calls raise `RemoteFailed` and `Waiting` (Transient), or `RemoteRefused` (Permanent). A response, also one
    that says no, is returned. Redirects are answers too: they are never followed. GETs are cached where
    `cache_seconds` is above 0, per call by the extension `caching={"key": cache_key(…), "ttl": …}`. `sign` is called
    for each attempt.
    """
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log whole URLs, with what is signed in them
    stack: httpx.BaseTransport = httpx.HTTPTransport(verify=verify, trust_env=False)
    if sign is not None:
        stack = Signed(stack, sign)
    stack = Attempting(Budgeted(stack, remote, shared), remote)
    stack = Breaking(stack, Breaker(shared, remote.name))
    if cache_seconds > 0:
        stack = CacheTransport(stack, SharedStorage(shared, remote.name, ttl=cache_seconds))
    return httpx.Client(
        base_url=remote.base_url,
        headers={"User-Agent": USER_AGENT, **(headers or {})},
        transport=stack,
        timeout=httpx.Timeout(remote.read_seconds, connect=CONNECT_SECONDS),
        follow_redirects=False,
        trust_env=False,
    )


def cache_key(*parts: str) -> str:
    """What tells two cached answers apart, also whose they are; a secret in it cannot be read back."""
    return sha256("\0".join(parts).encode()).hexdigest()
