"""What every broker promises: the same tests on the one in memory and on a real RabbitMQ."""

import asyncio

import pytest
from yarl import URL

from common.errors import BrokerUnavailable, InvalidSetting
from gateway.broker import Broker, Publication
from gateway.broker_rabbitmq_wire import RabbitOptions
from gateway.topology import Topology
from tests.contracts.brokers import WAIT_S, Inbox, OpenClients, bodies, eventually, inbound, send, small
from tests.rabbitmq import delete_topology, ensure_rabbitmq, open_broker


async def test_a_message_arrives_as_it_was_published(clients_of: OpenClients) -> None:
    """Key, body, content type, id and headers are kept."""
    clients = clients_of(small())
    broker, inbox = await clients(), Inbox()
    await broker.consume(inbox)

    await send(broker, "oi")

    [delivery] = await inbox.receive(1)
    assert (delivery.routing_key, delivery.body, delivery.content_type) == ("ana", b"oi", "text/plain")
    assert (delivery.message_id, dict(delivery.headers)) == ("id-oi", {"n": 1, "trace": "t"})
    assert (delivery.partition, delivery.redelivered, delivery.delivery_count) == (0, False, 0)


async def test_a_conversation_stays_on_one_partition_in_order(clients_of: OpenClients) -> None:
    """Many conversations spread over the partitions; each is on one of them and keeps its order."""
    clients = clients_of(small(partitions=4))
    broker, inbox = await clients(prefetch=100), Inbox()
    await broker.consume(inbox)
    customers = [f"customer-{number}" for number in range(24)]

    for text in ("1", "2", "3"):
        await asyncio.gather(*(send(broker, text, conversation=customer) for customer in customers))

    deliveries = await inbox.receive(3 * len(customers))
    assert len({delivery.partition for delivery in deliveries}) > 1
    for customer in customers:
        theirs = [delivery for delivery in deliveries if delivery.routing_key == customer]
        assert bodies(theirs) == ["1", "2", "3"]
        assert len({delivery.partition for delivery in theirs}) == 1


async def test_an_acknowledged_message_does_not_come_again(clients_of: OpenClients) -> None:
    """The next client gets only what was not acknowledged."""
    clients = clients_of(small())
    first, inbox = await clients("first"), Inbox()
    await first.consume(inbox)
    await send(first, "1", "2")
    one, _ = await inbox.receive(2)
    await first.ack(one)
    await first.close()

    second, later = await clients("second"), Inbox()
    await second.consume(later)

    assert bodies(await later.receive(1)) == ["2"]


async def test_prefetch_bounds_what_a_client_holds(clients_of: OpenClients) -> None:
    """The next message comes when one is acknowledged, not before."""
    clients = clients_of(small())
    broker, inbox = await clients(prefetch=2), Inbox()
    await broker.consume(inbox)
    await send(broker, "1", "2", "3")
    one, _ = await inbox.receive(2)

    held_back = inbox.empty
    await broker.ack(one)

    assert held_back
    assert bodies(await inbox.receive(1)) == ["3"]


async def test_what_is_not_acknowledged_comes_again_in_order_and_counted(clients_of: OpenClients) -> None:
    """A client that goes leaves its messages at the head, before newer ones."""
    clients = clients_of(small())
    first, inbox = await clients("first", prefetch=3), Inbox()
    await first.consume(inbox)
    await send(first, "1", "2", "3", "4", "5")
    await inbox.receive(3)

    await first.close()
    second, later = await clients("second"), Inbox()
    await second.consume(later)

    deliveries = await later.receive(5)
    assert bodies(deliveries) == ["1", "2", "3", "4", "5"]
    assert [delivery.delivery_count for delivery in deliveries] == [1, 1, 1, 0, 0]
    assert [delivery.redelivered for delivery in deliveries] == [True, True, True, False, False]


async def test_only_one_client_has_a_partition(clients_of: OpenClients) -> None:
    """A second client waits, and takes over, with what was not acknowledged, when the first has gone."""
    clients = clients_of(small())
    first, inbox = await clients("first"), Inbox()
    second, waiting = await clients("second"), Inbox()
    await first.consume(inbox)
    await second.consume(waiting)
    await send(first, "1", "2")
    await inbox.receive(2)

    before = waiting.empty
    await first.close()

    assert before
    assert bodies(await waiting.receive(2)) == ["1", "2"]


