"""A rolling restart under traffic: every message handled once, in order, whichever replica had the partition."""

import asyncio
from collections import defaultdict, deque

from gateway.broker import Broker, Delivery
from tests.contracts.brokers import WAIT_S, OpenClients, send, small

CONVERSATIONS = [f"customer-{number}" for number in range(20)]
MESSAGES = 15


class Ledger:
    """What was handled, in order, over all replicas; wakes who waits for a number of them."""

    def __init__(self) -> None:
        self.handled: list[tuple[str, str]] = []
        self._changed = asyncio.Condition()

    async def add(self, conversation: str, text: str) -> None:
        """A turn has ended."""
        async with self._changed:
            self.handled.append((conversation, text))
            self._changed.notify_all()

    async def reaches(self, count: int) -> None:
        """Wait until so many were handled."""
        async with asyncio.timeout(WAIT_S), self._changed:
            await self._changed.wait_for(lambda: len(self.handled) >= count)


class Replica:
    """The least that a gateway does: conversations concurrently, each in order, and the two steps of a graceful stop."""

    def __init__(self, broker: Broker, ledger: Ledger) -> None:
        self._broker = broker
        self._ledger = ledger
        self._stopping = False
        self._lanes: dict[str, deque[Delivery]] = defaultdict(deque)
        self._running: dict[int, set[asyncio.Task[None]]] = defaultdict(set)

    async def start(self) -> None:
        """Take what comes."""
        await self._broker.consume(self._take)

    async def stop(self) -> None:
        """Let running turns end, partition by partition, and hand over."""
        self._stopping = True
        await self._broker.pause()
        for partition in range(self._broker.topology.partitions):
            await asyncio.gather(*self._running[partition])
            await self._broker.release(partition)
        await self._broker.close()

    def _take(self, delivery: Delivery) -> None:
        lane = self._lanes[delivery.routing_key]
        lane.append(delivery)
        if len(lane) == 1:
            task = asyncio.create_task(self._work_off(lane))
            self._running[delivery.partition].add(task)

    async def _work_off(self, lane: deque[Delivery]) -> None:
        while lane and not self._stopping:
            delivery = lane[0]
            # A turn goes through some steps, in which anything else may happen.
            for _ in range(len(delivery.routing_key) % 4 + 2):
                await asyncio.sleep(0.001)
            await self._ledger.add(delivery.routing_key, delivery.body.decode())
            await self._broker.ack(delivery)
            lane.popleft()


async def test_a_rolling_restart_keeps_order_and_repeats_nothing(clients_of: OpenClients) -> None:
    """Two replicas stop in the middle of the traffic, one after the other; the third finishes."""
    clients = clients_of(small(partitions=4))
    ledger = Ledger()
    publisher = await clients("publisher")
    replicas = [Replica(await clients(f"replica-{number}", prefetch=8), ledger) for number in range(3)]
    for replica in replicas:
        await replica.start()

    async def talk(conversation: str) -> None:
        for number in range(MESSAGES):
            await send(publisher, f"{number}", conversation=conversation)

    async with asyncio.TaskGroup() as traffic:
        for conversation in CONVERSATIONS:
            traffic.create_task(talk(conversation))
        await ledger.reaches(60)
        await replicas[0].stop()
        await ledger.reaches(150)
        await replicas[1].stop()
    await ledger.reaches(len(CONVERSATIONS) * MESSAGES)
    await replicas[2].stop()

    for conversation in CONVERSATIONS:
        handled = [text for other, text in ledger.handled if other == conversation]
        assert handled == [str(number) for number in range(MESSAGES)], conversation
    assert sum((await publisher.depths()).values()) == 0
