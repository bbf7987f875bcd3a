"""A real RabbitMQ for tests: the one of RABBITMQ_URL, the machine's own, or a private node that lives as long as the run."""

import asyncio
import atexit
import functools
import os
import secrets
from concurrent.futures import ThreadPoolExecutor

import aio_pika
import pytest

from cli.rabbitmq_node import RabbitMQNode, answers_amqp, find_scripts
from common.errors import BrokerUnavailable
from gateway.broker_rabbitmq import RabbitBroker
from gateway.broker_rabbitmq_wire import RabbitOptions
from gateway.topology import Topology

LOCAL_URL = "amqp://guest:guest@127.0.0.1:5672/"
_ENTER_S = 5.0


def ensure_rabbitmq() -> str:
    """The URL of a RabbitMQ that answers; skips the test, with the reason, when there is none and none can be started."""
    if url := os.environ.get("RABBITMQ_URL"):
        return url
    return LOCAL_URL if _local_lets_us_in() else private_node().url


def private_node() -> RabbitMQNode:
    """A node of this test run's own, which a test may stop and kill (and must start again); removed at exit."""
    found = _node_or_reason()
    if isinstance(found, str):
        pytest.skip(f"no RabbitMQ: {found}")
    return found


@functools.cache
def _local_lets_us_in() -> bool:
    """Whether the machine's own takes its guest, as the one of docker-compose.yml, which has a password, does not."""
    if not answers_amqp("127.0.0.1", 5672):
        return False

    async def enter() -> None:
        await (await aio_pika.connect(LOCAL_URL, timeout=_ENTER_S)).close()

    # In a thread of its own, since the caller's may run a loop already.
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(asyncio.run, enter()).exception() is None


@functools.cache
def _node_or_reason() -> RabbitMQNode | str:
    """The node, started; or why there is none. Tried once per run: a start that fails may take its full minute."""
    if find_scripts() is None:
        return "RABBITMQ_URL is not set, none on port 5672 takes guest, none is installed here to start"
    node = RabbitMQNode()
    atexit.register(node.remove)
    try:
        node.start()
    except (BrokerUnavailable, OSError) as error:
        return f"a private node could not be started: {error}"
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
