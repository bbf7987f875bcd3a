"""One queue's subscription on RabbitMQ, on a channel of its own, kept alive until it is stopped.

A channel per partition is what keeps order in a graceful stop. Cancelling a subscription would hand the next messages of a
conversation to another replica while this one still has earlier ones; closing its channel first puts all that is un-acked back
at the head of the queue.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

import aio_pika
import aiormq
import aiormq.abc
import structlog

from common.errors import NotFound, PylotoError
from gateway import broker_rabbitmq_wire as wire
from gateway.broker import NO_PARTITION, Delivery
from gateway.broker_rabbitmq_wire import our_errors
from gateway.topology import PRIORITY_TAKEOVER_SINCE, priority

_log = structlog.get_logger("broker")

# How long one exchange of frames with the broker may take, where the caller gives no time.
RPC_TIMEOUT_S = 10.0
RETRY_S = 0.2


class Client(Protocol):
    """What a subscription needs of the client that it belongs to."""

    @property
    def paused(self) -> bool:
        """A graceful stop has begun."""

    async def connection(self) -> aio_pika.abc.AbstractConnection:
        """The live connection; waits while there is none."""

    async def redeclare(self) -> None:
        """Restore a queue that is missing."""


class Subscription:
    """One queue on a channel of its own; opened again after every loss until it is stopped."""

    def __init__(
        self,
        queue: str,
        *,
        partition: int = NO_PARTITION,
        prefetch: int,
        delay_s: float = 0.0,
        replica: str = "",
        on_delivery: Callable[[Delivery], None],
        on_lost: Callable[[], None],
    ) -> None:
        self.queue = queue
        self.partition = partition
        self.subscribed = asyncio.Event()
        self._prefetch = prefetch
        self._delay_s = delay_s
        self._replica = replica
        self._on_delivery = on_delivery
        self._on_lost = on_lost
        self._channel: aiormq.Channel | None = None
        self._stopped = False

    async def keep(self, client: Client) -> None:
        """Subscribe, wait until that is lost, say so, and begin again unless the client is about to stop."""
        while not client.paused:
            connection = await client.connection()
            await asyncio.sleep(self._delay_s)
            try:
                lost = await self._open(connection)
            except PylotoError as error:
                _log.warning("subscription failed", queue=self.queue, error=str(error))
                await self._close_channel()
                await asyncio.sleep(RETRY_S)
                if isinstance(error, NotFound):
                    await client.redeclare()
                continue
            self.subscribed.set()
            await lost.wait()
            self.subscribed.clear()
            self._on_lost()
            _log.warning("subscription lost", queue=self.queue)
            await self._close_channel()

    async def close(self) -> None:
        """Close the channel: what is un-acked goes back to the head of the queue, in order."""
        self._stopped = True
        await self._close_channel()

    async def _open(self, connection: aio_pika.abc.AbstractConnection) -> asyncio.Event:
        lost = asyncio.Event()
        arguments: dict[str, int] = {}
        if self.partition != NO_PARTITION and wire.server_version(connection) >= PRIORITY_TAKEOVER_SINCE:
            arguments["x-priority"] = priority(self.partition, self._replica)
        with our_errors(f"subscribe to {self.queue!r}"):
            async with asyncio.timeout(RPC_TIMEOUT_S):
                channel = self._channel = await wire.open_channel(connection)
                channel.closing.add_done_callback(lambda _: lost.set())
                channel.on_consumer_cancel_callbacks.add(lambda _: lost.set())
                await channel.basic_qos(prefetch_count=self._prefetch)
                await channel.basic_consume(self.queue, self._receive, arguments=dict(arguments))
        return lost

    async def _receive(self, message: aiormq.abc.DeliveredMessage) -> None:
        if message.channel is self._channel and not self._stopped:
            self._on_delivery(wire.delivery(message, self.partition))

    async def _close_channel(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            with contextlib.suppress(PylotoError), our_errors("close a channel"):
                await channel.close(timeout=RPC_TIMEOUT_S)
