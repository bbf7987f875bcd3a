"""A gateway on the broker in memory and the real store, with services that answer as the test says."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson

from common import mongo
from common.context import ContextClient
from common.deadline import Deadline
from common.institution import Institution
from common.mongo import Database
from common.taxonomy import Action, Category, Source, State, Vertente
from common.turn import Determination, Turn
from gateway.answer_turn import AnswerTurn
from gateway.broker import DeadLetter, Delivery, Publication, Reader
from gateway.broker_memory import MemoryBroker, MemoryHub
from gateway.compose import Form
from gateway.consumer import Consumer, ConsumerLimits
from gateway.inbound import JSON
from gateway.services import Determined, Formed, Services, Worded
from gateway.store import TurnStore
from gateway.topology import Topology
from gateway.turn_record import TurnRecord
from protos.fsm.v1 import fsm_pb2
from tests.institution import shipped
from tests.store import store_settings

WAIT_S = 5.0
FOUND = Determination(
    action=Action.ANSWER,
    vertente=Vertente.ENTREGA,
    category=Category.ENTREGAS,
    intent="PYLOTO_ENTREGA_O_QUE_E",
    confidence=0.9,
    reasoning="test",
)


class FakeServices(Services):
    """Answers each turn with its own text; remembers what was asked. `hold` keeps turns running until it is set."""

    def __init__(self) -> None:
        self.asked: list[TurnRecord] = []
        self.without_model: list[bool] = []
        self.word_until: list[Deadline] = []
        """The deadlines of the calls of `generate_response`."""
        self.completed: list[fsm_pb2.CompleteTurnRequest] = []
        self.completing = asyncio.Event()
        """Until it is set, `complete_turn` hangs."""
        self.completing.set()
        self.completion_failures: list[Exception] = []
        """Raised by the next calls of `complete_turn`, one each."""
        self.running = 0
        self.most_running = 0
        self.hold = asyncio.Event()
        self.hold.set()
        self.found = FOUND
        self.resting = State.AWAITING_USER
        self.form = Form()
        self.failures: list[Exception] = []
        """Raised by the next calls of `determine_state`, one each."""
        self.say: Callable[[Turn], str] = lambda turn: f"resposta a {turn.customer_text}"
        self.word_failure: Exception | None = None
        self.form_failure: Exception | None = None

    async def determine_state(self, turn: TurnRecord, deadline: Deadline, *, without_model: bool) -> Determined:
        """As `found` and `resting` say."""
        self.asked.append(turn)
        self.without_model.append(without_model)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            if self.failures:
                raise self.failures.pop(0)
            await self.hold.wait()
        finally:
            self.running -= 1
        return Determined("session-1", State.INIT, self.resting, self.found, (), Source.MODEL, turn.text, repeated=False)

    async def generate_response(self, turn: Turn, deadline: Deadline) -> Worded:
        """As `say` says."""
        self.word_until.append(deadline)
        if self.word_failure:
            raise self.word_failure
        return Worded(self.say(turn), Source.MODEL, 1, ())

    async def select_message_type(self, turn: Turn, deadline: Deadline) -> Formed:
        """As `form` says."""
        if self.form_failure:
            raise self.form_failure
        return Formed(self.form, Source.MODEL, 1)

    async def complete_turn(self, completion: bytes, deadline: Deadline) -> None:
        """Remember it."""
        if self.completion_failures:
            raise self.completion_failures.pop(0)
        await self.completing.wait()
        self.completed.append(fsm_pb2.CompleteTurnRequest.FromString(completion))


class FixedContext(ContextClient):
    """The shipped documents, from nowhere."""

    def __init__(self) -> None:
        """Nothing to connect to."""

    async def current(self, deadline: Deadline) -> Institution:
        """At once."""
        return shipped()


class WatchedBroker(MemoryBroker):
    """Remembers which deliveries were acknowledged, and says when it was paused."""

    def __init__(self, hub: MemoryHub) -> None:
        super().__init__(hub)
        self.acked: list[str] = []
        self.paused = asyncio.Event()

    async def pause(self) -> None:
        """As the broker does."""
        await super().pause()
        self.paused.set()

    async def ack(self, delivery: Delivery) -> None:
        """As the broker does."""
        self.acked.append(delivery.message_id)
        await super().ack(delivery)


@dataclass
class Setting:
    """One gateway, what it talks to, and what leaves it."""

    topology: Topology
    hub: MemoryHub
    broker: WatchedBroker
    consumer: Consumer
    services: FakeServices
    store: TurnStore
    replies: Reader[Publication]
    escalations: Reader[Publication]
    events: Reader[Publication]
    publisher: MemoryBroker
    answer_turn: AnswerTurn
    limits: ConsumerLimits
    stopped: bool = field(default=False)

    async def send(self, *ids: str, conversation: str = "ana", **fields: object) -> None:
        """Publish messages, by their ids; the text is the id unless fields say otherwise."""
        for message_id in ids:
            await self.send_raw(body(message_id, conversation, **fields), message_id, conversation=conversation)

    async def send_raw(self, raw: bytes, message_id: str, *, conversation: str = "ana", content_type: str = JSON) -> None:
        """Publish any body."""
        publication = Publication(self.topology.inbound, conversation, raw, content_type, message_id)
        await self.publisher.publish(publication, timeout_s=1)

    async def reply(self) -> dict[str, object]:
        """The next reply that leaves."""
        decoded = orjson.loads((await self.replies.next(timeout_s=WAIT_S)).body)
        assert isinstance(decoded, dict)
        return decoded

    async def replied(self, count: int) -> list[dict[str, object]]:
        """The next replies, in order."""
        return [await self.reply() for _ in range(count)]

    async def dead_letter(self) -> DeadLetter:
        """The first dead letter, once there is one."""
        await until(lambda: self.hub.queues[self.topology.dead_letters].ready)
        return (await self.publisher.dead_letters(10))[0]

    async def stop(self, drain_s: float = 5.0) -> None:
        """Stop the consumer; what is un-acked goes back."""
        self.stopped = True
        await self.consumer.stop(drain_s)

    async def another(self) -> Consumer:
        """A second replica on the same broker and store, started."""
        broker = WatchedBroker(self.hub)
        await broker.start()
        answer_turn = AnswerTurn(self.services, FixedContext(), self.store, broker, "key")
        consumer = Consumer(broker, answer_turn, self.store, self.limits, "key")
        await consumer.start()
        return consumer


def body(message_id: str, conversation: str = "ana", **fields: object) -> bytes:
    """A valid message."""
    return orjson.dumps(
        {
            "message_id": message_id,
            "conversation_id": conversation,
            "channel": "console",
            "sender_id": "1",
            "text": message_id,
            **fields,
        }
    )


async def until(holds: Callable[[], object]) -> None:
    """Wait for what happens in the gateway's own time and is announced to nobody."""
    async with asyncio.timeout(WAIT_S):
        while not holds():  # noqa: ASYNC110 - there is nothing to be told by
            await asyncio.sleep(0.005)


