"""One turn, from the customer's message to the confirmed reply and what follows it, top-down.

What stops the turn (it is tried again, by the same turn id, until it is through): the FSM service, the store, the broker.
What only degrades it: the response service (the canonical text is said) and the message-type service (plain TEXT).
"""

import asyncio
import enum
import time
from contextlib import AbstractContextManager

import structlog
from opentelemetry.trace import SpanKind

import guard
from common import metrics
from common.canonical_text import canonical_text
from common.context import ContextClient
from common.deadline import Deadline
from common.errors import BrokerUnavailable, NotFound, PylotoError
from common.institution import Institution
from common.observability import SPAN_SEND, span
from common.taxonomy import Action, Source, State
from common.turn import Turn, kind_number, source_number
from gateway import outbound
from gateway.broker import Broker
from gateway.channel_limits import limits_of
from gateway.compose import Composed, Form, compose
from gateway.outbound import Happening
from gateway.services import Determined, Formed, Services, Worded
from gateway.store import TurnStore
from gateway.turn_record import Blocked, SavedAnswer, TurnRecord
from protos.conversation.v1 import messages_pb2 as pb
from protos.fsm.v1 import fsm_pb2

LATER_TASKS_S = 1.15
"""What the FSM call leaves of the turn's time for the two later tasks, which take longer than its own; at most half of it."""
FINISH_S = 0.5
"""What the later tasks leave for composing, saving and publishing (10 ms when idle, but other processes may be
starting on the same cores); at most half."""
COMMIT_S = 5.0
"""How long one of those steps, or the context, may take; past the turn's deadline too, since the answer is ready."""

_NO_FORM = Formed(Form(), Source.FALLBACK, 0)

_log = structlog.get_logger("gateway")


class Effort(enum.Enum):
    """What a turn may cost, by how much time its messages have left and how busy the system is."""

    MODEL = enum.auto()
    """All three tasks may ask the model."""
    RULES = enum.auto()
    """No task asks the model."""
    TEXT = enum.auto()
    """As RULES, and of the services only the FSM's is asked: the canonical text goes out, without a menu."""


