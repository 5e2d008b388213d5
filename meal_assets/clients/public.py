"""Connections to public addresses only, for what is fetched on somebody's word.

A name is resolved once; every address it has must be public, and the connection goes to one of those that were
checked, so a name server that answers differently a moment later changes nothing. TLS is still checked against the
name, since only the socket is opened here.
"""

import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

import httpcore

from meal_assets.errors import Invalid, RemoteFailed

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]
"""Host and port -> addresses; raises `socket.gaierror`."""
Permit = tuple[str, int]
"""An address and a port."""

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
UNICAST = ipaddress.IPv6Network("2000::/3")
"""All of IPv6 that is given out to anybody (RFC 4291 §2.4, IANA)."""
SPECIAL = tuple(
    map(
        ipaddress.ip_network,
        (
            *("192.0.0.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.175.48.0/24"),
            *("168.63.129.16/32", "2001::/23", "2002::/16", "2620:4f:8000::/48", "3fff::/20"),
        ),
    )
)
"""What a Python that we run on counts as global and where nobody serves recipes: IANA's special-purpose registries
(RFC 6890), tunnels to an IPv4 address of the sender's choice, and a cloud's metadata service with a public address."""


def is_public(address: Address) -> bool:
    """Whether it is an address of the open internet; one that carries an IPv4 address is as public as that."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id:
            return False
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address not in UNICAST:
            return False
    special = any(address.version == net.version and address in net for net in SPECIAL)
    return address.is_global and not (special or address.is_multicast or address.is_reserved)


def resolve(host: str, port: int) -> list[str]:
    """The system's answer, each address once."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[0]) for *_, where in found))


class PublicOnly(httpcore.NetworkBackend):
    """Opens sockets to public addresses, for `seconds` in all. Raises `Invalid`, or `RemoteFailed` (Transient).

    `permit`: addresses and ports let through although they are not public. Only a test names its own server so.
    """

    def __init__(self, seconds: float, *, permit: Collection[Permit] = (), resolve: Resolve = resolve) -> None:
        self._inner = httpcore.SyncBackend()
        self._end = time.monotonic() + seconds
        self._permit, self._resolve = permit, resolve

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception | None = None
        for address in self._checked(host, port):
            try:
                stream = self._inner.connect_tcp(address, port, self.left(timeout), local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Timed(stream, self.left)
        raise failure or httpcore.ConnectError(f"{host} has no address")

    def left(self, timeout: float | None = None) -> float:
        """Seconds that remain, at most `timeout`. Raises `httpcore.ReadTimeout` where none does."""
        remain = self._end - time.monotonic()
        if remain <= 0:
            raise httpcore.ReadTimeout("out of time")
        return remain if timeout is None else min(timeout, remain)

    def _checked(self, host: str, port: int) -> list[str]:
        addresses = self._addresses(host, port)
        for address in addresses:
            if not is_public(ipaddress.ip_address(address)) and (address, port) not in self._permit:
                raise Invalid(
                    "url",
                    f"{host} is at {address}, which is not public: pages are read from the open internet only."
                    " Save the page with your browser, and import the file",
                )
        return addresses

    def _addresses(self, host: str, port: int) -> list[str]:
        # In a thread of its own, because a system's resolver knows no time limit.
        answer: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answer.put(self._resolve(host, port))
            except (OSError, UnicodeError) as error:
                answer.put(error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, str(error)))

        threading.Thread(target=ask, name="resolve", daemon=True).start()
        try:
            found = answer.get(timeout=self.left())
        except queue.Empty:
            raise RemoteFailed(f"{host}: its name could not be resolved in time") from None
        if isinstance(found, socket.gaierror) and found.errno != socket.EAI_AGAIN:
            raise Invalid("url", f"there is no {host}: check how it is spelt")
        if isinstance(found, OSError):
            raise RemoteFailed(f"{host}: its name could not be resolved: {found.strerror}")
        return found


class _Timed(httpcore.NetworkStream):
    """A connection whose every wait ends when the time for all of them is up."""

    def __init__(self, inner: httpcore.NetworkStream, left: Callable[[float | None], float]) -> None:
        self._inner, self._left = inner, left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Timed(self._inner.start_tls(ssl_context, server_hostname, self._left(timeout)), self._left)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
