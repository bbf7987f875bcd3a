"""Answers are matched to the messages they answer: replies by message id, silence by the turn's id."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from cli.exchange import Exchange, open_exchange
from common.ids import derived_id
from gateway.broker import Publication
from gateway.broker_memory import MemoryBroker, MemoryHub
from gateway.inbound import JSON
from gateway.outbound import to_json
from gateway.topology import Topology
from protos.conversation.v1 import messages_pb2 as pb


@asynccontextmanager
async def memory() -> AsyncIterator[tuple[MemoryBroker, Exchange]]:
    broker = MemoryBroker(MemoryHub(Topology()), prefetch=8)
    await broker.start()
    async with open_exchange(broker) as exchange:
        yield broker, exchange
    await broker.close()


def message(number: int) -> pb.InboundMessage:
    return pb.InboundMessage(message_id=f"m{number}", conversation_id="c1", channel="console", sender_id="c1", text="oi")


async def reply_to(broker: MemoryBroker, *message_ids: str) -> None:
    reply = pb.OutboundMessage(reply_id="r1", conversation_id="c1", channel="console", in_reply_to=message_ids, text="olá")
    await broker.publish(Publication(broker.topology.outbound, "console", to_json(reply), JSON, "r1"), timeout_s=1)


async def test_one_reply_settles_the_whole_burst_once() -> None:
    """A repeated reply, as after a crash of the gateway, is passed over."""
    async with memory() as (broker, exchange):
        await exchange.publish(message(1))
        await exchange.publish(message(2))

        await reply_to(broker, "m1", "m2")
        await reply_to(broker, "m1", "m2")
        assert exchange.pending
        answer = await exchange.next(1)

        assert answer.reply is not None
        assert (answer.message_ids, exchange.unanswered, exchange.pending) == (("m1", "m2"), [], False)
        with pytest.raises(TimeoutError):
            await exchange.next(0.05)


async def test_replies_to_others_are_passed_over() -> None:
    """Several people may use one broker."""
    async with memory() as (broker, exchange):
        await exchange.publish(message(1))

        await reply_to(broker, "somebody-elses")

        with pytest.raises(TimeoutError):
            await exchange.next(0.05)
        assert exchange.unanswered == ["m1"]


async def test_silence_settles_the_messages_of_its_turn() -> None:
    """The event names the turn and how many messages it took, but no message."""
    async with memory() as (broker, exchange):
        for number in (1, 2, 3):
            await exchange.publish(message(number))

        turn_id = derived_id("turn", "c1", "console:m2")
        event = pb.Event(type="turn_answered", turn_id=turn_id, reason="silent", message_count=2)
        silent = Publication(broker.topology.events, "turn.answered", to_json(event), JSON, "e1", mandatory=False)
        await broker.publish(silent, timeout_s=1)
        answer = await exchange.next(1)

        assert (answer.reply, answer.message_ids) == (None, ("m2", "m3"))
        assert exchange.unanswered == ["m1"]


async def test_the_time_of_publication_is_set_when_it_is_missing() -> None:
    """The turn's deadline counts from it."""
    async with memory() as (_, exchange):
        unset, given = message(1), message(2)
        given.published_at_ms = 5

        await exchange.publish(unset)
        await exchange.publish(given)

        assert abs(unset.published_at_ms - time.time() * 1000) < 5_000
        assert given.published_at_ms == 5
