"""A web page fetched on somebody's word: from public addresses only, bounded in redirects, bytes and seconds."""

import ssl
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import httpcore
import httpx

from meal_assets.errors import Invalid, RemoteFailed, RemoteRefused

from .public import Permit, PublicOnly, Resolve, resolve
from .remote import TOO_BUSY

MAX_REDIRECTS = 5
MAX_BYTES = 8 * 1024 * 1024
"""Of a page, unpacked. The longest recipe pages are near 2 MiB."""
ALL_SECONDS = 30.0
SILENT_SECONDS = 10.0
"""How long it may be silent in the middle of an answer."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
HTML = ("text/html", "application/xhtml+xml")
JSON = ("application/ld+json", "application/json")
SAVE_IT = "Save the page with your browser, and import the file"
HEADERS = {
    "Accept": ", ".join((*HTML, *JSON)),
    "Accept-Encoding": "gzip",
    "User-Agent": "meal_assets (+https://pypi.org/project/meal-assets)",
    "Connection": "close",
}


@dataclass(frozen=True, slots=True)
class Page:
    """`url`: where it was found in the end. `content_type`: as the server says it, with its encoding."""

    url: str
    content: bytes
    content_type: str


class Pages:
    """Fetches pages. `permit`, `resolve` and `verify` are for tests, which serve pages themselves."""

    def __init__(
        self,
        *,
        permit: Collection[Permit] = (),
        resolve: Resolve = resolve,
        verify: ssl.SSLContext | None = None,
        seconds: float = ALL_SECONDS,
    ) -> None:
        self._permit, self._resolve, self._verify, self._seconds = permit, resolve, verify, seconds

    def get(self, address: str) -> Page:
        """The page, after at most five redirects, each checked as the first address was.

        Raises `Invalid` for an address or an answer that is not taken, `RemoteRefused` where the server says no, and
        `RemoteFailed` where another attempt may succeed.
        """
        url = checked_address(address)
        context = self._verify or httpx.create_ssl_context(trust_env=False)
        backend = PublicOnly(self._seconds, permit=self._permit, resolve=self._resolve)
        for _ in range(MAX_REDIRECTS + 1):
            there = self._once(url, backend, context)
            if isinstance(there, Page):
                return there
            url = there
        raise Invalid("url", f"{shown(checked_address(address))} is passed on more than {MAX_REDIRECTS} times")

    def _once(self, url: httpx.URL, backend: PublicOnly, context: ssl.SSLContext) -> Page | httpx.URL:
        """The page, or where it has gone."""
        waits = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), SILENT_SECONDS)}
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        headers = [(b"Host", url.netloc), *((k.encode(), v.encode()) for k, v in HEADERS.items())]
        try:
            with (
                httpcore.ConnectionPool(context, network_backend=backend) as pool,
                pool.stream("GET", target, headers=headers, extensions=waits) as answer,
            ):
                head = httpx.Headers(answer.headers)
                if answer.status in REDIRECTS and "location" in head:
                    return _moved(url, head["location"])
                _refuse_bad_status(url, answer.status)
                kind = _kind(url, head)
                body = bytearray()
                for part in _unpacked(url, answer.iter_stream(), head):
                    body += part
                    if len(body) > MAX_BYTES:
                        raise Invalid("url", f"{shown(url)} holds more than {MAX_BYTES:,} bytes. {SAVE_IT}")
                    backend.left()
                return Page(str(url), bytes(body), kind)
        except httpcore.TimeoutException as error:
            limit = f"not through after {self._seconds:g} s, or silent for {SILENT_SECONDS:g} s"
            raise RemoteFailed(f"{shown(url)}: {limit}") from error
        except (httpcore.ProtocolError, httpcore.NetworkError) as error:
            raise _failed(url, error) from error


def checked_address(address: str) -> httpx.URL:
    """What may be fetched at all. Raises `Invalid`, without what stands in the address that may be secret."""
    try:
        url = httpx.URL(address.strip())
        host = url.host
    except (httpx.InvalidURL, UnicodeError, ValueError):
        raise Invalid("url", "is not the address of a page, as https://example.org/soup") from None
    if url.scheme not in ("http", "https") or not host:
        raise Invalid("url", f"{url.scheme or 'nothing'}:// is not fetched: give an address with http:// or https://")
    if url.userinfo or "@" in url.netloc.decode("ascii", "replace"):
        raise Invalid("url", f"the address of {host} holds a name or a password, which is not sent. {SAVE_IT}")
    return url.copy_with(fragment=None)


def shown(url: httpx.URL) -> str:
    """The address without its query, where keys and tokens may be."""
    return str(url.copy_with(query=None, fragment=None))


def _moved(url: httpx.URL, location: str) -> httpx.URL:
    try:
        return checked_address(str(url.join(location)))
    except (httpx.InvalidURL, UnicodeError, ValueError):
        raise Invalid("url", f"{shown(url)} is passed on to what is no address") from None
    except Invalid as error:
        raise Invalid("url", f"{shown(url)} is passed on to what is not fetched: {error.reason}") from None


def _refuse_bad_status(url: httpx.URL, status: int) -> None:
    if status == 200:
        return
    said = f"{shown(url)} answered with HTTP {status}"
    if status >= 500 or status in TOO_BUSY:
        raise RemoteFailed(said)
    hint = {401: SAVE_IT, 403: SAVE_IT, 451: SAVE_IT}.get(status, "Look at it with your browser")
    raise RemoteRefused(f"{said}. {hint}", status)


def _kind(url: httpx.URL, head: Mapping[str, str]) -> str:
    said = head.get("content-type", "")
    kind = said.partition(";")[0].strip().lower()
    if kind not in (*HTML, *JSON):
        raise Invalid("url", f"{shown(url)} is {kind or 'of no known type'}: only HTML pages and JSON-LD are read")
    return said


def _unpacked(url: httpx.URL, parts: Iterator[bytes], head: Mapping[str, str]) -> Iterator[bytes]:
    """The parts, unpacked by a bounded step at a time: a small packed part may hold gigabytes."""
    coding = head.get("content-encoding", "identity").strip().lower()
    if coding == "identity":
        yield from parts
        return
    if coding not in ("gzip", "x-gzip"):
        raise Invalid("url", f"{shown(url)} is packed by {coding[:32]}, which was not asked for. {SAVE_IT}")
    packer = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        for part in parts:
            rest = part
            while rest and not packer.eof:
                yield packer.decompress(rest, MAX_BYTES)
                rest = packer.unconsumed_tail
    except zlib.error as error:
        raise RemoteFailed(f"{shown(url)} sent what cannot be unpacked: {error}") from error
    if not packer.eof:
        raise RemoteFailed(f"{shown(url)} broke off in the middle")


def _failed(url: httpx.URL, error: Exception) -> RemoteFailed | Invalid:
    cause = error.__cause__ or error.__context__
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Invalid("url", f"{url.host} cannot prove that it is {url.host}: {cause.verify_message}")
    return RemoteFailed(f"{shown(url)}: {type(error).__name__}: {error}")
