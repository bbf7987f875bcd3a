"""A real RabbitMQ for tests: the one of RABBITMQ_URL, the machine's own, or a private node that lives as long as the run."""

import atexit
import functools
import os
import secrets

import aio_pika
import pytest

from cli.rabbitmq_node import RabbitMQNode, answers_amqp, find_scripts
from common.errors import BrokerUnavailable
from gateway.broker_rabbitmq import RabbitBroker
from gateway.broker_rabbitmq_wire import RabbitOptions
from gateway.topology import Topology

LOCAL_URL = "amqp://guest:guest@127.0.0.1:5672/"


@functools.cache
def ensure_rabbitmq() -> str:
    """The URL of a RabbitMQ that answers; skips the test, with the reason, when there is none and none can be started."""
    if url := os.environ.get("RABBITMQ_URL"):
        return url
    if answers_amqp("127.0.0.1", 5672):
        return LOCAL_URL
    return private_node().url


@functools.cache
def private_node() -> RabbitMQNode:
    """A node of this test run's own, which a test may stop and kill (and must start again); removed at exit."""
    if find_scripts() is None:
        pytest.skip("no RabbitMQ: RABBITMQ_URL is not set, none on port 5672, none installed to start")
    node = RabbitMQNode()
    atexit.register(node.remove)
    try:
        node.start()
    except BrokerUnavailable as error:
        pytest.skip(f"no RabbitMQ: a private node could not be started: {error}")
    return node


def unique_namespace() -> str:
    """A start for all names, so that tests and runs on one broker do not meet."""
    return f"test-{secrets.token_hex(4)}"


async def delete_topology(url: str, topology: Topology) -> None:
    """Remove what a test declared."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        for queue in topology.queues():
            await channel.queue_delete(queue.name)
        for exchange in topology.exchanges():
            await channel.exchange_delete(exchange.name)


async def open_broker(url: str, topology: Topology, *, replica: str = "test", prefetch: int = 16) -> RabbitBroker:
    """A started client."""
    broker = RabbitBroker(RabbitOptions(url=url, replica=replica, prefetch=prefetch, subscribe_pause_s=0.0), topology)
    await broker.start()
    return broker