async def test_a_graceful_stop_hands_a_partition_over_in_order(clients_of: OpenClients) -> None:
    """While a turn runs, the next client gets nothing newer; on release it gets the rest from where the turn ended."""
    clients = clients_of(small())
    stopping, inbox = await clients("stopping", prefetch=4), Inbox()
    following, later = await clients("following", prefetch=100), Inbox()
    await stopping.consume(inbox)
    await following.consume(later)
    texts = [str(number) for number in range(10)]
    await send(stopping, *texts[:7])
    running, *_ = await inbox.receive(4)

    await stopping.pause()
    await send(following, *texts[7:])
    waited = later.empty
    await stopping.ack(running)
    await stopping.release(0)

    deliveries = await later.receive(9)
    assert waited
    assert bodies(deliveries) == texts[1:]
    assert inbox.empty, "a paused client starts nothing new"


async def test_a_released_partition_does_not_stop_the_others(clients_of: OpenClients) -> None:
    """The rest of the client goes on: publishing, and the partitions that it still has."""
    clients = clients_of(small(partitions=2))
    broker, inbox = await clients(prefetch=100), Inbox()
    await broker.consume(inbox)
    customers = [f"customer-{number}" for number in range(12)]

    await broker.release(0)
    for customer in customers:
        await send(broker, "oi", conversation=customer)

    depths = await broker.depths()
    waiting = depths[broker.topology.partition_queue(0)]
    deliveries = await inbox.receive(len(customers) - waiting)
    assert waiting > 0
    assert {delivery.partition for delivery in deliveries} == {1}


async def test_an_ack_after_release_does_nothing(clients_of: OpenClients) -> None:
    """The message comes again elsewhere; here it is only counted."""
    clients = clients_of(small())
    first, inbox = await clients("first"), Inbox()
    await first.consume(inbox)
    await send(first, "1")
    [late] = await inbox.receive(1)

    await first.release(0)
    await first.ack(late)

    second, later = await clients("second"), Inbox()
    await second.consume(later)
    assert bodies(await later.receive(1)) == ["1"]
    assert first.counters.late_acks == 1


async def test_an_ack_twice_does_no_harm(clients_of: OpenClients) -> None:
    """The channel lives on, and with it what else was delivered on it."""
    clients = clients_of(small())
    broker, inbox = await clients(), Inbox()
    await broker.consume(inbox)
    await send(broker, "1")
    [delivery] = await inbox.receive(1)

    await broker.ack(delivery)
    await broker.ack(delivery)

    await send(broker, "2")
    assert bodies(await inbox.receive(1)) == ["2"]


async def test_a_dead_letter_keeps_the_message_and_says_why(clients_of: OpenClients) -> None:
    """Looking at it does not remove it, and it does not come again."""
    clients = clients_of(small())
    broker, inbox = await clients(), Inbox()
    await broker.consume(inbox)
    await send(broker, "{")
    [delivery] = await inbox.receive(1)

    await broker.dead_letter(delivery, "body: not JSON")

    [letter] = await broker.dead_letters(10)
    [again] = await broker.dead_letters(10)
    assert (letter.reason, letter.body, letter.routing_key) == ("body: not JSON", b"{", "ana")
    assert (letter.content_type, letter.message_id, letter.partition) == ("text/plain", "id-{", 0)
    assert letter.id == again.id
    await broker.close()
    successor = await clients("successor")
    assert (await successor.depths())[broker.topology.partition_queue(0)] == 0


async def test_a_message_that_keeps_coming_back_ends_in_the_dead_letters(clients_of: OpenClients) -> None:
    """With a limit of two returns the third return buries it; the next message goes on."""
    clients = clients_of(small(delivery_limit=2))
    publisher = await clients("publisher")
    await send(publisher, "poison")
    counts = []

    for attempt in range(3):
        crashing, inbox = await clients(f"crashing-{attempt}"), Inbox()
        await crashing.consume(inbox)
        [delivery] = await inbox.receive(1)
        counts.append(delivery.delivery_count)
        await crashing.close()

    async def buried() -> bool:
        return len(await publisher.dead_letters(10)) == 1

    await eventually(buried)
    [letter] = await publisher.dead_letters(10)
    assert counts == [0, 1, 2]
    assert (letter.reason, letter.body, letter.partition) == ("delivery_limit", b"poison", 0)
    assert (letter.message_id, letter.routing_key, letter.delivery_count) == ("id-poison", "ana", 3)
    await send(publisher, "next")
    healthy, inbox = await clients("healthy"), Inbox()
    await healthy.consume(inbox)
    assert bodies(await inbox.receive(1)) == ["next"]


