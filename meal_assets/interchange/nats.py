"""NATS JetStream as a broker: a stream that keeps `meals.>` and drops a message id that it has seen."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from meal_assets.errors import Permanent, Transient, Unavailable
from meal_assets.event_store.database import without_password

try:
    import nats as client
    from nats.errors import Error as NatsError
    from nats.errors import MaxPayloadError
    from nats.js.api import StreamConfig
    from nats.js.errors import NotFoundError
except ImportError as error:
    raise Unavailable("NATS needs nats-py: pip install meal-assets[nats]") from error

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js import JetStreamContext

STREAM = "MEALS"
SUBJECTS = "meals.>"
DUPLICATES_SECONDS = 3_600.0
"""How long a new stream remembers message ids; it keeps them in memory."""
CONNECT_SECONDS = 2
ACKNOWLEDGE_SECONDS = 5.0
CALL_SECONDS = 30.0
"""A bound for anything we wait for; each step has its own, shorter one."""

T = TypeVar("T")


class Nats:
    """Connects at the first message, and anew at the first one after an error. Its loop runs in a thread of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="nats", daemon=True)
        self._thread.start()
        self._connection: Client | None = None
        self._stream: JetStreamContext | None = None

    def publish(self, subject: str, body: bytes, message_id: str) -> None:
        try:
            self._run(self._publish(subject, body, message_id))
        except MaxPayloadError as error:
            raise Permanent(
                f"{subject} {message_id} has {len(body):,} bytes, the NATS server takes less: raise its max_payload"
            ) from error
        except (NatsError, OSError, TimeoutError) as error:
            self._run(self._disconnect())
            raise Transient(f"NATS at {without_password(self._url)}: {error or type(error).__name__}") from error

    def close(self) -> None:
        self._run(self._disconnect())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, doing: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(asyncio.wait_for(doing, CALL_SECONDS), self._loop).result()

    async def _publish(self, subject: str, body: bytes, message_id: str) -> None:
        if self._stream is None:
            self._stream = await self._connect()
        headers = {"Nats-Msg-Id": message_id, "content-type": "application/cloudevents+json"}
        await self._stream.publish(subject, body, timeout=ACKNOWLEDGE_SECONDS, headers=headers)

    async def _connect(self) -> "JetStreamContext":
        self._connection = await client.connect(
            self._url,
            connect_timeout=CONNECT_SECONDS,
            allow_reconnect=False,
            max_reconnect_attempts=1,  # 0 means for ever to this client, even for the first connection
            reconnect_time_wait=0,
            error_cb=_passed_on,
        )
        stream = self._connection.jetstream(timeout=ACKNOWLEDGE_SECONDS)
        try:
            await stream.stream_info(STREAM)
        except NotFoundError:
            await stream.add_stream(StreamConfig(name=STREAM, subjects=[SUBJECTS], duplicate_window=DUPLICATES_SECONDS))
        return stream

    async def _disconnect(self) -> None:
        connection, self._connection, self._stream = self._connection, None, None
        if connection is not None:
            await connection.close()


async def _passed_on(_error: Exception) -> None:
    """The client also raises what it tells here."""
