"""Reads what leaves the system, as the channel's adapter and the people's desk do, and writes it down with its time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType

from google.protobuf import json_format

import guard
from bench.chaos.evidence import HandOff, Reply
from bench.load import CHANNEL
from gateway.broker import Delivery, Reader
from gateway.broker_rabbitmq import RabbitBroker
from gateway.inbound import PROTOBUF
from protos.conversation.v1 import messages_pb2 as pb


class Witness:
    """Replies and hand-offs in the order of their arrival. `texts` are the customers' words, by message id."""

    def __init__(self, broker: RabbitBroker, texts: Mapping[str, str]) -> None:
        self._broker = broker
        self._texts = texts
        self._tasks: list[asyncio.Task[None]] = []
        self._readers: list[Reader[Delivery]] = []
        self.replies: list[Reply] = []
        self.replied: set[str] = set()
        self.hand_offs: list[HandOff] = []
        self.handed_off_turns: set[str] = set()

    async def __aenter__(self) -> "Witness":
        topology = self._broker.topology
        for queue, note in (
            (topology.outbound_queue(CHANNEL), self._note_reply),
            (f"{topology.escalations}.attendants", self._note_hand_off),
        ):
            reader = await self._broker.consume_queue(queue, prefetch=500)
            self._readers.append(reader)
            self._tasks.append(asyncio.create_task(self._read(reader.next, note)))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # The queue has one active reader: the next witness waits for this one to leave.
        await asyncio.gather(*(reader.close() for reader in self._readers))

    async def _read(self, following: Callable[..., Awaitable[Delivery]], note: Callable[[Delivery], None]) -> None:
        while True:
            try:
                delivery = await following(timeout_s=3600.0)
            except TimeoutError:
                continue
            note(delivery)
            await self._broker.ack(delivery)

    def _note_reply(self, delivery: Delivery) -> None:
        if delivery.content_type == PROTOBUF:
            message = pb.OutboundMessage.FromString(delivery.body)
        else:
            message = json_format.Parse(delivery.body, pb.OutboundMessage())
        said = "\n".join(self._texts.get(message_id, "") for message_id in message.in_reply_to)
        verdict = guard.check_parts(_words(message), customer_text=said)
        self.replied.update(message.in_reply_to)
        self.replies.append(
            Reply(
                reply_id=message.reply_id,
                in_reply_to=tuple(message.in_reply_to),
                at_s=time.time(),
                again=delivery.redelivered,
                fallback=message.fallback,
                violations=tuple(sorted({finding.violation.value for finding in verdict.findings})),
            )
        )

    def _note_hand_off(self, delivery: Delivery) -> None:
        message = json_format.Parse(delivery.body, pb.Escalation())
        self.handed_off_turns.add(message.turn_id)
        self.hand_offs.append(HandOff(message.turn_id, message.reason, time.time()))


def _words(message: pb.OutboundMessage) -> tuple[str, ...]:
    """Every text that the customer reads."""
    options = [part for option in message.options for part in (option.title, option.description)]
    words = (message.text, *message.further_texts, message.button_label, message.media.title, *options)
    return tuple(part for part in words if part)
