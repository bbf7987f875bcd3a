"""From deliveries to turns: in order within a conversation, concurrent across conversations, bursts answered together.

| what happened to a turn                          | what is done with its messages                     |
|---|---|
| answered, or known to be answered                | acknowledged                                       |
| something of ours is away (store, FSM, broker)   | tried again here, in place, until it is through    |
| an error that trying again cannot mend, 3 times  | dead-lettered with the reason                      |
| the body is not a valid message                  | dead-lettered with the field and what was expected |
| the process stops, or the channel is lost        | left un-acked: the broker delivers them again      |
"""

import asyncio
import time
from collections import deque
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import structlog
from opentelemetry.trace import SpanKind

from common import metrics
from common.deadline import Deadline
from common.errors import BrokerUnavailable, Conflict, DeadlineExceeded, InvalidInput, PylotoError
from common.observability import SPAN_PROCESS, incoming_trace, span
from common.pace import Pace
from gateway import outbound
from gateway.answer_turn import AnswerTurn, Effort, publish_event
from gateway.batch import Batch, Lane, Waiting, next_batch, of_turn, opened
from gateway.broker import Broker, Delivery
from gateway.inbound import decode, lag_s
from gateway.published import PublishedMarks
from gateway.store import TurnStore
from gateway.turn_record import SavedAnswer, TurnRecord

UNEXPECTED_ATTEMPTS = 3
_FIRST_BACKOFF_S = 0.05
_LONGEST_BACKOFF_S = 2.0
PROMISE_S = 3.0
_IN_TIME_S = 0.8
"""With so much left a message can still be answered within its deadline, if not by the model; it gets no more."""
_WITH_MODEL = "turn with the model"
LATE_TURNS = 24
"""At once: they are made of CPU alone, so that more would only hold one another up, past the deadlines of their calls."""

_log = structlog.get_logger("gateway")


@dataclass(frozen=True, slots=True)
class ConsumerLimits:
    """What the settings say; times in seconds."""

    channels: frozenset[str]
    max_turns: int
    turn_deadline_s: float
    model_needs_s: float
    late_deadline_s: float


