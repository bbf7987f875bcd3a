"""The broker inside one process: partitions, order, redelivery, limits and dead letters as RabbitMQ keeps them.

Nothing survives the process. Several clients on one hub behave like several replicas on one broker.
"""

import time
import zlib
from asyncio import get_running_loop
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from common.errors import BrokerUnavailable, NotFound
from gateway import dead_letters
from gateway.broker import NO_PARTITION, BrokerCounters, DeadLetter, Delivery, Publication, Reader
from gateway.topology import Queue, Topology, by_priority, topic_matches


@dataclass(slots=True, eq=False)
class _Message:
    publication: Publication
    delivery_count: int = 0


class _Consumer:
    """One subscription to one queue, with the messages that it has and did not acknowledge, in order."""

    def __init__(self, partition: int, prefetch: int, on_delivery: Callable[[Delivery], None]) -> None:
        self.partition = partition
        self.prefetch = prefetch
        self.on_delivery = on_delivery
        self.unacked: dict[int, _Message] = {}
        self.closed = False

    def deliver(self, delivery: Delivery) -> None:
        if not self.closed:
            self.on_delivery(delivery)


@dataclass(frozen=True, slots=True)
class _Tag:
    queue: "_MemoryQueue"
    consumer: _Consumer
    number: int


class _MemoryQueue:
    """Messages that wait, and consumers in the order in which they subscribed: with one active, that is the first."""

    def __init__(self, hub: "MemoryHub", spec: Queue) -> None:
        self._hub = hub
        self.spec = spec
        self.ready: deque[_Message] = deque()
        self.consumers: list[_Consumer] = []
        self._number = 0

    def require_room(self) -> None:
        if self.spec.max_length is not None and len(self.ready) >= self.spec.max_length and not self.spec.drop_oldest:
            raise BrokerUnavailable(f"queue {self.spec.name!r} is full ({self.spec.max_length} messages)")

    def put(self, publication: Publication) -> None:
        self.ready.append(_Message(publication))
        if self.spec.max_length is not None and len(self.ready) > self.spec.max_length:
            self.ready.popleft()
        self.dispatch()

    def dispatch(self) -> None:
        while self.ready and (consumer := self._consumer_with_room()) is not None:
            message = self.ready.popleft()
            self._number += 1
            consumer.unacked[self._number] = message
            # Later, as a network would: a publisher never runs a consumer's callback in its own call.
            get_running_loop().call_soon(consumer.deliver, self._delivery(message, consumer, self._number))

    def give_back(self, consumer: _Consumer) -> None:
        """The consumer is gone: its messages return to the head, in order, or die when they came back too often."""
        consumer.closed = True
        self.consumers.remove(consumer)
        alive = []
        for message in consumer.unacked.values():
            message.delivery_count += 1
            if self.spec.delivery_limit is not None and message.delivery_count > self.spec.delivery_limit:
                self._bury(message, consumer.partition)
            else:
                alive.append(message)
        consumer.unacked = {}
        self.ready.extendleft(reversed(alive))
        self.dispatch()

    def _consumer_with_room(self) -> _Consumer | None:
        candidates = self.consumers[:1] if self.spec.single_active else self.consumers
        free = [consumer for consumer in candidates if len(consumer.unacked) < consumer.prefetch]
        return min(free, key=lambda consumer: len(consumer.unacked), default=None)

    def _bury(self, message: _Message, partition: int) -> None:
        reason = dead_letters.DELIVERY_LIMIT_REASON
        marks = dead_letters.epitaph(reason, partition, message.delivery_count, datetime.now(UTC))
        headers = {**message.publication.headers, **marks}
        exchange = self.spec.dead_letter_exchange
        if exchange is not None:
            self._hub.route(replace(message.publication, exchange=exchange, headers=headers, mandatory=False))

    def _delivery(self, message: _Message, consumer: _Consumer, number: int) -> Delivery:
        publication = message.publication
        return Delivery(
            partition=consumer.partition,
            routing_key=publication.routing_key,
            body=publication.body,
            content_type=publication.content_type,
            headers=publication.headers,
            message_id=publication.message_id,
            redelivered=message.delivery_count > 0,
            delivery_count=message.delivery_count,
            received_at_s=time.monotonic(),
            tag=_Tag(self, consumer, number),
        )