class AnswerTurn:
    """Answers turns; every step may be repeated with the same result."""

    def __init__(
        self, services: Services, context: ContextClient, store: TurnStore, broker: Broker, pseudonym_key: str
    ) -> None:
        self._services = services
        self._context = context
        self._store = store
        self._broker = broker
        self._pseudonym_key = pseudonym_key

    async def answer(self, turn: TurnRecord, deadline: Deadline, effort: Effort = Effort.MODEL) -> SavedAnswer:
        """The turn until the broker has confirmed the reply; `conclude` is still owed. Raises what a later attempt may mend."""
        answer = turn.answer or await self._compute(turn, deadline, effort)
        await self._reply(turn, answer)
        return answer

    async def conclude(self, turn: TurnRecord, answer: SavedAnswer) -> None:
        """What the customer does not wait for: the end of the turn in its session, then the hand-off and the events.

        In this order, so that a person who takes over finds the state that the hand-off tells. Raises what a later attempt may
        mend, perhaps in a group.
        """
        await self._complete(turn, answer)
        await self._tell(turn, answer)

    async def _compute(self, turn: TurnRecord, deadline: Deadline, effort: Effort) -> SavedAnswer:
        """Ask the services, compose, guard, and save the answer."""
        without_model = effort is not Effort.MODEL
        determined = await self._services.determine_state(
            turn, deadline.minus(min(LATER_TASKS_S, deadline.remaining_s() / 2)), without_model=without_model
        )
        if determined.determination.action is Action.STAY_SILENT:
            return await self._saved(turn, self._silence(turn, determined))
        asked = Turn(
            turn_id=turn.turn_id,
            conversation_id=turn.conversation_id,
            channel=turn.channel,
            customer_text=turn.text,
            determination=determined.determination,
            recent=determined.recent,
            first_attempt=not determined.repeated,
            without_model=without_model,
        )
        worded, formed = None, _NO_FORM
        if effort is Effort.TEXT:
            for task in ("response", "msgtype"):
                metrics.TASK_FALLBACKS.labels(task, "overload").inc()
        else:
            worded, formed = await self._word_and_form(asked, deadline.minus(min(FINISH_S, deadline.remaining_s() / 2)))
        institution = await self._context.current(Deadline.after(COMMIT_S))
        if worded is None:
            worded = Worded(canonical_text(determined.determination, institution), Source.FALLBACK, 0, ())
        composed = compose(worded.text, formed.form, limits_of(turn.channel))
        composed, blocked = self._guard_last(composed, turn, institution)
        return await self._saved(turn, self._fixed(turn, determined, worded, formed, composed, blocked))

    async def _saved(self, turn: TurnRecord, answer: SavedAnswer) -> SavedAnswer:
        """From here on the answer can only be sent again, never computed again."""
        return await self._store.save_answer(turn, answer)

    async def _word_and_form(self, turn: Turn, deadline: Deadline) -> tuple[Worded | None, Formed]:
        """Both at the same time; a failure of one costs only what it would have added."""
        async with asyncio.TaskGroup() as tasks:
            wording = tasks.create_task(self._word(turn, deadline))
            forming = tasks.create_task(self._form(turn, deadline))
        return wording.result(), forming.result()

    async def _word(self, turn: Turn, deadline: Deadline) -> Worded | None:
        try:
            return await self._services.generate_response(turn, deadline)
        except PylotoError as error:
            _log.warning("no text from the response service, the canonical one is said", error=str(error))
            metrics.TASK_FALLBACKS.labels("response", "service_unavailable").inc()
            return None

    async def _form(self, turn: Turn, deadline: Deadline) -> Formed:
        try:
            return await self._services.select_message_type(turn, deadline)
        except PylotoError as error:
            _log.warning("no form from the message-type service, plain text goes out", error=str(error))
            metrics.TASK_FALLBACKS.labels("msgtype", "service_unavailable").inc()
            return _NO_FORM

    def _guard_last(
        self, composed: Composed, turn: TurnRecord, institution: Institution
    ) -> tuple[Composed, tuple[Blocked, ...]]:
        """The last door: nothing leaves unchecked. What is blocked here is replaced by the safe text, checked at load.

        Doubts were the response service's to judge: here they would block what its judge has cleared.
        """
        verdict = guard.check_parts(composed.words(), customer_text=turn.text, doubts_matter=False)
        if not verdict.findings:
            return composed, ()
        violations = tuple(sorted({finding.violation.value for finding in verdict.findings}))
        for violation in violations:
            metrics.GUARD_BLOCKS.labels("gateway", violation).inc()
        _log.warning("composed message blocked, the safe text goes out", violations=violations)
        text = "\n".join(composed.words())
        blocked = tuple(Blocked(text, f.violation, f.rule, f.reason, institution.version) for f in verdict.findings)
        return compose(institution.phrases["SAFE"], Form(), limits_of(turn.channel)), blocked

    def _fixed(
        self,
        turn: TurnRecord,
        determined: Determined,
        worded: Worded,
        formed: Formed,
        composed: Composed,
        blocked: tuple[Blocked, ...],
    ) -> SavedAnswer:
        """Everything that will leave, fixed before any of it does."""
        now_ms = _now_ms()
        found = determined.determination
        fallback = Source.FALLBACK in {determined.source, worded.source, formed.source}
        message = outbound.outbound_message(turn, composed, determined.resting_state, fallback=fallback, now_ms=now_ms)
        if composed.degraded:
            metrics.DEGRADED_FORMS.labels(formed.form.kind, composed.kind).inc()
        said = "\n".join((composed.text, *composed.further_texts)).strip()
        return SavedAnswer(
            outbound=message,
            escalation=outbound.escalation(turn, determined, said, now_ms) if found.action is Action.HAND_OFF else None,
            events=self._events(
                turn, determined, composed, (*worded.blocked, *(it.violation for it in blocked)), fallback=fallback
            ),
            completion=fsm_pb2.CompleteTurnRequest(
                turn_id=turn.turn_id,
                conversation_id=turn.conversation_id,
                reply_text=said,
                reply_id=message.reply_id,
                kind=kind_number(composed.kind),
                response_ms=worded.latency_ms,
                msgtype_ms=formed.latency_ms,
                response_source=source_number(worded.source),
                msgtype_source=source_number(formed.source),
                option_ids=[choice.id for choice in composed.choices],
            ).SerializeToString(),
            blocked=blocked,
        )

    def _silence(self, turn: TurnRecord, determined: Determined) -> SavedAnswer:
        """Nothing is said. When a person has the conversation, the message is forwarded to them."""
        with_person = determined.resting_state is State.ESCALATING
        return SavedAnswer(
            outbound=None,
            escalation=outbound.escalation(turn, determined, "", _now_ms()) if with_person else None,
            events=self._events(turn, determined, None, (), fallback=False),
            completion=fsm_pb2.CompleteTurnRequest(
                turn_id=turn.turn_id, conversation_id=turn.conversation_id
            ).SerializeToString(),
        )

    def _events(
        self, turn: TurnRecord, determined: Determined, composed: Composed | None, blocked: tuple[str, ...], *, fallback: bool
    ) -> tuple[pb.Event, ...]:
        now_ms = _now_ms()
        latency_ms = max(now_ms - (turn.published_at_ms or turn.opened_at_ms), 0)

        def event(kind: str, reason: str = "") -> pb.Event:
            happening = Happening(
                type=kind,
                determination=determined.determination,
                from_state=determined.previous_state,
                to_state=determined.resting_state,
                fallback=fallback,
                message_count=len(turn.message_keys),
                latency_ms=latency_ms,
                composed=composed,
                reason=reason,
            )
            return outbound.event(turn, happening, self._pseudonym_key, now_ms)

        events = [event("turn_answered", "" if composed else "silent")]
        if determined.previous_state is not determined.resting_state:
            events.append(event("state_changed"))
        if determined.determination.action is Action.HAND_OFF:
            events.append(event("escalated", determined.determination.escalation_reason))
        events.extend(event("guard_blocked", violation) for violation in sorted(set(blocked)))
        return tuple(events)

    async def _reply(self, turn: TurnRecord, answer: SavedAnswer) -> None:
        if answer.outbound is None:
            return
        with _sending(turn):
            reply = outbound.reply_publication(answer.outbound, turn.content_type, self._broker.topology)
            await self._broker.publish(reply, timeout_s=COMMIT_S)

    async def _complete(self, turn: TurnRecord, answer: SavedAnswer) -> None:
        try:
            await self._services.complete_turn(answer.completion, Deadline.after(COMMIT_S))
        except NotFound as error:
            # The conversation has moved on past this turn (it was set aside and replayed); its answer was still owed.
            _log.warning("turn not completed in its session", error=str(error))

    async def _tell(self, turn: TurnRecord, answer: SavedAnswer) -> None:
        """A hand-off must be confirmed; an event that nobody could take is only logged."""
        topology = self._broker.topology
        with _sending(turn):
            async with asyncio.TaskGroup() as confirms:
                if answer.escalation is not None:
                    hand_off = outbound.escalation_publication(answer.escalation, topology)
                    confirms.create_task(self._broker.publish(hand_off, timeout_s=COMMIT_S))
                for event in answer.events:
                    confirms.create_task(publish_event(event, self._broker))


def _sending(turn: TurnRecord) -> AbstractContextManager[object]:
    """The span whose trace the messages carry on."""
    return span(SPAN_SEND, SpanKind.PRODUCER, {"messaging.system": "rabbitmq", "pyloto.turn_id": turn.turn_id})


async def publish_event(event: pb.Event, broker: Broker) -> None:
    """Events are for whoever listens: one that cannot be published holds nothing up."""
    try:
        await broker.publish(outbound.event_publication(event, broker.topology), timeout_s=COMMIT_S)
    except BrokerUnavailable as error:
        _log.warning("event not published", type=event.type, error=str(error))


def _now_ms() -> int:
    return int(time.time() * 1000)
