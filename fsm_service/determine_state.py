"""LLM task 1: where does the conversation go? From an arrival to a stored decision, top-down."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from common import metrics
from common.context import ContextClient
from common.deadline import Deadline
from common.errors import Conflict
from common.ids import derived_id
from common.institution import Institution, Option
from common.model_task import Model, Task
from common.single_flight import SingleFlight
from common.taxonomy import Action, Category, State, Vertente
from common.turn import Determination, Exchange, Provenance
from fsm_service import abuse, fallback
from fsm_service.abuse import Abuse, AbuseLimits
from fsm_service.decide import Decision, by_option
from fsm_service.prompt import Proposal
from fsm_service.session import Session, TurnResult
from fsm_service.states import TO_UNDERSTANDING
from fsm_service.store import SessionStore
from fsm_service.understand import Understand, Understood, memory_of, without_model

MAX_INTENTS = 3
"""Intents per conversation (`contexto_llm/doc.md`, usual life of a conversation); the next one opens a new session."""
_SURE_OF_ANOTHER_LINE = 0.6
"""Confidence with which a message to the person who has the conversation changes its business line."""
_WRITES = 4
"""Attempts at a version-checked write before the caller is told to try again."""

_log = structlog.get_logger("fsm")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One turn to be understood; fields as in `DetermineStateRequest`."""

    turn_id: str
    conversation_id: str
    channel: str
    text: str
    option_id: str
    message_count: int
    unreadable: bool
    without_model: bool = False
    attachment: str = ""