@asynccontextmanager
async def gateway(
    open_store: Callable[[Database], TurnStore] = TurnStore, *, max_turns: int = 64, channels: Sequence[str] = ("console",)
) -> AsyncIterator[Setting]:
    """A started gateway."""
    topology = Topology(partitions=4, outbound_channels=(), transient_channels=tuple(channels))
    hub = MemoryHub(topology)
    broker, publisher = WatchedBroker(hub), MemoryBroker(hub)
    await broker.start()
    await publisher.start()
    services = FakeServices()
    async with mongo.connect(store_settings(), "gateway") as database:
        store = open_store(database)
        answer_turn = AnswerTurn(services, FixedContext(), store, broker, "key")
        limits = ConsumerLimits(frozenset(channels), max_turns, turn_deadline_s=2.8, model_needs_s=1.2, late_deadline_s=2.0)
        consumer = Consumer(broker, answer_turn, store, limits, "key")
        setting = Setting(
            topology,
            hub,
            broker,
            consumer,
            services,
            store,
            await publisher.subscribe(topology.outbound, "#"),
            await publisher.subscribe(topology.escalations, "#"),
            await publisher.subscribe(topology.events, "#"),
            publisher,
            answer_turn,
            limits,
        )
        await consumer.start()
        yield setting
        services.hold.set()
        services.completing.set()
        if not setting.stopped:
            await consumer.stop(5)
        await broker.close()
        await publisher.close()