class MemoryHub:
    """The broker itself: exchanges and queues that any number of MemoryBroker clients in this event loop share."""

    def __init__(self, topology: Topology | None = None) -> None:
        self.topology = topology or Topology()
        self.queues = {spec.name: _MemoryQueue(self, spec) for spec in self.topology.queues()}
        self._exchanges = {exchange.name for exchange in self.topology.exchanges()}
        self._readers: dict[Reader[Publication], tuple[str, str]] = {}

    def route(self, publication: Publication) -> None:
        """To every queue and reader that is bound; all of them take it or none does (BrokerUnavailable)."""
        if publication.exchange not in self._exchanges:
            raise BrokerUnavailable(f"there is no exchange {publication.exchange!r}")
        queues = self._queues_for(publication)
        readers = [
            reader
            for reader, (exchange, binding) in self._readers.items()
            if exchange == publication.exchange and topic_matches(binding, publication.routing_key)
        ]
        if publication.mandatory and not queues and not readers:
            raise BrokerUnavailable(f"no queue takes {publication.routing_key!r} from {publication.exchange!r}")
        for queue in queues:
            queue.require_room()
        for queue in queues:
            queue.put(publication)
        for reader in readers:
            reader.feed(publication)

    def subscribe(self, exchange: str, binding: str) -> Reader[Publication]:
        """Read a copy of what is published from now on."""
        if exchange not in self._exchanges:
            raise NotFound(f"there is no exchange {exchange!r}")

        async def unsubscribe() -> None:
            self._readers.pop(reader, None)

        reader: Reader[Publication] = Reader(unsubscribe)
        self._readers[reader] = (exchange, binding)
        return reader

    def _queues_for(self, publication: Publication) -> list[_MemoryQueue]:
        if publication.exchange == self.topology.inbound:
            partition = zlib.crc32(publication.routing_key.encode()) % self.topology.partitions
            return [self.queues[self.topology.partition_queue(partition)]]
        return [
            queue
            for queue in self.queues.values()
            if queue.spec.exchange == publication.exchange
            and (publication.exchange == self.topology.dead or topic_matches(queue.spec.binding, publication.routing_key))
        ]


