"""A person ends a hand-off: the conversation is closed, or goes back to the bot."""

import time
from collections.abc import Callable
from dataclasses import replace

from common import metrics
from common.errors import Conflict, IllegalTransition, NotFound
from common.taxonomy import State
from fsm_service.session import Session
from fsm_service.store import SessionStore

_WRITES = 4


async def resolve_escalation(
    conversation_id: str,
    *,
    hand_back: bool,
    attendant_id: str,
    note: str,
    store: SessionStore,
    now_ms: Callable[[], int] = lambda: int(time.time() * 1000),
) -> Session:
    """The session after it: AWAITING_USER or COMPLETED. IllegalTransition when no person has the conversation."""
    for _ in range(_WRITES):
        session = await store.newest(conversation_id)
        if session is None:
            raise NotFound("conversation_id: there is no such conversation")
        if session.state is not State.ESCALATING:
            raise IllegalTransition(f"the conversation is {session.state}, not ESCALATING: nobody has it")
        to_state = State.AWAITING_USER if hand_back else State.COMPLETED
        resolved = session.moved(
            to_state,
            trigger="handed_back" if hand_back else "closed_by_human",
            turn_id="",
            at_ms=now_ms(),
            metadata={"attendant": attendant_id, "note": note},
        )
        resolved = replace(
            resolved,
            outcome="" if hand_back else "handed_to_human",
            clarifications=0,
            escalated=not hand_back,
            # A person has seen who this is: what came before the hand-off is no reason to block them.
            arrivals_ms=(),
            text_hashes=(),
        )
        written = await store.save(resolved)
        if written is not None:
            metrics.TRANSITIONS.labels(to_state).inc()
            return written
    raise Conflict("conversation_id: another writer kept changing the session; try again")
