"""The customers: conversations with bursts and repeated publishes, drawn from the seed, sent as a channel adapter sends."""

import asyncio
import heapq
import itertools
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import orjson

from bench.chaos.evidence import Accepted
from bench.load import CHANNEL
from common.errors import BrokerUnavailable
from gateway.broker import Publication
from gateway.broker_rabbitmq import RabbitBroker
from gateway.inbound import JSON, PROTOBUF
from protos.conversation.v1 import messages_pb2 as pb

# Questions that get an answer and no person: the ledger must know beforehand what becomes of a message.
QUESTIONS = (
    "oi, bom dia",
    "o que é a pyloto?",
    "vocês fazem entrega para loja de roupa?",
    "quais canais o crm atende?",
    "vcs fazem sistema sob medida pra oficina?",
    "tem diarista pra escritório?",
    "dá pra integrar com meu erp?",
    "vocês automatizam o whatsapp da empresa?",
    "como funciona o funil do crm?",
    "quero trabalhar como entregador, como faço?",
    "isso aqui é um robô?",
    "como vocês tratam os meus dados?",
    "tenho uma lojinha de bolo e preciso levar na casa das clientes",
    "que tipos de serviço vocês têm?",
    "tenho três empresas, o crm atende todas?",
)
FOR_A_PERSON = (
    "quero falar com um atendente humano, por favor",
    "quanto custa o plano do crm?",
    "meu pedido de ontem não chegou até agora",
    "quero contratar vocês, como faço?",
)
BURST_SHARE, DUPLICATE_SHARE, EARLIER_SHARE, ESCALATING_SHARE = 0.2, 0.04, 0.1, 0.12
_BETWEEN_TURNS_S = 8.0
"""A conversation writes about this often: slow enough to be no flood."""
_RETRY_S = 0.3
_GIVE_UP_S = 120.0


@dataclass(frozen=True, slots=True)
class Message:
    """One message to send. `repeat_after_s`: it is published once more, that much later."""

    message_id: str
    conversation_id: str
    number: int
    text: str
    after_s: float
    """Since the message before it."""
    binary: bool
    repeat_after_s: float | None
    repeats: str = ""
    """The id of an earlier message of the conversation that is published once more, right behind this one."""


@dataclass(slots=True)
class Sent:
    """What was sent, by message id; `refused` were never confirmed, in spite of trying again."""

    accepted: dict[str, Accepted] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    repeats: int = 0
    retries: int = 0


def messages(seed: int, rate: float, run: str, *, repeats: bool = True) -> Iterator[Message]:
    """For ever: at `rate` a second on average, from so many conversations that each writes every few seconds.

    `repeats`: some messages are published twice.
    """
    draw = random.Random(f"{seed}:traffic")
    active = [_Conversation(draw, f"{CHANNEL}:{run}-{number}") for number in range(max(int(rate * _BETWEEN_TURNS_S), 4))]
    opened, drawn = len(active), 0
    # What is drawn and not yet sent, by its time: while one conversation is in a burst, others write too.
    ahead: list[tuple[float, int, Message]] = []
    turn_at_s = sent_at_s = 0.0
    for turn in itertools.count():
        while ahead and ahead[0][0] <= turn_at_s:
            at_s, _, message = heapq.heappop(ahead)
            yield replace(message, after_s=at_s - sent_at_s)
            sent_at_s = at_s
        place = turn % len(active)
        conversation = active[place]
        size = draw.randint(2, 4) if draw.random() < BURST_SHARE else 1
        at_s = turn_at_s
        for position in range(size):
            at_s += draw.uniform(0.03, 0.25) if position else 0.0
            repeated = draw.random() < DUPLICATE_SHARE and repeats
            earlier = conversation.last_id if repeats and position and draw.random() < EARLIER_SHARE else ""
            message = Message(
                message_id=f"{run}-{drawn}",
                conversation_id=conversation.conversation_id,
                number=conversation.said,
                text=conversation.next_text(draw),
                after_s=0.0,
                binary=conversation.binary,
                repeats=earlier,
                repeat_after_s=(draw.choice((0.0, draw.uniform(0.1, 1.0), draw.uniform(2.0, 8.0)))) if repeated else None,
            )
            heapq.heappush(ahead, (at_s, drawn, message))
            drawn += 1
        conversation.last_id = f"{run}-{drawn - 1}"
        if conversation.over:
            active[place] = _Conversation(draw, f"{CHANNEL}:{run}-{opened}")
            opened += 1
        turn_at_s += size / rate