class Consumer:
    """Takes deliveries from the broker and answers them; `stop` hands over without losing order."""

    def __init__(
        self, broker: Broker, answer_turn: AnswerTurn, store: TurnStore, limits: ConsumerLimits, pseudonym_key: str
    ) -> None:
        self._broker = broker
        self._answer_turn = answer_turn
        self._store = store
        self._published = PublishedMarks(store)
        self._limits = limits
        self._pseudonym_key = pseudonym_key
        self._pace = Pace(share=1.0)
        self._lanes: dict[str, Lane] = {}
        self._running: dict[int, set[asyncio.Task[None]]] = {}
        self._slots = asyncio.Semaphore(limits.max_turns)
        self._late_slots = asyncio.Semaphore(LATE_TURNS)
        self._without_model = 0
        """Turns that get no model and are not answered yet: at most LATE_TURNS of them run, the others wait."""
        self._stopping = asyncio.Event()

    async def start(self) -> None:
        """Subscribe to every partition."""
        await self._broker.consume(self._on_delivery, self._on_lost)

    async def stop(self, drain_s: float) -> None:
        """Start nothing new, let running turns finish, give up each partition as soon as its turns are done.

        The subscriptions are not cancelled first: the broker would hand newer messages of a conversation to another replica
        while a turn of it is still running here.
        """
        self._stopping.set()
        await self._broker.pause()
        partitions = range(self._broker.topology.partitions)
        async with asyncio.TaskGroup() as releases:
            for partition in partitions:
                releases.create_task(self._drain(partition, drain_s))
        await self._published.flush()

    async def _drain(self, partition: int, drain_s: float) -> None:
        if running := self._running.get(partition):
            _, late = await asyncio.wait(running, timeout=drain_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._broker.release(partition)

    def _on_delivery(self, delivery: Delivery) -> None:
        """Into the lane of its conversation; the lane's task is started when it does not run."""
        try:
            message = decode(delivery.body, delivery.content_type, self._limits.channels)
        except InvalidInput as error:
            self._spawn(delivery.partition, self._set_aside((delivery,), str(error)))
            return
        metrics.QUEUE_LAG_SECONDS.observe(lag_s(message))
        lane = self._lanes.get(message.conversation_id)
        if lane is not None:
            lane.waiting.append(Waiting(message, delivery))
            return
        lane = Lane(deque((Waiting(message, delivery),)))
        self._lanes[message.conversation_id] = lane
        self._spawn(delivery.partition, self._work_off(message.conversation_id, lane))

    def _on_lost(self, partition: int) -> None:
        """What waits for its turn will be delivered again; running turns go on, their acknowledgement does nothing."""
        for lane in self._lanes.values():
            lane.waiting = deque(item for item in lane.waiting if item.delivery.partition != partition)

    def _spawn(self, partition: int, work: Coroutine[object, object, None]) -> None:
        tasks = self._running.setdefault(partition, set())
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def _work_off(self, conversation_id: str, lane: Lane) -> None:
        """One batch after the other until nothing waits; what arrives meanwhile is the next batch."""
        structlog.contextvars.clear_contextvars()
        try:
            while lane.waiting and not self._stopping.is_set():
                async with self._slots:
                    if not self._stopping.is_set() and (items := next_batch(lane)):
                        await self._answer_batch(Batch(items, int(time.time() * 1000)))
        finally:
            del self._lanes[conversation_id]

    async def _answer_batch(self, batch: Batch) -> None:
        """Try again in place, so that order is kept, until every message is answered, set aside, or we stop."""
        backoff_s, unexpected = _FIRST_BACKOFF_S, 0
        while True:
            try:
                await self._answer_once(batch)
                return
            except BaseExceptionGroup as group:
                error: BaseException = _first(group)
            except PylotoError as failure:
                error = failure
            except Exception as failure:  # whatever it is, the messages are not lost by it
                error = failure
            if isinstance(error, asyncio.CancelledError):
                raise error
            metrics.TURN_RETRIES.labels(type(error).__name__).inc()
            if isinstance(error, PylotoError) and (error.retryable or isinstance(error, DeadlineExceeded)):
                _log.warning("turn is tried again", error=str(error), backoff_s=backoff_s)
            else:
                unexpected = UNEXPECTED_ATTEMPTS if isinstance(error, InvalidInput) else unexpected + 1
                _log.error("unexpected error in a turn", exc_info=error, attempt=unexpected)
            if unexpected >= UNEXPECTED_ATTEMPTS and len(batch.items) > 1:
                await self._answer_one_by_one(batch)
                return
            if unexpected >= UNEXPECTED_ATTEMPTS:
                reason = str(error) if isinstance(error, PylotoError) else f"internal error: {type(error).__name__}"
                await self._set_aside([item.delivery for item in batch.items], reason)
                return
            if await self._stops_within(backoff_s):
                return
            backoff_s = min(backoff_s * 2, _LONGEST_BACKOFF_S)

    async def _answer_one_by_one(self, batch: Batch) -> None:
        """One of them is to blame; the others need not be set aside with it."""
        for item in batch.items:
            if not self._stopping.is_set():
                await self._answer_batch(replace(batch, items=(item,)))

    async def _answer_once(self, batch: Batch) -> None:
        """Open a turn for the batch; when some of its messages have one already, resume that as it was grouped, first."""
        by_key = {item.message.key: item for item in batch.items}
        turn = opened(list(by_key.values()), batch)
        # One message is most often new, and one insert says so. Of several, some may be repetitions, which no new turn may
        # claim: that is asked first.
        if len(by_key) == 1 and await self._store.open(turn):
            _count_repeated(turn, batch.items, batch)
            await self._run(turn, batch.items, batch)
        else:
            await self._resume_known(by_key, batch)
        for item in batch.items:
            await self._broker.ack(item.delivery)

    async def _resume_known(self, by_key: Mapping[str, Waiting], batch: Batch) -> None:
        known = await self._store.turns_of(tuple(by_key))
        if any(turn.conversation_id != by_key[key].message.conversation_id for key, turn in known.items()):
            raise InvalidInput("message_id", "expected one that no other conversation of the channel has used")
        turns = {turn.key: turn for turn in known.values()}
        for turn in turns.values():
            # The process that opened it may have died before it had claimed all its messages.
            await self._store.claim(turn)
            await self._resume(turn, of_turn(turn, batch), batch)
        claimed = {key for turn in turns.values() for key in turn.message_keys}
        fresh = [item for key, item in by_key.items() if key not in claimed]
        if fresh:
            turn = opened(fresh, batch)
            if not await self._store.open(turn):
                raise Conflict("another replica opened a turn with one of these messages")
            _count_repeated(turn, of_turn(turn, batch), batch)
            await self._run(turn, of_turn(turn, batch), batch)

    async def _resume(self, turn: TurnRecord, items: Sequence[Waiting], batch: Batch) -> None:
        """A turn that was published is not sent again when only the broker repeats itself; a publisher that repeats gets it."""
        _count_repeated(turn, items, batch)
        if turn.answer and all(item.delivery.redelivered for item in items) and await self._published.includes(turn):
            return
        await self._run(turn, items, batch)

    async def _run(self, turn: TurnRecord, items: Sequence[Waiting], batch: Batch) -> None:
        structlog.contextvars.bind_contextvars(correlation_id=turn.turn_id)
        headers = {name: str(value) for name, value in items[0].delivery.headers.items()}
        metrics.TURNS_IN_FLIGHT.inc()
        try:
            with span(
                SPAN_PROCESS,
                SpanKind.CONSUMER,
                {"messaging.system": "rabbitmq", "messaging.batch.message_count": len(items), "pyloto.turn_id": turn.turn_id},
                parent=incoming_trace(headers),
            ):
                if turn.key not in batch.replied:
                    batch.replied[turn.key] = await self._reply(turn, items)
                await self._answer_turn.conclude(turn, batch.replied[turn.key])
        finally:
            metrics.TURNS_IN_FLIGHT.dec()
        self._published.add(turn)

    async def _reply(self, turn: TurnRecord, items: Sequence[Waiting]) -> SavedAnswer:
        left_s = self._left_s(items)
        if self._time_for_model(left_s):
            with self._timed():
                answer = await self._answer_turn.answer(turn, Deadline.after(left_s), Effort.MODEL)
        else:
            self._without_model += 1
            try:
                async with self._late_slots:
                    answer = await self._answer_late(turn, self._left_s(items))
            finally:
                self._without_model -= 1
        self._count(turn, items, fallback=answer.outbound is not None and answer.outbound.fallback)
        return answer

    def _left_s(self, items: Sequence[Waiting]) -> float:
        """Of the time for a turn, counted from publication; negative when it is over."""
        return self._limits.turn_deadline_s - max(lag_s(item.message) for item in items)

    def _time_for_model(self, left_s: float) -> bool:
        """Whether the model may be asked: no call is paid for that could not finish, by how long turns take at the moment.

        Nor while as many late turns wait as run: what they wait for is CPU, and whoever comes after them would be late as well.
        """
        if left_s < self._limits.model_needs_s or self._without_model >= 2 * LATE_TURNS:
            return False
        return self._pace.allows(_WITH_MODEL, left_s)

    async def _answer_late(self, turn: TurnRecord, left_s: float) -> SavedAnswer:
        """So a backlog is worked off at the pace of the deterministic path; when turns queue for it, at its cheapest."""
        deadline = Deadline.after(left_s if left_s >= _IN_TIME_S else self._limits.late_deadline_s)
        effort = Effort.TEXT if self._late_slots.locked() else Effort.RULES
        return await self._answer_turn.answer(turn, deadline, effort)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        started_s = time.perf_counter()
        try:
            yield
        finally:
            # No longer than the deadline: after an outage of minutes the next messages must get the model again.
            self._pace.observe(_WITH_MODEL, min(time.perf_counter() - started_s, self._limits.turn_deadline_s))

    def _count(self, turn: TurnRecord, items: Sequence[Waiting], *, fallback: bool) -> None:
        took_s = max(lag_s(item.message) for item in items)
        metrics.MESSAGES.labels("answered").inc(len(items))
        metrics.BURST_SIZE.observe(len(turn.message_keys))
        metrics.TURN_SECONDS.labels(str(fallback).lower()).observe(took_s)
        if took_s > PROMISE_S:
            metrics.LATE_ANSWERS.inc()
        _log.info("turn answered", messages=len(items), seconds=round(took_s, 3), fallback=fallback)

    async def _set_aside(self, deliveries: Sequence[Delivery], reason: str) -> None:
        """To the dead letters, with the reason; until the broker takes it."""
        for delivery in deliveries:
            while True:
                try:
                    await self._broker.dead_letter(delivery, reason)
                    break
                except BrokerUnavailable as error:
                    _log.warning("dead letter not taken yet", error=str(error))
                    if await self._stops_within(_LONGEST_BACKOFF_S):
                        return
            # The whole reason is with the dead letter; it may quote the customer, so all others get the field alone.
            field_name = reason.partition(":")[0][:40]
            metrics.DEAD_LETTERS.labels(field_name).inc()
            metrics.MESSAGES.labels("dead_lettered").inc()
            _log.warning("message set aside", reason=field_name, message_id=delivery.message_id)
            now_ms = int(time.time() * 1000)
            happened = outbound.dead_letter_event(delivery, field_name, self._pseudonym_key, now_ms)
            await publish_event(happened, self._broker)

    async def _stops_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True


def _count_repeated(turn: TurnRecord, items: Sequence[Waiting], batch: Batch) -> None:
    """What came although its turn had begun; in a turn that began here, what came more than once. Once for all attempts."""
    if turn.key in batch.counted:
        return
    batch.counted.add(turn.key)
    began_here = turn.opened_at_ms == batch.begun_at_ms
    first_copies = len({item.message.key for item in items}) if began_here else 0
    metrics.DUPLICATES.inc(len(items) - first_copies)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
