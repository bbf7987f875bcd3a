"""What a message costs at the broker: confirmed publishes, and consume → confirmed publish → ack, as a gateway does it.

python -m bench.broker_cost --messages 5000                 # a private RabbitMQ node, and the broker in memory
python -m bench.broker_cost --amqp amqp://guest:guest@host/ # one that runs already (names of its own on it)
"""

import argparse
import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psutil

from cli.rabbitmq_node import RabbitMQNode
from gateway.broker import Broker, Delivery, Publication
from gateway.broker_memory import MemoryBroker, MemoryHub
from gateway.broker_rabbitmq import RabbitBroker
from gateway.broker_rabbitmq_wire import RabbitOptions
from gateway.topology import Topology

_BODY = b'{"conversation_id":"5511987654321","text":"Oi, voc\xc3\xaas fazem entrega para loja no bairro?"}' * 4
_TIMEOUT_S = 60.0
_Phase = Callable[[Broker, int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one message, averaged: wall time as a rate, CPU milliseconds of this process and of the broker."""

    rate: float
    client_ms: float
    broker_ms: float | None


async def publish_one_by_one(broker: Broker, messages: int) -> None:
    """Each confirm awaited before the next publish."""
    for number in range(messages):
        await broker.publish(_inbound(broker.topology, number), timeout_s=_TIMEOUT_S)


async def publish_together(broker: Broker, messages: int) -> None:
    """Up to 200 in flight."""
    window = asyncio.Semaphore(200)

    async def publish(number: int) -> None:
        async with window:
            await broker.publish(_inbound(broker.topology, number), timeout_s=_TIMEOUT_S)

    await asyncio.gather(*(publish(number) for number in range(messages)))


async def answer_each(broker: Broker, messages: int) -> None:
    """A task for each delivery: publish an answer, wait for its confirm, acknowledge."""
    left = messages
    done = asyncio.Event()
    tasks: set[asyncio.Task[None]] = set()

    async def answer(delivery: Delivery) -> None:
        nonlocal left
        names = broker.topology
        reply = Publication(
            names.outbound, "whatsapp", _BODY, "application/json", f"re-{delivery.message_id}", delivery.headers
        )
        await broker.publish(reply, timeout_s=_TIMEOUT_S)
        await broker.ack(delivery)
        left -= 1
        if left == 0:
            done.set()

    def start(delivery: Delivery) -> None:
        task = asyncio.create_task(answer(delivery))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    await broker.consume(start)
    await done.wait()


def _inbound(topology: Topology, number: int) -> Publication:
    headers: dict[str, str | int] = {"traceparent": f"00-{number:032x}-{number:016x}-01"}
    return Publication(topology.inbound, f"customer-{number % 500}", _BODY, "application/json", f"m-{number}", headers)


async def _measure(phase: _Phase, broker: Broker, messages: int, server: psutil.Process | None) -> Cost:
    def server_s() -> float:
        return sum(server.cpu_times()[:2]) if server is not None else 0.0

    wall_s, client_s, broker_s = time.perf_counter(), time.process_time(), server_s()
    await phase(broker, messages)
    wall_s, client_s = time.perf_counter() - wall_s, time.process_time() - client_s
    broker_ms = (server_s() - broker_s) * 1000 / messages if server is not None else None
    return Cost(messages / wall_s, client_s * 1000 / messages, broker_ms)


@asynccontextmanager
async def _rabbit(url: str, topology: Topology) -> AsyncIterator[Broker]:
    broker = RabbitBroker(RabbitOptions(url, prefetch=32), topology)
    await broker.start()
    yield broker
    await broker.close()


@asynccontextmanager
async def _memory(topology: Topology) -> AsyncIterator[Broker]:
    broker = MemoryBroker(MemoryHub(topology))
    await broker.start()
    yield broker
    await broker.close()


async def _bench(name: str, broker: Broker, messages: int, server: psutil.Process | None) -> None:
    phases: dict[str, tuple[_Phase, int]] = {
        "publish, one by one": (publish_one_by_one, messages // 5),
        "publish, 200 in flight": (publish_together, messages - messages // 5),
        "consume, publish, ack": (answer_each, messages),
    }
    for phase, (run, count) in phases.items():
        cost = await _measure(run, broker, count, server)
        at_broker = "" if cost.broker_ms is None else f"{cost.broker_ms:8.3f}"
        print(f"{name:10} {phase:24} {cost.rate:8.0f} {cost.client_ms:8.3f} {at_broker}")


async def _run(messages: int, url: str | None) -> None:
    # Names of its own, so that a run on a broker in use meets nobody.
    topology = Topology(f"bench-{secrets.token_hex(3)}")
    print(f"{'broker':10} {'phase':24} {'msg/s':>8} {'CPU ms':>8} {'broker CPU ms':>8}   (per message, {len(_BODY)} bytes)")
    async with _memory(topology) as broker:
        await _bench("memory", broker, messages, None)
    if url is not None:
        async with _rabbit(url, topology) as broker:
            await _bench("rabbitmq", broker, messages, None)
        return
    with RabbitMQNode() as node:
        server = psutil.Process(node.pid)
        async with _rabbit(node.url, topology) as broker:
            await _bench("rabbitmq", broker, messages, server)


def main() -> None:
    """Parse the command line and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--amqp", metavar="URL", help="a running RabbitMQ instead of a private node")
    arguments = parser.parse_args()
    asyncio.run(_run(arguments.messages, arguments.amqp))


if __name__ == "__main__":
    main()
