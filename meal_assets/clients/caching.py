"""Answers kept for a while in the database, so that every process and machine has them; hishel decides when to ask."""

from collections.abc import Iterator
from datetime import timedelta
from typing import cast
from uuid import UUID

import hishel

from .remote import Shared

MOST_ENTRIES = 20_000
"""Of one remote; the ones that expire first go first."""
MAX_BODY = 4 * 1024 * 1024
"""Bytes; a longer answer is not kept."""


class SharedStorage(hishel.BaseStorage):
    """hishel's storage in `log.http_cache`. Of a request nothing is kept but its key, of the headers only the type."""

    def __init__(self, shared: Shared, remote: str, *, ttl: float) -> None:
        super().__init__(default_ttl=ttl, max_stream_size=MAX_BODY)
        self._shared, self._remote = shared, remote

    def create_entry(
        self,
        request: hishel.Request,
        response: hishel.Response,
        key: str,
        *,
        ttl: float | None = None,
        tti: float | None = None,  # noqa: ARG002  # hishel's signature; nothing here lives by its use
    ) -> hishel.Entry:
        body = b"".join(cast(Iterator[bytes], response.stream or iter(())))
        kept = hishel.Response(response.status_code, response.headers, iter([body]))
        if len(body) <= MAX_BODY:
            self._keep(key, response, body, ttl if ttl is not None else self.default_ttl or 0.0)
        return hishel.Entry(UUID(int=0), request, kept)

    def get_entries(self, key: str) -> list[hishel.Entry]:
        with self._shared.transaction() as db:
            rows = db.execute(
                "SELECT status, content_type, body FROM log.http_cache"
                " WHERE remote = %s AND key = %s AND expires_at > now()",
                (self._remote, key),
            ).fetchall()
        request = hishel.Request("GET", "")
        return [hishel.Entry(UUID(int=0), request, _response(*row)) for row in rows]

    def update_headers(self, id: UUID, headers: hishel.Headers) -> None:
        """Nothing to do: entries are never revalidated."""

    def remove_entry(self, id: UUID) -> None:
        """Nothing to do: entries expire."""

    def _keep(self, key: str, response: hishel.Response, body: bytes, ttl: float) -> None:
        with self._shared.transaction() as db:
            db.execute(
                "INSERT INTO log.http_cache VALUES (%s, %s, %s, %s, %s, now() + %s)"
                " ON CONFLICT (remote, key) DO UPDATE SET status = excluded.status, body = excluded.body,"
                " content_type = excluded.content_type, expires_at = excluded.expires_at",
                (
                    self._remote,
                    key,
                    response.status_code,
                    response.headers.get("content-type", ""),
                    body,
                    timedelta(seconds=ttl),
                ),
            )
            db.execute(
                "DELETE FROM log.http_cache WHERE remote = %(remote)s AND (expires_at <= now() OR expires_at < ("
                " SELECT expires_at FROM log.http_cache WHERE remote = %(remote)s"
                " ORDER BY expires_at DESC OFFSET %(most)s LIMIT 1))",
                {"remote": self._remote, "most": MOST_ENTRIES - 1},
            )


def drop_expired(shared: Shared) -> None:
    """Answers go by themselves when others come; this is for where none come, and they may not be kept for longer."""
    with shared.transaction() as db:
        db.execute("DELETE FROM log.http_cache WHERE expires_at <= now()")


def _response(status: int, content_type: str, body: bytes) -> hishel.Response:
    return hishel.Response(status, hishel.Headers({"content-type": content_type}), iter([bytes(body)]))
