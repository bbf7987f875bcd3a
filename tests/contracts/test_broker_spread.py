"""Which partition a conversation has: the same after a restart of the broker, or its messages would overtake one another."""

import asyncio

import pytest

from cli.rabbitmq_node import RabbitMQNode
from gateway.broker import Delivery, Publication
from gateway.broker_rabbitmq import RabbitBroker
from gateway.broker_rabbitmq_wire import RabbitOptions
from gateway.topology import Topology
from tests.rabbitmq import private_node, unique_namespace

pytestmark = pytest.mark.rabbitmq

CONVERSATIONS = [f"conversation-{number}" for number in range(60)]


async def test_a_conversation_keeps_its_partition_over_a_restart_of_the_broker() -> None:
    """Also where the messages of before the restart were sent by way of the ring alone."""
    node, topology = private_node(), Topology(namespace=unique_namespace(), partitions=8)
    before = await partitions_of(node, topology)

    await asyncio.to_thread(node.stop)
    await asyncio.to_thread(node.start)
    after = await partitions_of(node, topology)

    assert after == before
    assert len(set(before.values())) == 8


async def test_without_the_plugin_messages_arrive_all_the_same() -> None:
    """A broker that was set up before it was asked for; the log says what to enable."""
    node, topology = private_node(), Topology(namespace=unique_namespace(), partitions=4)
    await asyncio.to_thread(node.plugins, "disable", "rabbitmq_sharding")
    try:
        found = await partitions_of(node, topology)
    finally:
        await asyncio.to_thread(node.plugins, "enable", "rabbitmq_sharding")

    assert found.keys() == set(CONVERSATIONS)


async def test_partitions_that_were_bound_to_the_ring_are_bound_anew() -> None:
    """The plugin was enabled later: from the next start of a gateway on, each message arrives once, by the new way."""
    node, topology = private_node(), Topology(namespace=unique_namespace(), partitions=4)
    await asyncio.to_thread(node.plugins, "disable", "rabbitmq_sharding")
    try:
        await partitions_of(node, topology)
    finally:
        await asyncio.to_thread(node.plugins, "enable", "rabbitmq_sharding")

    before = await partitions_of(node, topology)
    bindings = await asyncio.to_thread(node.ctl, "list_bindings", "source_name", "destination_name")

    assert before.keys() == set(CONVERSATIONS)
    assert [line.split() for line in bindings.splitlines() if line.split()[0] == topology.inbound] == [
        [topology.inbound, topology.spread]
    ]


async def partitions_of(node: RabbitMQNode, topology: Topology) -> dict[str, int]:
    """Where one message of each conversation arrives."""
    broker = RabbitBroker(RabbitOptions(url=node.url, replica="test", prefetch=100, subscribe_pause_s=0.0), topology)
    await broker.start()
    found: dict[str, int] = {}
    acks: set[asyncio.Task[None]] = set()
    complete = asyncio.Event()

    def on_delivery(delivery: Delivery) -> None:
        found[delivery.routing_key] = delivery.partition
        acks.add(asyncio.create_task(broker.ack(delivery)))
        if len(found) == len(CONVERSATIONS):
            complete.set()

    await broker.consume(on_delivery)
    for key in CONVERSATIONS:
        await broker.publish(Publication(topology.inbound, key, b"{}", "application/json", key), timeout_s=10)
    async with asyncio.timeout(20):
        await complete.wait()
    await asyncio.gather(*acks)
    await broker.close()
    return found