class _Conversation:
    """So many messages, of which one may ask for a person; never the same text twice in a row."""

    def __init__(self, draw: random.Random, conversation_id: str) -> None:
        self.conversation_id = conversation_id
        self.binary = draw.random() < 0.25
        self.said = 0
        self.last_id = ""
        """Of the last message of the turn before."""
        self._length = draw.randint(4, 12)
        self._for_a_person = draw.randrange(2, self._length) if draw.random() < ESCALATING_SHARE else -1
        self._questions = draw.sample(QUESTIONS, len(QUESTIONS))

    @property
    def over(self) -> bool:
        return self.said >= self._length

    def next_text(self, draw: random.Random) -> str:
        number, self.said = self.said, self.said + 1
        return draw.choice(FOR_A_PERSON) if number == self._for_a_person else self._questions[number % len(self._questions)]


class Customers:
    """Publishes, and repeats until the broker has confirmed; in order within a conversation."""

    def __init__(self, broker: RabbitBroker) -> None:
        self._broker = broker
        self._order: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._sends: set[asyncio.Task[None]] = set()
        self._publications: dict[str, Publication] = {}
        self.sent = Sent()

    async def write(
        self, plan: Iterator[Message], count: int, tell: Callable[[Sent], None], *, over: asyncio.Event | None = None
    ) -> None:
        """Send `count` messages at their times, whatever the system does, and wait until the last is confirmed.

        Ends before that when `over` is set.
        """
        due_s = time.perf_counter()
        for number in range(count):
            if over is not None and over.is_set():
                break
            message = next(plan)
            due_s += message.after_s
            if (wait_s := due_s - time.perf_counter()) > 0:
                await asyncio.sleep(wait_s)
            self._spawn(message)
            if number % 50 == 0:
                tell(self.sent)
        await self.settle()

    async def settle(self) -> None:
        """Wait for what is on its way."""
        while self._sends:
            await asyncio.gather(*self._sends)

    def _spawn(self, message: Message) -> None:
        task = asyncio.create_task(self._send(message))
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)

    async def _send(self, message: Message) -> None:
        written_at_s = time.time()
        self.sent.texts[message.message_id] = message.text
        publication = self._publications[message.message_id] = _publication(self._broker, message, written_at_s)
        async with self._order[message.conversation_id]:
            if not await self._published(publication):
                self.sent.refused.append(message.message_id)
                return
            self.sent.accepted[message.message_id] = Accepted(
                message.message_id, message.conversation_id, message.number, written_at_s
            )
            if message.repeats:
                self.sent.repeats += await self._published(self._publications[message.repeats])
        if message.repeat_after_s is not None:
            await asyncio.sleep(message.repeat_after_s)
            self.sent.repeats += await self._published(publication)

    async def _published(self, publication: Publication) -> bool:
        gives_up_at_s = time.monotonic() + _GIVE_UP_S
        while time.monotonic() < gives_up_at_s:
            try:
                await self._broker.publish(publication, timeout_s=5.0)
                return True
            except BrokerUnavailable:
                self.sent.retries += 1
                await asyncio.sleep(_RETRY_S)
        return False


def _publication(broker: RabbitBroker, message: Message, written_at_s: float) -> Publication:
    inbound = pb.InboundMessage(
        message_id=message.message_id,
        conversation_id=message.conversation_id,
        channel=CHANNEL,
        sender_id="+5541900000000",
        kind=pb.INBOUND_KIND_TEXT,
        text=message.text,
        published_at_ms=int(written_at_s * 1000),
    )
    names = ("message_id", "conversation_id", "channel", "sender_id", "text", "published_at_ms")
    body = inbound.SerializeToString() if message.binary else orjson.dumps({name: getattr(inbound, name) for name in names})
    content_type = PROTOBUF if message.binary else JSON
    return Publication(broker.topology.inbound, message.conversation_id, body, content_type, message.message_id)
