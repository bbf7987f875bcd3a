"""Records the end of a turn: GENERATING_RESPONSE, SELECTING_MESSAGE_TYPE, and the state in which the conversation rests."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from common import metrics
from common.errors import Conflict, NotFound
from common.taxonomy import Action, MessageKind, Source, State
from fsm_service.session import Session, TurnResult
from fsm_service.states import completion_path
from fsm_service.store import SessionStore

_WRITES = 4


@dataclass(frozen=True, slots=True)
class Completion:
    """What was said, and how; fields as in `CompleteTurnRequest`."""

    turn_id: str
    conversation_id: str
    reply_text: str
    reply_id: str
    kind: MessageKind | None
    response_ms: int
    msgtype_ms: int
    response_source: Source | None
    msgtype_source: Source | None
    option_ids: tuple[str, ...]


async def complete_turn(
    completion: Completion, store: SessionStore, now_ms: Callable[[], int] = lambda: int(time.time() * 1000)
) -> tuple[State, bool]:
    """The state at rest, and whether the turn had been completed before. NotFound for a turn never determined."""
    session = await store.last_written(completion.conversation_id)
    for _ in range(_WRITES):
        if session is None or session.result_of(completion.turn_id) is None:
            session = await store.newest(completion.conversation_id)
        result = session.result_of(completion.turn_id) if session else None
        if session is None or result is None:
            raise NotFound(f"turn_id: there is no turn {completion.turn_id!r} in this conversation; call DetermineState first")
        if result.completed:
            return session.state, True
        completed = _completed(session, result, completion, now_ms())
        written = await store.save(completed)
        if written is not None:
            for move in completed.history[len(session.history) :]:
                metrics.TRANSITIONS.labels(move.to_state).inc()
            return written.state, False
        session = await store.newest(completion.conversation_id)
    raise Conflict(f"conversation_id: another writer kept changing the session of turn {completion.turn_id}")


def _completed(session: Session, result: TurnResult, completion: Completion, now_ms: int) -> Session:
    # A turn that was given up and is completed late must not walk another turn's session to its end.
    if session.state is State.PROCESSING and session.history[-1].turn_id == completion.turn_id:
        session = _walked_to_rest(session, result, completion, now_ms)
    if completion.reply_text or result.determination.action is not Action.STAY_SILENT or session.state is State.ESCALATING:
        session = session.with_exchange(result.customer_text, completion.reply_text)
    return replace(
        session.with_result(replace(result, completed=True)), options_shown=completion.option_ids, updated_at_ms=now_ms
    )


def _walked_to_rest(session: Session, result: TurnResult, completion: Completion, now_ms: int) -> Session:
    generated, selected, rest = completion_path(result.resting_state)
    turn_id = completion.turn_id
    session = session.moved(
        generated,
        trigger="generated",
        turn_id=turn_id,
        at_ms=now_ms,
        metadata={"ms": str(completion.response_ms), "source": completion.response_source or ""},
    )
    session = session.moved(
        selected,
        trigger="selected",
        turn_id=turn_id,
        at_ms=now_ms,
        metadata={
            "ms": str(completion.msgtype_ms),
            "source": completion.msgtype_source or "",
            "kind": completion.kind or "",
        },
    )
    handed_over = {"vertente": result.determination.vertente.value} if rest is State.ESCALATING else {}
    session = session.moved(
        rest,
        trigger=result.determination.escalation_reason or "rest",
        turn_id=turn_id,
        at_ms=now_ms,
        confidence=result.determination.confidence,
        metadata={"reply_id": completion.reply_id, **handed_over},
    )
    if rest is State.COMPLETED:
        return replace(session, outcome="handed_to_human" if session.escalated else "informed")
    return session
