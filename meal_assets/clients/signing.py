"""Who is calling: put on each attempt anew, because a signature holds a time and a number that is used once."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import httpx
from oauthlib.oauth1 import SIGNATURE_TYPE_BODY, SIGNATURE_TYPE_QUERY, Client

from meal_assets.errors import RemoteRefused

FORM = "application/x-www-form-urlencoded"
EARLIER = 60.0
"""Seconds before its end at which a token is replaced."""

Sign = Callable[[httpx.Request], httpx.Request]


class Signed(httpx.BaseTransport):
    """Signs what goes through."""

    def __init__(self, inner: httpx.BaseTransport, sign: Sign) -> None:
        self._inner, self._sign = inner, sign

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._inner.handle_request(self._sign(request))

    def close(self) -> None:
        self._inner.close()


class OAuth1:
    """RFC 5849 with HMAC-SHA1; the parameters go into the query, or into the form of a POST or PUT."""

    def __init__(self, key: str, secret: str, token: str | None = None, token_secret: str | None = None, **more: Any):
        self._given = {
            "client_key": key,
            "client_secret": secret,
            "resource_owner_key": token,
            "resource_owner_secret": token_secret,
            **more,
        }

    def __call__(self, request: httpx.Request) -> httpx.Request:
        in_form = request.method in ("POST", "PUT")
        place = SIGNATURE_TYPE_BODY if in_form else SIGNATURE_TYPE_QUERY
        client = Client(**self._given, signature_type=place)
        form = request.content.decode() if in_form else None
        headers = {"Content-Type": FORM} if in_form else {}
        url, _, body = client.sign(str(request.url), request.method, form, headers)
        if not in_form:
            return httpx.Request(request.method, url, headers=request.headers, extensions=request.extensions)
        kept = {k: v for k, v in request.headers.items() if k not in ("content-length", "content-type")}
        return httpx.Request(
            request.method,
            url,
            headers=kept,
            data=dict(parse_qsl(body or "", keep_blank_values=True)),
            extensions=request.extensions,
        )


class ClientCredentials:
    """An OAuth 2 token of the program itself (RFC 6749 §4.4), fetched when it is needed and kept in memory."""

    def __init__(self, web: httpx.Client, address: str, key: str, secret: str, scope: str) -> None:
        self._web, self._address, self._basic, self._scope = web, address, (key, secret), scope
        self._token, self._until = "", 0.0

    def __call__(self, request: httpx.Request) -> httpx.Request:
        if time.monotonic() >= self._until:
            self._fetch()
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def forget(self) -> None:
        """It was refused: the next attempt fetches another."""
        self._until = 0.0

    def _fetch(self) -> None:
        form = {"grant_type": "client_credentials", "scope": self._scope}
        response = self._web.post(self._address, data=form, auth=self._basic, extensions={"repeatable": True})
        told = response.json() if response.is_success else {}
        if "access_token" not in told:
            raise RemoteRefused(
                f"no token for the scope {self._scope!r}: HTTP {response.status_code}. Are key and secret right, and is"
                " this machine's address on the list of allowed ones?",
                response.status_code,
            )
        self._token = str(told["access_token"])
        self._until = time.monotonic() + float(told.get("expires_in", 0)) - EARLIER