async def three_dead_letters(clients_of: OpenClients) -> tuple[Broker, Inbox]:
    """A client with the messages 1, 2 and 3 set aside, and what it consumes into."""
    clients = clients_of(small())
    broker, inbox = await clients(), Inbox()
    await broker.consume(inbox)
    await send(broker, "1", "2", "3")
    for delivery in await inbox.receive(3):
        await broker.dead_letter(delivery, "outage")
    return broker, inbox


async def test_replay_of_one_dead_letter_leaves_the_others(clients_of: OpenClients) -> None:
    """It comes as it first came, without the marks of its death."""
    broker, inbox = await three_dead_letters(clients_of)
    letters = await broker.dead_letters(10)

    replayed = await broker.replay(letters[1].id)

    [delivery] = await inbox.receive(1)
    assert replayed == 1
    assert (delivery.body, delivery.message_id, dict(delivery.headers)) == (b"2", "id-2", {"n": 1, "trace": "t"})
    assert [letter.body for letter in await broker.dead_letters(10)] == [b"1", b"3"]


async def test_discarding_removes_that_dead_letter_alone(clients_of: OpenClients) -> None:
    """What was published again in a mended form need not lie there for ever."""
    broker, _ = await three_dead_letters(clients_of)
    letters = await broker.dead_letters(10)

    discarded = [await broker.discard(letters[1].id), await broker.discard(letters[1].id)]

    assert discarded == [1, 0]
    assert [letter.body for letter in await broker.dead_letters(10)] == [b"1", b"3"]


async def test_replay_of_all_dead_letters(clients_of: OpenClients) -> None:
    """In the order in which they died; afterwards there are none."""
    broker, inbox = await three_dead_letters(clients_of)

    replayed = await broker.replay(None)

    assert replayed == 3
    assert bodies(await inbox.receive(3)) == ["1", "2", "3"]
    assert await broker.dead_letters(10) == []


async def test_replay_of_an_unknown_id_replays_nothing(clients_of: OpenClients) -> None:
    """The count says so."""
    clients = clients_of(small())
    broker = await clients()

    assert await broker.replay("0123456789abcdef") == 0


async def test_a_mandatory_publish_that_nobody_takes_is_an_error(clients_of: OpenClients) -> None:
    """An event, which is not mandatory, is dropped in silence."""
    clients = clients_of(small())
    broker = await clients()

    with pytest.raises(BrokerUnavailable, match="no queue takes"):
        await broker.publish(Publication(broker.topology.outbound, "pigeon", b"", "text/plain", "1"), timeout_s=WAIT_S)
    await broker.publish(
        Publication(broker.topology.events, "turn.answered", b"", "text/plain", "2", mandatory=False), timeout_s=WAIT_S
    )
    assert (broker.counters.published, broker.counters.publish_failures) == (1, 1)


async def test_a_publish_to_an_exchange_that_is_not_there_harms_no_other(clients_of: OpenClients) -> None:
    """The error is the publisher's own; the next publish goes through."""
    clients = clients_of(small())
    broker = await clients()

    with pytest.raises(BrokerUnavailable):
        await broker.publish(Publication("nowhere", "x", b"", "text/plain", "1"), timeout_s=WAIT_S)

    await send(broker, "oi")
    assert (await broker.depths())[broker.topology.partition_queue(0)] == 1


async def test_a_full_partition_refuses_and_loses_nothing(clients_of: OpenClients) -> None:
    """The publisher sees it; when there is room again it goes on."""
    clients = clients_of(small(max_length=5))
    broker, inbox = await clients(prefetch=100), Inbox()
    accepted: list[str] = []

    async def fill() -> None:
        # The real one takes a few more than the limit before it refuses.
        for number in range(500):
            await send(broker, str(number))
            accepted.append(str(number))

    with pytest.raises(BrokerUnavailable, match="full"):
        await fill()

    await broker.consume(inbox)
    deliveries = await inbox.receive(len(accepted))
    assert len(accepted) >= 5
    assert bodies(deliveries) == accepted
    for delivery in deliveries:
        await broker.ack(delivery)

    async def room() -> bool:
        try:
            await send(broker, "later")
        except BrokerUnavailable:
            return False
        return True

    await eventually(room)
    assert bodies(await inbox.receive(1)) == ["later"]