@dataclass(frozen=True, slots=True)
class Determined:
    """The stored decision, with what the two later tasks need."""

    session_id: str
    state: State
    result: TurnResult
    recent: tuple[Exchange, ...]
    repeated: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say; times in seconds."""

    min_confidence: float
    reserve_s: float
    session_expires_s: int
    escalation_expires_s: int
    spam_block_s: int
    abuse: AbuseLimits


class DetermineState:
    """Decides once per turn id: a repeated call gets the stored decision, and nothing is computed or paid again."""

    def __init__(
        self,
        store: SessionStore,
        context: ContextClient,
        model: Model | None,
        task: Task[Proposal],
        rules: Rules,
        now_ms: Callable[[], int] = lambda: int(time.time() * 1000),
    ) -> None:
        self._store = store
        self._context = context
        self._understand = Understand(model, task, reserve_s=rules.reserve_s, min_confidence=rules.min_confidence)
        self._rules = rules
        self._now_ms = now_ms
        self._proposals: SingleFlight[Understood] = SingleFlight()

    async def determine(self, arrival: Arrival, deadline: Deadline) -> Determined:
        """The decision for the turn. Conflict when another writer kept winning; StoreUnavailable when the store is away."""
        institution = await self._context.current(deadline)
        for _ in range(_WRITES):
            before = await self._store.newest(arrival.conversation_id)
            if before is not None and (known := before.result_of(arrival.turn_id)) is not None:
                return Determined(before.session_id, before.state, known, before.recent, repeated=True)
            session = await self._open(before, arrival)
            decided, result = await self._decide(session, arrival, institution, deadline)
            written = await self._store.save(decided)
            if written is not None:
                for move in decided.history[len(session.history) :]:
                    metrics.TRANSITIONS.labels(move.to_state).inc()
                return Determined(written.session_id, written.state, result, session.recent, repeated=False)
            # Somebody else wrote this conversation; look again. What the LLM said is not paid twice.
        raise Conflict(f"conversation_id: another writer kept changing the session of turn {arrival.turn_id}")

    async def drain(self) -> None:
        """Wait for what callers gave up on; for a graceful stop."""
        await self._proposals.drain()

    async def _open(self, newest: Session | None, arrival: Arrival) -> Session:
        """The session that this turn continues, or a new one when the last has ended or waited too long."""
        now_ms = self._now_ms()
        if newest is None:
            return _new_session(arrival, now_ms)
        session = self._expired(newest, arrival, now_ms)
        still_blocked = session.state is State.SPAM and session.blocked_until_ms > now_ms
        if not session.ended or still_blocked:
            return session
        await self._store.archive(session)
        return _next_session(session, arrival, now_ms, self._rules.session_expires_s)

    def _expired(self, session: Session, arrival: Arrival, now_ms: int) -> Session:
        waited_s = (now_ms - session.updated_at_ms) / 1000
        if session.state is State.AWAITING_USER and (
            waited_s > self._rules.session_expires_s or len(session.intents) > MAX_INTENTS
        ):
            trigger = "expired" if waited_s > self._rules.session_expires_s else "three_intents"
            ended = session.moved(State.COMPLETED, trigger=trigger, turn_id=arrival.turn_id, at_ms=now_ms)
            return replace(ended, outcome="handed_to_human" if session.escalated else "informed")
        if session.state is State.ESCALATING and waited_s > self._rules.escalation_expires_s:
            back = session.moved(State.AWAITING_USER, trigger="hand_off_expired", turn_id=arrival.turn_id, at_ms=now_ms)
            return replace(back, escalated=False)
        if session.state in {State.PROCESSING, State.UNDERSTANDING_INTENT, State.IDENTIFYING, State.INIT}:
            # Its turn was never completed (dead-lettered, or its time ran out with the store away).
            failed = session.moved(State.FAILED, trigger="abandoned", turn_id=arrival.turn_id, at_ms=now_ms)
            return replace(failed, outcome="failed")
        return session

    async def _decide(
        self, session: Session, arrival: Arrival, institution: Institution, deadline: Deadline
    ) -> tuple[Session, TurnResult]:
        now_ms = self._now_ms()
        chosen = _chosen_option(session, arrival, institution)
        said = _said(arrival, chosen)
        if session.state is State.ESCALATING:
            # Who writes to a person a lot, or the same again, waits for one: that is no abuse, and costs no model call.
            return self._stay_silent(session, arrival, said, institution, now_ms)
        stopped = abuse.check(session, arrival.text, now_ms, self._rules.abuse)
        session = abuse.arrived(session, arrival.text, arrival.message_count, now_ms)
        if stopped is not None:
            return self._stop_abuse(session, arrival, said, stopped, institution, now_ms)
        understood = await self._understood(session, arrival, chosen, institution, deadline)
        return self._walk(session, arrival, said, understood, now_ms)

    async def _understood(
        self, session: Session, arrival: Arrival, chosen: Option | None, institution: Institution, deadline: Deadline
    ) -> Understood:
        if chosen is not None:
            return Understood(by_option(institution.intents[chosen.intent]), without_model(institution, "option"))
        if arrival.unreadable and not arrival.text.strip():
            return Understood(_unreadable(session), without_model(institution, "unreadable"))
        return await self._proposals.run(
            arrival.turn_id,
            lambda: self._understand.message(session, arrival.text, institution, deadline, without_model=arrival.without_model),
        )

    def _walk(
        self, session: Session, arrival: Arrival, said: str, understood: Understood, now_ms: int
    ) -> tuple[Session, TurnResult]:
        """Walk the table to PROCESSING (or SPAM) and remember the decision; its end is recorded by CompleteTurn."""
        decision, found = understood.decision, understood.decision.determination
        if found.action is Action.HAND_OFF:
            found = replace(found, vertente=_active(found, session))
        previous_state = session.state
        metadata = {"intent": found.intent, "category": found.category.value, "source": understood.provenance.source.value}
        for refusal in decision.refused:
            metrics.ILLEGAL_PROPOSALS.labels(refusal.split(" ", 1)[0]).inc()
            _log.warning("illegal proposal refused", refusal=refusal)
        if decision.refused:
            metadata["refused"] = "; ".join(decision.refused)
        session = session.moved(*TO_UNDERSTANDING[session.state], trigger="message", turn_id=arrival.turn_id, at_ms=now_ms)
        to_state = State.SPAM if decision.resting_state is State.SPAM else State.PROCESSING
        session = session.moved(
            to_state,
            trigger="understood",
            turn_id=arrival.turn_id,
            at_ms=now_ms,
            confidence=found.confidence,
            metadata=metadata,
        )
        if found.injection:
            metrics.INJECTIONS.inc()
        result = TurnResult(
            turn_id=arrival.turn_id,
            determination=found,
            provenance=understood.provenance,
            previous_state=previous_state,
            resting_state=decision.resting_state,
            completed=False,
            customer_text=said,
        )
        session = replace(
            session,
            vertente=_active(found, session),
            category=found.category,
            intents=_with_intent(session.intents, found),
            clarifications=session.clarifications + 1 if decision.clarified else 0,
            escalated=session.escalated or decision.resting_state is State.ESCALATING,
            illegal_proposals=session.illegal_proposals + len(decision.refused),
        )
        if to_state is State.SPAM:
            session = replace(session, outcome="spam", blocked_until_ms=now_ms + self._rules.spam_block_s * 1000)
        return session.with_result(result), result

    def _stay_silent(
        self, session: Session, arrival: Arrival, said: str, institution: Institution, now_ms: int
    ) -> tuple[Session, TurnResult]:
        """A person has the conversation: understand by the rules alone, record, say nothing.

        It is forwarded under the line of the hand-off, to the desk that has it, whatever it is about.
        """
        understanding = fallback.understand(arrival.text, memory_of(session))
        found = Determination(
            action=Action.STAY_SILENT,
            vertente=understanding.vertente,
            category=understanding.category,
            intent=understanding.intent,
            confidence=understanding.confidence,
            reasoning="a person has the conversation",
            language=understanding.language,
            escalation_reason="forwarded",
        )
        # The matter is the person's now: a guess does not change its line.
        if session.vertente is Vertente.NENHUMA or found.confidence >= _SURE_OF_ANOTHER_LINE:
            session = replace(session, vertente=_active(found, session))
        session = replace(session, category=found.category)
        found = replace(found, vertente=session.handed_over_line)
        return self._remember_silence(session, arrival, said, found, without_model(institution, "with_human"), now_ms)

    def _stop_abuse(
        self, session: Session, arrival: Arrival, said: str, stopped: Abuse, institution: Institution, now_ms: int
    ) -> tuple[Session, TurnResult]:
        """No LLM call, no answer; a flood or repetition ends the session as SPAM."""
        metrics.ABUSE_BLOCKED.labels(stopped.value).inc()
        if stopped is not Abuse.BLOCKED:
            session = session.moved(
                State.SPAM, trigger=stopped.value, turn_id=arrival.turn_id, at_ms=now_ms, metadata={"abuse": stopped.value}
            )
            session = replace(session, outcome="spam", blocked_until_ms=now_ms + self._rules.spam_block_s * 1000)
        found = Determination(
            action=Action.STAY_SILENT,
            vertente=session.vertente,
            category=Category.SPAM,
            intent="",
            confidence=1.0,
            reasoning=f"stopped before any model call: {stopped.value}",
        )
        return self._remember_silence(session, arrival, said, found, without_model(institution, stopped.value), now_ms)

    def _remember_silence(
        self, session: Session, arrival: Arrival, said: str, found: Determination, provenance: Provenance, now_ms: int
    ) -> tuple[Session, TurnResult]:
        result = TurnResult(
            turn_id=arrival.turn_id,
            determination=found,
            provenance=provenance,
            previous_state=session.state,
            resting_state=session.state,
            completed=False,
            customer_text=said,
        )
        return replace(session, updated_at_ms=now_ms).with_result(result), result


def _new_session(arrival: Arrival, now_ms: int) -> Session:
    return Session(
        conversation_id=arrival.conversation_id,
        session_id=derived_id("session", arrival.conversation_id, "1"),
        sequence=1,
        channel=arrival.channel,
        opened_at_ms=now_ms,
        updated_at_ms=now_ms,
    )


def _next_session(ended: Session, arrival: Arrival, now_ms: int, topic_expires_s: int) -> Session:
    """A new session; what protects us from abuse goes on, and so does the topic when the customer has not been away."""
    sequence = ended.sequence + 1
    fresh = replace(
        _new_session(arrival, now_ms),
        session_id=derived_id("session", arrival.conversation_id, str(sequence)),
        sequence=sequence,
        version=ended.version,
        arrivals_ms=ended.arrivals_ms,
        text_hashes=ended.text_hashes,
        turns=ended.turns,
    )
    waited_s = (now_ms - ended.updated_at_ms) / 1000
    if ended.state is State.SPAM or ended.history[-1].trigger == "expired" or waited_s > topic_expires_s:
        return fresh
    # Who has just said goodbye often has one more question, and it is about the same thing.
    return replace(fresh, vertente=ended.vertente, category=ended.category, recent=ended.recent)


def _active(found: Determination, session: Session) -> Vertente:
    """The business line after the turn: the last one that was revealed."""
    return found.vertente if found.vertente is not Vertente.NENHUMA else session.vertente


def _with_intent(intents: tuple[str, ...], found: Determination) -> tuple[str, ...]:
    return intents if not found.intent or found.intent in intents else (*intents, found.intent)


def _chosen_option(session: Session, arrival: Arrival, institution: Institution) -> Option | None:
    """The option that was tapped, or named by its number or title when it was just shown."""
    by_id = {option.id: option for menu in institution.menus.values() for option in menu.options}
    if arrival.option_id in by_id:
        return by_id[arrival.option_id]
    said = arrival.text.strip().strip(".)").casefold()
    for position, option_id in enumerate(session.options_shown, start=1):
        if option_id in by_id and said in {str(position), by_id[option_id].title.casefold()}:
            return by_id[option_id]
    return None


def _said(arrival: Arrival, chosen: Option | None) -> str:
    """The turn in words: what people read of it later, and the next turn's model."""
    text = arrival.text.strip()
    if chosen is not None and chosen.title.casefold() != text.casefold():
        text = f"{text} ({chosen.title})" if text else chosen.title
    return f"{arrival.attachment} {text}".strip()


def _unreadable(session: Session) -> Decision:
    determination = Determination(
        action=Action.CLARIFY,
        vertente=session.vertente,
        category=Category.OUTRO,
        intent="",
        confidence=1.0,
        reasoning="something that cannot be read as text",
        phrase="UNSUPPORTED_MEDIA",
    )
    return Decision(determination, State.AWAITING_USER, (), clarified=False)
