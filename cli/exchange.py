"""Publishes customers' messages and matches what comes back: a reply, or the word that the assistant stays silent."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson
from google.protobuf import json_format

from common.ids import derived_id
from gateway.broker import Broker, Publication, Reader
from gateway.inbound import JSON, PROTOBUF
from gateway.outbound import to_json
from protos.conversation.v1 import messages_pb2 as pb

PUBLISH_S = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a turn came to. `reply` is None when the assistant stayed silent because a person has the conversation."""

    conversation_id: str
    message_ids: tuple[str, ...]
    reply: pb.OutboundMessage | None
    after_ms: int
    """From the publication of its first message to the answer's arrival here."""


class Exchange:
    """`publish` any number of messages, then take the `next` answers, each once."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._answers: asyncio.Queue[Answer] = asyncio.Queue()
        self._waiting: dict[tuple[str, str], float] = {}
        self._in_order: dict[str, list[tuple[str, str]]] = {}
        self._by_turn: dict[str, tuple[str, tuple[str, str]]] = {}

    @property
    def unanswered(self) -> list[str]:
        """Ids of the messages that have no answer yet."""
        return [message_id for _, message_id in self._waiting]

    @property
    def pending(self) -> bool:
        """Whether a message has no answer yet, or an answer was not taken yet."""
        return bool(self._waiting) or not self._answers.empty()

    async def publish(self, message: pb.InboundMessage) -> None:
        """Return once the broker has it safe. `published_at_ms` is set when it is not."""
        if not message.published_at_ms:
            message.published_at_ms = int(time.time() * 1000)
        key = (message.channel, message.message_id)
        self._waiting[key] = time.monotonic()
        self._in_order.setdefault(message.conversation_id, []).append(key)
        turn_id = derived_id("turn", message.conversation_id, f"{message.channel}:{message.message_id}")
        self._by_turn[turn_id] = (message.conversation_id, key)
        publication = Publication(
            self._broker.topology.inbound, message.conversation_id, to_json(message), JSON, message.message_id
        )
        await self._broker.publish(publication, timeout_s=PUBLISH_S)

    async def next(self, timeout_s: float) -> Answer:
        """The next answer; TimeoutError when none comes in time."""
        async with asyncio.timeout(timeout_s):
            return await self._answers.get()

    async def read_replies(self, reader: Reader[Publication]) -> None:
        """Match replies until the reader ends."""
        async for publication in reader:
            reply = decode_outbound(publication)
            keys = [(reply.channel, message_id) for message_id in reply.in_reply_to]
            self._settle(reply.conversation_id, keys, reply)

    async def read_events(self, reader: Reader[Publication]) -> None:
        """Match the events that say a turn was handled without a word."""
        async for publication in reader:
            event = json_format.ParseDict(orjson.loads(publication.body), pb.Event(), ignore_unknown_fields=True)
            if event.reason == "silent" and event.turn_id in self._by_turn:
                conversation_id, first = self._by_turn[event.turn_id]
                ours = self._in_order[conversation_id]
                start = ours.index(first)
                self._settle(conversation_id, ours[start : start + event.message_count], None)

    def _settle(self, conversation_id: str, keys: list[tuple[str, str]], reply: pb.OutboundMessage | None) -> None:
        """Hand over an answer to what still waits; others' answers and repetitions are passed over."""
        published = [self._waiting.pop(key) for key in keys if key in self._waiting]
        if published:
            after_ms = round((time.monotonic() - min(published)) * 1000)
            self._answers.put_nowait(Answer(conversation_id, tuple(message_id for _, message_id in keys), reply, after_ms))


@asynccontextmanager
async def open_exchange(broker: Broker) -> AsyncIterator[Exchange]:
    """An exchange that listens; a lost connection ends the block with BrokerUnavailable."""
    exchange = Exchange(broker)
    topology = broker.topology
    async with (
        await broker.subscribe(topology.outbound, "#") as replies,
        await broker.subscribe(topology.events, "turn.answered") as events,
        asyncio.TaskGroup() as tasks,
    ):
        readers = [tasks.create_task(exchange.read_replies(replies)), tasks.create_task(exchange.read_events(events))]
        try:
            yield exchange
        finally:
            for reader in readers:
                reader.cancel()


def decode_outbound(publication: Publication) -> pb.OutboundMessage:
    """The reply, in either encoding."""
    if publication.content_type.startswith(PROTOBUF):
        return pb.OutboundMessage.FromString(publication.body)
    return json_format.ParseDict(orjson.loads(publication.body), pb.OutboundMessage(), ignore_unknown_fields=True)