async def test_many_publishes_are_in_flight_together(clients_of: OpenClients) -> None:
    """None waits for the confirm of another, and each is confirmed."""
    clients = clients_of(small())
    broker = await clients()

    await asyncio.gather(*(send(broker, str(number)) for number in range(300)))

    assert (await broker.depths())[broker.topology.partition_queue(0)] == 300
    assert broker.counters.published == 300


async def test_a_subscriber_gets_copies_of_what_matches(clients_of: OpenClients) -> None:
    """From the moment it has subscribed; the durable queue keeps its own."""
    clients = clients_of(small())
    broker = await clients()
    names = broker.topology

    async with await broker.subscribe(names.outbound, "*") as everything:
        await broker.publish(Publication(names.outbound, "whatsapp", b"1", "text/plain", "a"), timeout_s=WAIT_S)
        await broker.publish(Publication(names.outbound, "console", b"2", "text/plain", "b"), timeout_s=WAIT_S)
        first, second = [await everything.next(timeout_s=WAIT_S) for _ in range(2)]

    assert (first.routing_key, first.body, first.message_id) == ("whatsapp", b"1", "a")
    assert (second.routing_key, second.body) == ("console", b"2")
    assert (await broker.depths())[names.outbound_queue("whatsapp")] == 1


async def test_escalations_wait_for_attendants(clients_of: OpenClients) -> None:
    """Whatever the key, and though nobody reads yet."""
    clients = clients_of(small())
    broker = await clients()
    names = broker.topology

    await broker.publish(Publication(names.escalations, "crm.price", b"x", "text/plain", "1"), timeout_s=WAIT_S)

    async with await broker.consume_queue(f"{names.escalations}.attendants", prefetch=1) as reader:
        delivery = await reader.next(timeout_s=WAIT_S)
        await broker.ack(delivery)
    assert (delivery.routing_key, delivery.body) == ("crm.price", b"x")


async def test_a_reader_of_a_queue_gives_back_what_it_did_not_acknowledge(clients_of: OpenClients) -> None:
    """The next reader gets it, in order."""
    clients = clients_of(small())
    broker = await clients()
    names = broker.topology
    for text in (b"1", b"2", b"3"):
        publication = Publication(names.outbound, "whatsapp", text, "text/plain", text.decode())
        await broker.publish(publication, timeout_s=WAIT_S)

    async with await broker.consume_queue(names.outbound_queue("whatsapp"), prefetch=2) as reader:
        await broker.ack(await reader.next(timeout_s=WAIT_S))
    async with await broker.consume_queue(names.outbound_queue("whatsapp"), prefetch=2) as reader:
        rest = [await reader.next(timeout_s=WAIT_S) for _ in range(2)]

    assert bodies(rest) == ["2", "3"]


async def test_a_closed_client_publishes_no_more(clients_of: OpenClients) -> None:
    """It says so, in the time that the caller gave."""
    clients = clients_of(small())
    broker = await clients()
    await broker.close()

    with pytest.raises(BrokerUnavailable):
        await broker.publish(inbound(broker.topology, "oi"), timeout_s=0.2)
    assert not broker.ready


@pytest.mark.parametrize("url", ["redis://127.0.0.1/", "127.0.0.1:5672", "amqp:///", "amqp://127.0.0.1:rabbit/"])
def test_a_url_that_is_no_broker_is_a_wrong_setting(url: str) -> None:
    """Found when the options are made, before any connection."""
    with pytest.raises(InvalidSetting, match="amqp://"):
        RabbitOptions(url)


@pytest.mark.rabbitmq
async def test_a_refused_user_is_a_wrong_setting() -> None:
    """The start does not go on trying what cannot get better by waiting, and does not say the password."""
    url = URL(ensure_rabbitmq()).with_user("nobody").with_password("hunter2")

    with pytest.raises(InvalidSetting, match="refuses the user") as refused:
        await open_broker(str(url), small())
    assert "hunter2" not in str(refused.value)


@pytest.mark.rabbitmq
async def test_queues_of_another_shape_are_a_wrong_setting() -> None:
    """A changed limit, or fewer partitions, stops the start and says what to do."""
    url, topology = ensure_rabbitmq(), small(partitions=2)
    broker = await open_broker(url, topology)
    await broker.close()

    try:
        with pytest.raises(InvalidSetting, match="other arguments"):
            await open_broker(url, Topology(topology.namespace, partitions=2, delivery_limit=9))
        with pytest.raises(InvalidSetting, match="more than the 1 partitions"):
            await open_broker(url, Topology(topology.namespace, 1, topology.delivery_limit, topology.partition_max_length))
    finally:
        await delete_topology(url, topology)
