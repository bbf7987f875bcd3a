"""Open-loop load: messages are published at a fixed rate whatever the system does, and every answer is timed from there."""

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from bench.texts import questions
from gateway.broker import Publication
from gateway.broker_rabbitmq import RabbitBroker
from gateway.inbound import JSON, PROTOBUF
from protos.conversation.v1 import messages_pb2 as pb

CHANNEL = "whatsapp"
_MESSAGES = 4
"""Of one conversation; then somebody else writes. (`bench/conversation_cost.py` measures long ones.)"""


@dataclass(slots=True)
class Ledger:
    """What was sent and what came back; times are seconds on the monotonic clock."""

    sent_at: dict[str, float] = field(default_factory=dict)
    answered_at: dict[str, float] = field(default_factory=dict)
    duplicates: int = 0
    errors: int = 0
    fallbacks: int = 0
    replies: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    """Messages whose turn is stored with no reply: a person has the conversation, or the sender is blocked."""

    def latencies_ms(self) -> list[float]:
        """From publish to answer, in milliseconds, sorted."""
        return sorted((self.answered_at[key] - at) * 1000 for key, at in self.sent_at.items() if key in self.answered_at)

    @property
    def lost(self) -> int:
        """Messages without an answer, nor the decision to say nothing."""
        return len(self.unanswered())

    def unanswered(self) -> set[str]:
        """Their ids."""
        return self.sent_at.keys() - self.answered_at.keys() - self.silent


@dataclass(frozen=True, slots=True)
class Load:
    """How much to send: messages per second, for how long, over how many conversations."""

    rate: float
    duration_s: float
    conversations: int
    run: str
    """Makes message and conversation ids unique to this run."""


def conversations_for(rate: float) -> int:
    """So many that nobody writes more often than once in eight seconds: no burst, no flood."""
    return max(int(rate * 8), 8)


class Reader:
    """Reads the channel's outbound queue as an adapter does, into the ledger of the load that runs."""

    def __init__(self, broker: RabbitBroker) -> None:
        self._broker = broker
        self._task: asyncio.Task[None] | None = None
        self.ledger = Ledger()
        self.arrived = asyncio.Event()

    async def __aenter__(self) -> "Reader":
        reader = await self._broker.consume_queue(self._broker.topology.outbound_queue(CHANNEL), prefetch=500)

        async def read() -> None:
            async for delivery in reader:
                if delivery.content_type == PROTOBUF:
                    reply = pb.OutboundMessage.FromString(delivery.body)
                    self._note(reply.reply_id, list(reply.in_reply_to), fallback=reply.fallback)
                else:
                    data = orjson.loads(delivery.body)
                    self._note(data["reply_id"], data["in_reply_to"], fallback=data["fallback"])
                await self._broker.ack(delivery)

        self._task = asyncio.create_task(read())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _note(self, reply_id: str, message_ids: list[str], *, fallback: bool) -> None:
        now_s = time.perf_counter()
        if reply_id in self.ledger.replies:
            self.ledger.duplicates += 1
        self.ledger.replies.add(reply_id)
        self.ledger.fallbacks += fallback
        for message_id in message_ids:
            self.ledger.answered_at.setdefault(message_id, now_s)
        self.arrived.set()


async def drive(broker: RabbitBroker, reader: Reader, load: Load, tell: Callable[[float, Ledger], None]) -> Ledger:
    """Send, then wait for the rest of the answers, for as long as some still come."""
    ledger = reader.ledger = Ledger()
    started_s = time.perf_counter()
    sends: set[asyncio.Task[None]] = set()
    for number in itertools.count():
        due_s = started_s + number / load.rate
        if due_s - started_s >= load.duration_s:
            break
        if (wait_s := due_s - time.perf_counter()) > 0:
            await asyncio.sleep(wait_s)
        task = asyncio.create_task(_send(broker, load, number, ledger))
        sends.add(task)
        task.add_done_callback(sends.discard)
        if number % max(int(load.rate), 1) == 0:
            tell(time.perf_counter() - started_s, ledger)
    await asyncio.gather(*sends)
    while ledger.lost:
        reader.arrived.clear()
        try:
            async with asyncio.timeout(15):
                await reader.arrived.wait()
        except TimeoutError:
            break
    return ledger


async def _send(broker: RabbitBroker, load: Load, number: int, ledger: Ledger) -> None:
    lap = number // load.conversations
    conversation = f"{CHANNEL}:{load.run}-{number % load.conversations}-{lap // _MESSAGES}"
    message_id = f"{load.run}-{number}"
    texts = questions()
    body = orjson.dumps(
        {
            "message_id": message_id,
            "conversation_id": conversation,
            "channel": CHANNEL,
            "sender_id": "+5541900000000",
            "text": texts[(number * 7 + lap) % len(texts)],
            "published_at_ms": int(time.time() * 1000),
        }
    )
    ledger.sent_at[message_id] = time.perf_counter()
    publication = Publication(broker.topology.inbound, conversation, body, JSON, message_id)
    try:
        await broker.publish(publication, timeout_s=10)
    except Exception:  # the ledger counts it, whatever it was
        ledger.errors += 1
        del ledger.sent_at[message_id]
