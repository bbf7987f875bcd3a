"""What a message means and what to do about it: the LLM proposes if it can, the rules decide in any case."""

import time
from dataclasses import dataclass, replace

from common import metrics
from common.deadline import Deadline
from common.errors import DeadlineExceeded, ModelMisbehaved, Unavailable
from common.institution import Institution
from common.model_task import Answer, Model, Task
from common.taxonomy import Source
from common.turn import Provenance
from fsm_service import fallback, follow_up, prompt, triggers
from fsm_service.decide import Decision, decide
from fsm_service.prompt import Proposal
from fsm_service.session import Session
from fsm_service.understanding.types import Memory


@dataclass(frozen=True, slots=True)
class Understood:
    """The decision for a message, and how it came to be."""

    decision: Decision
    provenance: Provenance


class Understand:
    """One message of one session, without writing anything."""

    def __init__(self, model: Model | None, task: Task[Proposal], *, reserve_s: float, min_confidence: float) -> None:
        self._model = model
        self._task = task
        self._reserve_s = reserve_s
        self._min_confidence = min_confidence

    async def message(
        self, session: Session, text: str, institution: Institution, deadline: Deadline, *, without_model: bool = False
    ) -> Understood:
        """The LLM proposes if it can within the deadline; the deterministic understanding decides otherwise."""
        started_s = time.perf_counter()
        understanding = triggers.heard(fallback.understand(text, memory_of(session)), text, institution)
        suggestion = fallback.resting_state(understanding, memory_of(session))
        proposal, answer, reason = None, None, "late" if without_model else "no_model"
        if self._model is not None and not without_model:
            try:
                answer = await self._model.ask(
                    self._task,
                    prefix=prompt.prefix(institution),
                    user=prompt.user(session, text, understanding, suggestion),
                    deadline=deadline.minus(self._reserve_s),
                    cache_key=f"{self._task.name}-{institution.version}",
                )
                proposal, reason = answer.value, ""
            except (Unavailable, ModelMisbehaved, DeadlineExceeded) as error:
                reason = type(error).__name__
        decision = decide(proposal, understanding, session, institution, text=text, min_confidence=self._min_confidence)
        if proposal is None:
            decision = follow_up.in_conversation(decision, session, institution, text)
        latency_s = time.perf_counter() - started_s
        source = answer.source if answer else Source.FALLBACK
        metrics.TASK_SECONDS.labels("fsm", source).observe(latency_s)
        if reason:
            metrics.TASK_FALLBACKS.labels("fsm", reason).inc()
        return Understood(decision, _provenance(answer, institution, reason, latency_s))


def memory_of(session: Session) -> Memory:
    """What the deterministic understanding may know of the conversation."""
    return Memory(
        vertente=session.vertente,
        category=session.category,
        last_customer_texts=tuple(exchange.customer_text for exchange in session.recent),
        last_reply=session.recent[-1].reply_text if session.recent else "",
        escalated=session.escalated,
        clarifications=session.clarifications,
    )


def without_model(institution: Institution, reason: str) -> Provenance:
    """The provenance of what no LLM was asked for, or answered."""
    return Provenance(Source.FALLBACK, institution.version, prompt.PROMPT_VERSION, fallback_reason=reason)


def _provenance(answer: Answer[Proposal] | None, institution: Institution, reason: str, latency_s: float) -> Provenance:
    if answer is None:
        return replace(without_model(institution, reason), latency_ms=round(latency_s * 1000))
    return Provenance(
        source=answer.source,
        context_version=institution.version,
        prompt_version=prompt.PROMPT_VERSION,
        model=answer.model,
        input_tokens=answer.input_tokens,
        cached_tokens=answer.cached_tokens,
        output_tokens=answer.output_tokens,
        latency_ms=round(latency_s * 1000),
        llm_calls=answer.attempts,
    )
