"""Clients of both brokers, alike, and what the contract tests say with them."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Protocol

from gateway.broker import Broker, Delivery, Publication
from gateway.broker_memory import MemoryBroker, MemoryHub
from gateway.topology import Topology
from tests.rabbitmq import delete_topology, open_broker, unique_namespace

WAIT_S = 15.0


class Clients(Protocol):
    """Opens a client of one broker; all of them share it."""

    topology: Topology

    async def __call__(self, replica: str = "one", prefetch: int = 16) -> Broker: ...


class MemoryClients:
    """Clients of one hub."""

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self._hub = MemoryHub(topology)

    async def __call__(self, replica: str = "one", prefetch: int = 16) -> Broker:
        broker = MemoryBroker(self._hub, replica=replica, prefetch=prefetch)
        await broker.start()
        return broker


class RabbitClients:
    """Clients of the real broker, in a namespace of their own."""

    def __init__(self, url: str, topology: Topology, stack: AsyncExitStack) -> None:
        self.topology = topology
        self._url = url
        self._stack = stack
        stack.push_async_callback(delete_topology, url, topology)

    async def __call__(self, replica: str = "one", prefetch: int = 16) -> Broker:
        broker = await open_broker(self._url, self.topology, replica=replica, prefetch=prefetch)
        self._stack.push_async_callback(broker.close)
        return broker


OpenClients = Callable[[Topology], Clients]


def small(partitions: int = 1, delivery_limit: int = 20, max_length: int = 1000) -> Topology:
    """A topology under names of its own."""
    return Topology(unique_namespace(), partitions, delivery_limit, max_length)


class Inbox:
    """Collects deliveries; `receive` waits for the next ones."""

    def __init__(self) -> None:
        self._arrived: asyncio.Queue[Delivery] = asyncio.Queue()

    def __call__(self, delivery: Delivery) -> None:
        self._arrived.put_nowait(delivery)

    async def receive(self, count: int) -> list[Delivery]:
        """The next `count` deliveries, in the order in which they came."""
        async with asyncio.timeout(WAIT_S):
            return [await self._arrived.get() for _ in range(count)]

    @property
    def empty(self) -> bool:
        """Nothing has come that was not received."""
        return self._arrived.empty()


def inbound(topology: Topology, text: str, conversation: str = "ana") -> Publication:
    """A customer's message whose body is its text."""
    return Publication(topology.inbound, conversation, text.encode(), "text/plain", f"id-{text}", {"n": 1, "trace": "t"})


async def send(broker: Broker, *texts: str, conversation: str = "ana") -> None:
    """Publish in order."""
    for text in texts:
        await broker.publish(inbound(broker.topology, text, conversation), timeout_s=WAIT_S)


def bodies(deliveries: list[Delivery]) -> list[str]:
    """The texts."""
    return [delivery.body.decode() for delivery in deliveries]


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what the broker does in its own time and announces to nobody."""
    async with asyncio.timeout(WAIT_S):
        while not await holds():  # noqa: ASYNC110 - there is nothing to be told by
            await asyncio.sleep(0.02)