class MemoryBroker:
    """A client of a hub: the `Broker` protocol without a network."""

    def __init__(self, hub: MemoryHub, *, replica: str = "embedded", prefetch: int = 32) -> None:
        self._hub = hub
        self._replica = replica
        self._prefetch = prefetch
        self._consumers: dict[_Consumer, _MemoryQueue] = {}
        self._readers: list[Reader[Publication]] = []
        self._counters = BrokerCounters()
        self._started = False
        self._paused = False

    @property
    def topology(self) -> Topology:
        """The hub's."""
        return self._hub.topology

    @property
    def counters(self) -> BrokerCounters:
        """Running totals of this client."""
        return self._counters

    @property
    def ready(self) -> bool:
        """Between `start` and `close`."""
        return self._started

    async def start(self) -> None:
        """Nothing to connect to."""
        self._started = True

    async def publish(self, publication: Publication, *, timeout_s: float) -> None:
        """Routed at once; see `Broker.publish`."""
        try:
            self._require_started()
            self._hub.route(publication)
        except BrokerUnavailable:
            self._counters.publish_failures += 1
            raise
        self._counters.published += 1

    async def consume(self, on_delivery: Callable[[Delivery], None], on_lost: Callable[[int], None] | None = None) -> None:
        """See `Broker.consume`. A partition is never lost here."""
        self._require_started()

        def unless_paused(delivery: Delivery) -> None:
            if not self._paused:
                on_delivery(delivery)

        for partition in by_priority(self.topology.partitions, self._replica):
            self._attach(self.topology.partition_queue(partition), partition, self._prefetch, unless_paused)

    async def ack(self, delivery: Delivery) -> None:
        """See `Broker.ack`."""
        tag = delivery.tag
        assert isinstance(tag, _Tag)
        if tag.consumer.unacked.pop(tag.number, None) is None:
            self._counters.late_acks += 1
            return
        self._counters.acked += 1
        tag.queue.dispatch()

    async def dead_letter(self, delivery: Delivery, reason: str) -> None:
        """See `Broker.dead_letter`."""
        self._hub.route(dead_letters.buried(delivery, reason, self.topology))
        self._counters.dead_lettered += 1
        await self.ack(delivery)

    async def pause(self) -> None:
        """See `Broker.pause`."""
        self._paused = True

    async def release(self, partition: int) -> None:
        """See `Broker.release`."""
        for consumer in [held for held in self._consumers if held.partition == partition]:
            self._detach(consumer)

    async def close(self) -> None:
        """See `Broker.close`."""
        self._started = False
        for consumer in list(self._consumers):
            self._detach(consumer)
        for reader in self._readers:
            await reader.close()

    async def dead_letters(self, limit: int) -> list[DeadLetter]:
        """See `Broker.dead_letters`."""
        waiting = self._hub.queues[self.topology.dead_letters].ready
        return [dead_letters.read(message.publication) for message in list(waiting)[:limit]]

    async def replay(self, dead_letter_id: str | None) -> int:
        """See `Broker.replay`."""
        queue = self._hub.queues[self.topology.dead_letters]
        chosen = [message for message in queue.ready if dead_letter_id in (None, dead_letters.read(message.publication).id)]
        for message in chosen:
            await self.publish(dead_letters.revived(message.publication, self.topology), timeout_s=1)
            queue.ready.remove(message)
        return len(chosen)

    async def discard(self, dead_letter_id: str) -> int:
        """See `Broker.discard`."""
        queue = self._hub.queues[self.topology.dead_letters]
        chosen = [message for message in queue.ready if dead_letters.read(message.publication).id == dead_letter_id]
        for message in chosen:
            queue.ready.remove(message)
        return len(chosen)

    async def subscribe(self, exchange: str, binding: str) -> Reader[Publication]:
        """See `Broker.subscribe`."""
        self._require_started()
        reader = self._hub.subscribe(exchange, binding)
        self._readers.append(reader)
        return reader

    async def consume_queue(self, queue: str, *, prefetch: int) -> Reader[Delivery]:
        """See `Broker.consume_queue`."""
        self._require_started()

        async def stop() -> None:
            self._detach(consumer)

        reader: Reader[Delivery] = Reader(stop)
        consumer = self._attach(queue, NO_PARTITION, prefetch, reader.feed)
        return reader

    async def depths(self) -> dict[str, int]:
        """See `Broker.depths`."""
        return {name: len(queue.ready) for name, queue in self._hub.queues.items()}

    def _attach(self, queue_name: str, partition: int, prefetch: int, on_delivery: Callable[[Delivery], None]) -> _Consumer:
        queue = self._hub.queues.get(queue_name)
        if queue is None:
            raise NotFound(f"there is no queue {queue_name!r}")
        consumer = _Consumer(partition, prefetch, on_delivery)
        self._consumers[consumer] = queue
        queue.consumers.append(consumer)
        queue.dispatch()
        return consumer

    def _detach(self, consumer: _Consumer) -> None:
        queue = self._consumers.pop(consumer, None)
        if queue is not None:
            queue.give_back(consumer)

    def _require_started(self) -> None:
        if not self._started:
            raise BrokerUnavailable("the broker client is not started, or closed")
