"""The broker on RabbitMQ: confirmed publishes, a channel per partition, and a supervisor that brings everything back.

The supervision is our own and not aio-pika's robust layer: it tells the consumer which deliveries have died with their channel,
subscribes in the order that shares partitions, and gives up single partitions in a graceful stop.
"""

import asyncio
import contextlib
import random
import sys
from collections.abc import AsyncIterator, Callable

import aio_pika
import aiormq
import aiormq.abc
import structlog
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from common.errors import BrokerUnavailable, InvalidSetting, PylotoError
from gateway import broker_rabbitmq_wire as wire
from gateway import dead_letters
from gateway.broker import BrokerCounters, DeadLetter, Delivery, Publication, Reader
from gateway.broker_rabbitmq_subscription import RETRY_S, RPC_TIMEOUT_S, Subscription
from gateway.broker_rabbitmq_wire import RabbitOptions, Tag, our_errors
from gateway.topology import Topology, by_priority

_log = structlog.get_logger("broker")

_DECLARE_TIMEOUT_S = 30.0
SPREAD_ADVICE = "rabbitmq-plugins enable rabbitmq_sharding keeps them where they are (docs/decisions/ordering.md)"
# A connection that held this long was a good one.
_SETTLED_S = 1.0


class RabbitBroker:
    """A client of RabbitMQ: the `Broker` protocol over one connection."""

    def __init__(self, options: RabbitOptions, topology: Topology | None = None) -> None:
        self._options = options
        self._topology = topology or Topology()
        self._counters = BrokerCounters()
        self._connection: aio_pika.abc.AbstractConnection | None = None
        self._connected = asyncio.Event()
        self._publisher: aiormq.Channel | None = None
        self._publisher_lock = asyncio.Lock()
        self._declare_lock = asyncio.Lock()
        self._supervisor: asyncio.Task[None] | None = None
        self._subscriptions: dict[Subscription, asyncio.Task[None]] = {}
        self._paused = False
        self._failure = "no answer"
        """What the last attempt to connect met."""
        self._steady = True

    @property
    def topology(self) -> Topology:
        """What `start` declares."""
        return self._topology

    @property
    def counters(self) -> BrokerCounters:
        """Running totals of this client."""
        return self._counters

    @property
    def ready(self) -> bool:
        """Connected, and the topology declared."""
        return self._connected.is_set()

    @property
    def paused(self) -> bool:
        """A graceful stop has begun: what is lost now is not taken up again."""
        return self._paused

    @property
    def steady(self) -> bool:
        """Whether conversations keep their partition over a restart of the broker, as far as `start` has seen."""
        return self._steady

    # ------------------------------------------------------------------------------------------ life

    async def start(self) -> None:
        """See `Broker.start`. Tries for `start_timeout_s`, since the broker may still be booting."""
        try:
            async with asyncio.timeout(self._options.start_timeout_s):
                lost = await self._connect_patiently(give_up_on=(InvalidSetting,))
        except TimeoutError as error:
            tried = f"tried for {self._options.start_timeout_s:g} s"
            raise BrokerUnavailable(f"RabbitMQ cannot be reached, {tried} ({self._failure})") from error
        self._supervisor = asyncio.create_task(self._supervise(lost), name="broker supervisor")

    async def close(self) -> None:
        """See `Broker.close`."""
        self._connected.clear()
        tasks = [*self._subscriptions.values(), *([self._supervisor] if self._supervisor is not None else [])]
        self._subscriptions.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._disconnect()

    async def connection(self) -> aio_pika.abc.AbstractConnection:
        """The live connection; waits while there is none."""
        while self._connection is None or not self._connected.is_set():
            await self._connected.wait()
        return self._connection

    async def redeclare(self) -> None:
        """Restore what somebody deleted on the broker."""
        async with self._declare_lock:
            try:
                await wire.declare(await self.connection(), self._topology, steady=self._steady)
            except PylotoError as error:
                _log.warning("the topology could not be restored", error=str(error))

    async def _connect(self) -> asyncio.Event:
        """Connect and declare; the event says when that connection is lost."""
        lost = asyncio.Event()
        connection = await wire.connect(self._options)
        connection.close_callbacks.add(lambda *_: lost.set())
        self._connection = connection
        try:
            with our_errors("declare the topology"):
                async with asyncio.timeout(_DECLARE_TIMEOUT_S):
                    await wire.declare(connection, self._topology, steady=self._steady)
        except wire.NoSteadySpread:
            _log.warning("after a restart of the broker conversations change partitions", advice=SPREAD_ADVICE)
            self._steady = False
            await self._disconnect()
            return await self._connect()
        except BaseException:
            await self._disconnect()
            raise
        self._connected.set()
        return lost

    async def _supervise(self, lost: asyncio.Event) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            connected_at_s = clock()
            await lost.wait()
            self._connected.clear()
            self._counters.connections_lost += 1
            _log.warning("connection to RabbitMQ lost")
            await self._disconnect()
            if clock() - connected_at_s < _SETTLED_S:
                # A broker that takes connections and drops them at once is not well: do not press it.
                await asyncio.sleep(self._options.reconnect_max_s)
            lost = await self._connect_patiently()
            _log.info("connected to RabbitMQ again")

    async def _connect_patiently(self, give_up_on: tuple[type[PylotoError], ...] = ()) -> asyncio.Event:
        pause_s = RETRY_S
        while True:
            try:
                return await self._connect()
            except give_up_on:
                raise
            except PylotoError as error:
                self._failure = str(error)
                _log.warning("RabbitMQ does not answer", error=self._failure)
            # Not in step with the other replicas.
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311
            pause_s = min(pause_s * 2, self._options.reconnect_max_s)

    async def _disconnect(self) -> None:
        connection, self._connection, self._publisher = self._connection, None, None
        if connection is not None:
            with contextlib.suppress(PylotoError), our_errors("close the connection"):
                async with asyncio.timeout(self._options.connect_timeout_s):
                    await connection.close()

    # ------------------------------------------------------------------------------------------ publish

    async def publish(self, publication: Publication, *, timeout_s: float) -> None:
        """See `Broker.publish`. Any number may be in flight: each waits for its own confirm only."""
        try:
            with our_errors(f"publish to {publication.exchange!r}"):
                async with asyncio.timeout(timeout_s):
                    channel = await self._publish_channel()
                    await channel.basic_publish(
                        publication.body,
                        exchange=publication.exchange,
                        routing_key=publication.routing_key,
                        properties=wire.properties(publication),
                        mandatory=publication.mandatory,
                        wait=False,
                    )
        except PylotoError as error:
            self._counters.publish_failures += 1
            if isinstance(error, BrokerUnavailable):
                raise
            raise BrokerUnavailable(str(error)) from error
        self._counters.published += 1

    async def _publish_channel(self) -> aiormq.Channel:
        channel = self._publisher
        if channel is not None and not channel.is_closed:
            return channel
        async with self._publisher_lock:
            if self._publisher is None or self._publisher.is_closed:
                self._publisher = await wire.open_channel(await self.connection(), confirms=True)
            return self._publisher

    # ------------------------------------------------------------------------------------------ consume

    async def consume(self, on_delivery: Callable[[Delivery], None], on_lost: Callable[[int], None] | None = None) -> None:
        """See `Broker.consume`."""

        def unless_paused(delivery: Delivery) -> None:
            if not self._paused:
                on_delivery(delivery)

        def losing(partition: int) -> Callable[[], None]:
            return lambda: on_lost(partition) if on_lost is not None else None

        wanted = by_priority(self._topology.partitions, self._options.replica)
        opened = [
            self._subscribe(
                Subscription(
                    self._topology.partition_queue(partition),
                    partition=partition,
                    prefetch=self._options.prefetch,
                    delay_s=rank * self._options.subscribe_pause_s,
                    replica=self._options.replica,
                    on_delivery=unless_paused,
                    on_lost=losing(partition),
                )
            )
            for rank, partition in enumerate(wanted)
        ]
        with our_errors("subscribe to the partitions"):
            async with asyncio.timeout(self._options.start_timeout_s):
                for subscription in opened:
                    await subscription.subscribed.wait()

    async def ack(self, delivery: Delivery) -> None:
        """See `Broker.ack`."""
        tag = delivery.tag
        assert isinstance(tag, Tag)
        if not tag.settled:
            tag.settled = True
            try:
                async with asyncio.timeout(RPC_TIMEOUT_S):
                    await tag.channel.basic_ack(tag.number, wait=False)
                self._counters.acked += 1
            except (*CONNECTION_EXCEPTIONS, TimeoutError) as error:
                _log.debug("late ack: the message will come again", partition=delivery.partition, error=repr(error))
            else:
                return
        self._counters.late_acks += 1

    async def dead_letter(self, delivery: Delivery, reason: str) -> None:
        """See `Broker.dead_letter`."""
        await self.publish(dead_letters.buried(delivery, reason, self._topology), timeout_s=RPC_TIMEOUT_S)
        self._counters.dead_lettered += 1
        await self.ack(delivery)

    async def pause(self) -> None:
        """See `Broker.pause`."""
        self._paused = True

    async def release(self, partition: int) -> None:
        """See `Broker.release`."""
        for subscription in [each for each in self._subscriptions if each.partition == partition]:
            await self._unsubscribe(subscription)

    async def consume_queue(self, queue: str, *, prefetch: int) -> Reader[Delivery]:
        """See `Broker.consume_queue`."""

        async def stop() -> None:
            await self._unsubscribe(subscription)

        reader: Reader[Delivery] = Reader(stop)
        subscription = self._subscribe(Subscription(queue, prefetch=prefetch, on_delivery=reader.feed, on_lost=reader.forget))
        with our_errors(f"subscribe to {queue!r}"):
            async with asyncio.timeout(self._options.start_timeout_s):
                await subscription.subscribed.wait()
        return reader

    async def subscribe(self, exchange: str, binding: str) -> Reader[Publication]:
        """See `Broker.subscribe`."""

        async def read(message: aiormq.abc.DeliveredMessage) -> None:
            reader.feed(wire.publication(message, self._topology))

        with our_errors(f"subscribe to {exchange!r}"):
            async with asyncio.timeout(RPC_TIMEOUT_S):
                channel = await wire.open_channel(await self.connection())
                reader: Reader[Publication] = Reader(channel.close)
                declared = await channel.queue_declare("", exclusive=True, auto_delete=True)
                queue = declared.queue or ""
                await channel.queue_bind(queue, exchange, binding)
                channel.closing.add_done_callback(
                    lambda _: reader.fail(BrokerUnavailable(f"the subscription to {exchange!r} was lost"))
                )
                await channel.basic_consume(queue, read, no_ack=True)
        return reader

    def _subscribe(self, subscription: Subscription) -> Subscription:
        self._subscriptions[subscription] = asyncio.create_task(
            subscription.keep(self), name=f"subscription {subscription.queue}"
        )
        return subscription

    async def _unsubscribe(self, subscription: Subscription) -> None:
        task = self._subscriptions.pop(subscription, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await subscription.close()

    # ------------------------------------------------------------------------------------------ look after

    async def dead_letters(self, limit: int) -> list[DeadLetter]:
        """See `Broker.dead_letters`. They are taken and, when the channel closes, put back."""
        async with self._inspection() as channel:
            return [dead_letters.read(letter) async for letter, _ in self._take(channel, limit)]

    async def replay(self, dead_letter_id: str | None) -> int:
        """See `Broker.replay`."""
        replayed = 0
        async with self._inspection() as channel:
            async for letter, number in self._take(channel, None):
                if dead_letter_id in (None, dead_letters.read(letter).id):
                    await self.publish(dead_letters.revived(letter, self._topology), timeout_s=RPC_TIMEOUT_S)
                    await channel.basic_ack(number)
                    replayed += 1
        return replayed

    async def discard(self, dead_letter_id: str) -> int:
        """See `Broker.discard`."""
        discarded = 0
        async with self._inspection() as channel:
            async for letter, number in self._take(channel, None):
                if dead_letters.read(letter).id == dead_letter_id:
                    await channel.basic_ack(number)
                    discarded += 1
        return discarded

    async def depths(self) -> dict[str, int]:
        """See `Broker.depths`."""
        depths = {}
        async with self._inspection() as channel:
            for queue in self._topology.queues():
                declared = await channel.queue_declare(queue.name, passive=True, timeout=RPC_TIMEOUT_S)
                depths[queue.name] = declared.message_count or 0
        return depths

    @contextlib.asynccontextmanager
    async def _inspection(self) -> AsyncIterator[aiormq.Channel]:
        with our_errors("look into the queues"):
            async with asyncio.timeout(RPC_TIMEOUT_S):
                channel = await wire.open_channel(await self.connection())
            try:
                yield channel
            finally:
                await channel.close(timeout=RPC_TIMEOUT_S)

    async def _take(self, channel: aiormq.Channel, limit: int | None) -> AsyncIterator[tuple[Publication, int]]:
        """The dead letters that are there now, each with its delivery tag; one that dies again meanwhile is not taken again."""
        left = limit if limit is not None else sys.maxsize
        while left > 0:
            message = await channel.basic_get(self._topology.dead_letters, timeout=RPC_TIMEOUT_S)
            if message.delivery_tag is None:
                return
            left = min(left - 1, message.message_count or 0)
            yield wire.publication(message, self._topology), message.delivery_tag
