"""What the gateway, the adapters and the CLI ask of a message broker; `broker_rabbitmq` and `broker_memory` keep it alike.

The promises, which `tests/contracts/test_broker.py` checks on both:
- a publish returns only when the broker has it safe, or raises BrokerUnavailable;
- the messages of one partition arrive in order, and only one client has a partition at a time;
- what is not acknowledged comes again, in order, before anything newer, to whoever has the partition next;
- a message that keeps coming back ends in the dead letters with the reason, and is never dropped.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

from common.errors import BrokerUnavailable
from gateway.topology import Topology

# The partition of a delivery that came from a named queue.
NO_PARTITION = -1

Headers = Mapping[str, str | int]


@dataclass(frozen=True, slots=True, eq=False)
class Delivery:
    """One message as it arrived. It is an event: compared by identity, acknowledged once.

    `partition` is NO_PARTITION on a named queue. `delivery_count` counts earlier deliveries that came back, from 0.
    `received_at_s` is on the monotonic clock. `tag` belongs to the broker: it dies with the channel it came on.
    """

    partition: int
    routing_key: str
    body: bytes
    content_type: str
    headers: Headers
    message_id: str
    redelivered: bool
    delivery_count: int
    received_at_s: float
    tag: object = field(repr=False)


@dataclass(frozen=True, slots=True)
class Publication:
    """One message to send. `mandatory`: that no queue takes it is an error."""

    exchange: str
    routing_key: str
    body: bytes
    content_type: str
    message_id: str
    headers: Headers = field(default_factory=dict)
    mandatory: bool = True


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that could not be handled. `id` names it for `show` and `replay`; equal letters share one.

    `partition` is None when it did not come from an inbound queue. `delivery_count` is of its last life.
    """

    id: str
    reason: str
    partition: int | None
    routing_key: str
    body: bytes
    content_type: str
    headers: Headers
    message_id: str
    dead_at: datetime
    delivery_count: int


@dataclass(slots=True)
class BrokerCounters:
    """What a client has seen since it started, for the metrics."""

    published: int = 0
    publish_failures: int = 0
    acked: int = 0
    late_acks: int = 0
    dead_lettered: int = 0
    connections_lost: int = 0


T = TypeVar("T")


class Reader(Generic[T]):
    """What arrives for one reader: iterate over it, or ask for the `next` one. Closing it ends the iteration."""

    def __init__(self, on_close: Callable[[], Awaitable[None]]) -> None:
        self._on_close = on_close
        self._arrived: asyncio.Queue[T | None] = asyncio.Queue()
        self._closed = False
        self._failure: BrokerUnavailable | None = None

    def feed(self, item: T) -> None:
        """The broker hands over what arrived."""
        if not self._closed:
            self._arrived.put_nowait(item)

    def fail(self, failure: BrokerUnavailable) -> None:
        """The broker can give no more: what has arrived is still read, then the failure is raised."""
        if not self._closed:
            self._failure = failure
            self._arrived.put_nowait(None)

    def forget(self) -> None:
        """What has arrived and was not read yet is void: it will come again."""
        while not self._arrived.empty():
            self._arrived.get_nowait()

    async def next(self, *, timeout_s: float) -> T:
        """The next item; TimeoutError when none arrives in time."""
        async with asyncio.timeout(timeout_s):
            try:
                return await anext(self)
            except StopAsyncIteration:
                raise BrokerUnavailable("the reader is closed") from None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        item = await self._arrived.get()
        if item is not None:
            return item
        self._arrived.put_nowait(None)
        if self._failure is not None:
            raise self._failure
        raise StopAsyncIteration

    async def close(self) -> None:
        """Stop reading. What was not acknowledged goes back to its queue."""
        if not self._closed:
            self._closed = True
            self._arrived.put_nowait(None)
            await self._on_close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class Broker(Protocol):
    """A client of the broker. One event loop; every call may be made concurrently with any other."""

    @property
    def topology(self) -> Topology:
        """The names and arguments that `start` declares."""

    @property
    def counters(self) -> BrokerCounters:
        """Running totals."""

    @property
    def ready(self) -> bool:
        """Whether a publish would go out now: what a health check asks."""

    async def start(self) -> None:
        """Connect and declare the topology. BrokerUnavailable, or InvalidSetting where waiting cannot help."""

    async def publish(self, publication: Publication, *, timeout_s: float) -> None:
        """Return once the broker has confirmed it.

        BrokerUnavailable when it is refused (queue full), unroutable though mandatory, or not confirmed in time. In the
        last case it may still have arrived: repeat it with the same message id.
        """

    async def consume(self, on_delivery: Callable[[Delivery], None], on_lost: Callable[[int], None] | None = None) -> None:
        """Subscribe to every partition; returns when subscribed. Both callbacks are synchronous and cheap.

        `on_lost(partition)`: its unacknowledged deliveries can no longer be acknowledged and will come again, here or
        elsewhere. Forget those that have not been started; let started turns finish, their acknowledgement does nothing.
        """

    async def ack(self, delivery: Delivery) -> None:
        """The message is done. On a lost channel nothing happens: it will come again (counted as a late ack)."""

    async def dead_letter(self, delivery: Delivery, reason: str) -> None:
        """Move it to the dead letters, confirmed, and acknowledge it. BrokerUnavailable: it is still ours, un-acked."""

    async def pause(self) -> None:
        """First step of a graceful stop: no more `on_delivery`. What comes in from now on is held, un-acked.

        The subscriptions stay: cancelling them would let the next replica get newer messages of a conversation while a turn
        of it is running here. Wait for the running turns of a partition, ack them, then `release` it.
        """

    async def release(self, partition: int) -> None:
        """Last step of a graceful stop: give the partition up. What is un-acked goes back to the head, in order."""

    async def close(self) -> None:
        """Give everything up at once. What is un-acked goes back."""

    async def dead_letters(self, limit: int) -> list[DeadLetter]:
        """The oldest dead letters, at most `limit`, without removing them."""

    async def replay(self, dead_letter_id: str | None) -> int:
        """Publish dead letters to the inbound exchange again, then remove them: those with this id, or all for None.

        Returns how many. BrokerUnavailable in the middle: those not yet confirmed are still dead letters.
        """

    async def discard(self, dead_letter_id: str) -> int:
        """Remove the dead letters with this id, for ever; how many."""

    async def subscribe(self, exchange: str, binding: str) -> Reader[Publication]:
        """Read a copy of what is published from now on (a temporary queue; the topic `binding` may hold `*`, `#`).

        The reader raises BrokerUnavailable when the connection is lost, since there may be a gap.
        """

    async def consume_queue(self, queue: str, *, prefetch: int) -> Reader[Delivery]:
        """Read a durable queue; `ack` each. Survives reconnects: what was un-acked comes again."""

    async def depths(self) -> dict[str, int]:
        """Messages that wait in each durable queue, not counting those being handled."""
