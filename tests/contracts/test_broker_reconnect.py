"""A RabbitMQ that goes away and comes back: nothing confirmed is lost, and subscriptions come back by themselves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aio_pika
import pytest

from cli.rabbitmq_node import RabbitMQNode
from common.errors import BrokerUnavailable
from gateway.broker import Delivery, Publication
from gateway.broker_rabbitmq import RabbitBroker
from gateway.broker_rabbitmq_wire import RabbitOptions
from gateway.topology import Topology
from tests.contracts.brokers import WAIT_S, Inbox, bodies, inbound, send, small
from tests.rabbitmq import open_broker, private_node

pytestmark = pytest.mark.rabbitmq

RESTART_S = 60.0


@asynccontextmanager
async def connected(topology: Topology, prefetch: int = 16) -> AsyncIterator[RabbitBroker]:
    """A client of the private node.

    Its queues are left to the end of the node: RabbitMQ 3.10 is broken for good when a queue with at-least-once dead letters is
    deleted while it still recovers from a restart (rabbit_fifo_dlx_sup reaches its limit of restarts).
    """
    broker = await open_broker(private_node().url, topology, prefetch=prefetch)
    try:
        yield broker
    finally:
        await broker.close()


def shut_down_in_order(node: RabbitMQNode) -> Callable[[], None]:
    """The whole node, as by an operator."""
    node.stop()
    return node.start


def crash(node: RabbitMQNode) -> Callable[[], None]:
    """The whole node, as by a power cut."""
    node.kill()
    return node.start


def stop_the_application(node: RabbitMQNode) -> Callable[[], None]:
    """The broker only, the Erlang machine stays: `rabbitmqctl stop_app`."""
    node.ctl("stop_app")

    def start_again() -> None:
        node.ctl("start_app")

    return start_again


@asynccontextmanager
async def away() -> AsyncIterator[None]:
    """The broker is away inside the block and back after it."""
    come_back = await asyncio.to_thread(stop_the_application, private_node())
    try:
        yield
    finally:
        await asyncio.to_thread(come_back)


async def receive_late(inbox: Inbox, count: int) -> list[Delivery]:
    """As `Inbox.receive`, for what comes after a restart."""
    async with asyncio.timeout(RESTART_S):
        received: list[Delivery] = []
        while len(received) < count:
            try:
                received += await inbox.receive(1)
            except TimeoutError:
                continue
        return received


@pytest.mark.parametrize("go_away", [shut_down_in_order, crash, stop_the_application])
async def test_subscriptions_come_back_after_a_restart(go_away: Callable[[RabbitMQNode], Callable[[], None]]) -> None:
    """The un-acked and the waiting come again in order, what is published meanwhile waits, and the loss is announced."""
    lost: asyncio.Queue[int] = asyncio.Queue()
    inbox = Inbox()
    async with connected(small(), prefetch=2) as broker:
        await broker.consume(inbox, lost.put_nowait)
        await send(broker, "1", "2", "3")
        held = await inbox.receive(2)

        come_back = await asyncio.to_thread(go_away, private_node())
        async with asyncio.timeout(WAIT_S):
            partition = await lost.get()
        meanwhile = asyncio.create_task(broker.publish(inbound(broker.topology, "4"), timeout_s=RESTART_S))
        await broker.ack(held[0])
        await asyncio.to_thread(come_back)
        await meanwhile

        deliveries = []
        for _ in range(4):
            deliveries += await receive_late(inbox, 1)
            await broker.ack(deliveries[-1])
        assert partition == 0
        assert bodies(deliveries) == ["1", "2", "3", "4"]
        assert (broker.counters.late_acks, broker.counters.connections_lost) == (1, 1)
        await send(broker, "5")
        assert bodies(await inbox.receive(1)) == ["5"]


async def test_a_publish_that_returned_survives_a_crash() -> None:
    """Of those in flight when the broker is killed, each is confirmed and kept, or fails with our own error."""
    inbox = Inbox()
    async with connected(small(partitions=2), prefetch=1000) as broker:
        numbers = [str(number) for number in range(600)]
        publishes = [asyncio.create_task(send(broker, number, conversation=number)) for number in numbers]
        await asyncio.wait(publishes, return_when=asyncio.FIRST_COMPLETED)

        private_node().kill()
        await asyncio.to_thread(private_node().start)
        outcomes = await asyncio.gather(*publishes, return_exceptions=True)

        confirmed = {number for number, outcome in zip(numbers, outcomes, strict=True) if outcome is None}
        assert {type(outcome) for outcome in outcomes if outcome is not None} <= {BrokerUnavailable}
        assert confirmed
        await broker.consume(inbox)
        while confirmed:
            [delivery] = await inbox.receive(1)
            confirmed.discard(delivery.body.decode())


async def test_a_publish_while_the_broker_is_away_fails_in_its_time() -> None:
    """It waits no longer than it was told."""
    clock = asyncio.get_running_loop().time
    async with connected(small()) as broker, away():
        started_at_s = clock()

        with pytest.raises(BrokerUnavailable):
            await broker.publish(inbound(broker.topology, "1"), timeout_s=0.5)

        assert clock() - started_at_s < 1.5


async def test_an_alarm_of_the_broker_holds_publishers_back_and_loses_nothing() -> None:
    """Too little disk left: a publish fails in its time; what was accepted is kept, and the repetition goes through later."""
    node, inbox = private_node(), Inbox()
    async with connected(small()) as broker:

        async def publish_until_held_back() -> None:
            # The first few may still pass before the alarm reaches the connection.
            for _ in range(20):
                await broker.publish(inbound(broker.topology, "2"), timeout_s=0.5)
                await asyncio.sleep(0.1)

        await send(broker, "1")
        await asyncio.to_thread(node.ctl, "set_disk_free_limit", "1000000GB")
        try:
            with pytest.raises(BrokerUnavailable):
                await publish_until_held_back()
        finally:
            await asyncio.to_thread(node.ctl, "set_disk_free_limit", "50MB")

        await broker.publish(inbound(broker.topology, "3"), timeout_s=RESTART_S)

        await broker.consume(inbox)
        texts: list[str] = []
        while "3" not in texts:
            texts += bodies(await receive_late(inbox, 1))
        assert texts[0] == "1"


async def test_a_policy_lowers_the_limit_of_a_partition_that_is_in_use() -> None:
    """The lower of setting and policy holds, and what is over it is refused, not dropped."""
    node, inbox, taken = private_node(), Inbox(), list[str]()
    async with connected(small(max_length=1000), prefetch=1000) as broker:
        pattern = f"^{broker.topology.inbound}[.]"
        await asyncio.to_thread(node.ctl, "set_policy", "--apply-to", "queues", "limit", pattern, '{"max-length":5}')

        async def publish_until_refused() -> None:
            for number in range(500):
                await send(broker, str(number))
                taken.append(str(number))

        with pytest.raises(BrokerUnavailable, match="full"):
            await publish_until_refused()

        await broker.consume(inbox)
        assert 5 <= len(taken) < 500
        assert bodies(await inbox.receive(len(taken))) == taken


async def test_a_running_turn_is_not_cancelled_by_the_loss() -> None:
    """What the callback started goes on to its end."""
    turns: asyncio.Queue[asyncio.Task[None]] = asyncio.Queue()
    may_end = asyncio.Event()

    async def turn(broker: RabbitBroker, delivery: Delivery) -> None:
        await may_end.wait()
        await broker.ack(delivery)

    async with connected(small()) as broker:
        await broker.consume(lambda delivery: turns.put_nowait(asyncio.create_task(turn(broker, delivery))))
        await send(broker, "1")
        running = await turns.get()

        async with away():
            may_end.set()
            await running

        assert broker.counters.late_acks == 1


async def test_a_subscriber_learns_that_there_may_be_a_gap() -> None:
    """What has arrived is read first."""
    async with connected(small()) as broker:
        names = broker.topology
        reader = await broker.subscribe(names.outbound, "#")
        await broker.publish(Publication(names.outbound, "whatsapp", b"1", "text/plain", "1"), timeout_s=WAIT_S)
        arrived = await reader.next(timeout_s=WAIT_S)

        async with away():
            with pytest.raises(BrokerUnavailable, match="lost"):
                await reader.next(timeout_s=WAIT_S)

        assert arrived.body == b"1"


async def test_a_queue_reader_survives_a_restart() -> None:
    """What it had not acknowledged comes again, once."""
    async with connected(small()) as broker:
        names = broker.topology
        reader = await broker.consume_queue(names.outbound_queue("whatsapp"), prefetch=10)
        for text in ("1", "2"):
            publication = Publication(names.outbound, "whatsapp", text.encode(), "text/plain", text)
            await broker.publish(publication, timeout_s=WAIT_S)
        await broker.ack(await reader.next(timeout_s=WAIT_S))

        async with away():
            pass

        assert (await reader.next(timeout_s=RESTART_S)).body == b"2"
        await reader.close()


async def test_a_client_that_is_stopping_does_not_take_partitions_up_again() -> None:
    """After a restart in the middle of its graceful stop, the next client has them at once."""
    inbox, later = Inbox(), Inbox()
    topology = small()
    async with connected(topology) as stopping:
        await stopping.consume(inbox)
        await send(stopping, "1", "2")
        await inbox.receive(2)

        await stopping.pause()
        async with away():
            pass
        following = await open_broker(private_node().url, topology, replica="following")
        await following.consume(later)

        assert bodies(await later.receive(2)) == ["1", "2"]
        await following.close()


async def test_a_deleted_partition_queue_is_made_again() -> None:
    """The broker cancels the subscription; the client declares the queue and subscribes again."""
    inbox = Inbox()
    lost: asyncio.Queue[int] = asyncio.Queue()
    async with connected(small()) as broker:
        await broker.consume(inbox, lost.put_nowait)

        async with await aio_pika.connect(private_node().url) as connection, connection.channel() as channel:
            await channel.queue_delete(broker.topology.partition_queue(0))
        async with asyncio.timeout(WAIT_S):
            await lost.get()
            while True:
                try:
                    await send(broker, "1")
                    break
                except BrokerUnavailable:
                    continue

        assert bodies(await inbox.receive(1)) == ["1"]


async def test_replicas_that_start_together_share_the_partitions() -> None:
    """On a broker without takeover by priority the order of subscribing decides; each begins with those it wants most."""
    topology = small(partitions=8)
    url = private_node().url
    async with connected(topology):
        first, second = [
            RabbitBroker(RabbitOptions(url=url, replica=replica, subscribe_pause_s=0.1), topology) for replica in ("one", "two")
        ]
        inboxes = (Inbox(), Inbox())
        await asyncio.gather(first.start(), second.start())

        await asyncio.gather(first.consume(inboxes[0]), second.consume(inboxes[1]))
        for number in range(60):
            await send(first, "oi", conversation=f"customer-{number}")

        assert [bodies(await inbox.receive(1)) for inbox in inboxes] == [["oi"], ["oi"]]
        await asyncio.gather(first.close(), second.close())
