"""LLM task 2: what do we say? From a turn to a guarded, stored text, top-down."""

import asyncio
import time
from dataclasses import dataclass, replace

import structlog

from common import metrics
from common.context import ContextClient
from common.deadline import Deadline
from common.errors import DeadlineExceeded, ModelMisbehaved, StoreUnavailable, Unavailable
from common.institution import Institution
from common.model_task import Answer, Model, Task
from common.single_flight import SingleFlight
from common.taxonomy import Action, Source
from common.turn import Provenance, Turn
from guard import Finding
from response_service import fallback, prompt
from response_service.judge import Judge
from response_service.prompt import Judgement, Reply
from response_service.store import Blocked, ReplyStore, StoredReply

_WRITTEN_BY_MODEL = frozenset({Action.ANSWER, Action.CLARIFY, Action.HAND_OFF, Action.CLOSE})
"""An attack or an advertisement is answered by a fixed text: the model never sees it."""

_log = structlog.get_logger("response")


@dataclass(frozen=True, slots=True)
class Generated:
    """The text for a turn, and whether it had been stored before."""

    reply: StoredReply
    repeated: bool


class GenerateResponse:
    """Writes once per turn id: a repeated call gets the stored text, and nothing is computed or paid again."""

    def __init__(
        self,
        store: ReplyStore,
        context: ContextClient,
        model: Model | None,
        task: Task[Reply],
        judge: Task[Judgement],
        reserve_s: float,
    ) -> None:
        self._store = store
        self._context = context
        self._model = model
        self._task = task
        self._judge = Judge(model, judge)
        self._reserve_s = reserve_s
        self._running: SingleFlight[StoredReply] = SingleFlight()
        self._saving: set[asyncio.Task[None]] = set()

    async def generate(self, turn: Turn, deadline: Deadline) -> Generated:
        """The guarded text, never empty. Raises Unavailable only when no context was ever seen or the store is away."""
        stored = None if turn.first_attempt else await self._store.find(turn.turn_id)
        if stored is not None:
            return Generated(stored, repeated=True)
        reply = await self._running.run(turn.turn_id, lambda: self._write(turn, deadline))
        if turn.first_attempt and not reply.blocked:
            self._save_beside(turn, reply)
            return Generated(reply, repeated=False)
        kept = await self._store.save(turn, reply)
        return Generated(kept, repeated=kept is not reply)

    async def drain(self) -> None:
        """Wait for what callers gave up on, and for the writes that nobody waits for; for a graceful stop."""
        await self._running.drain()
        await asyncio.gather(*self._saving)

    def _save_beside(self, turn: Turn, reply: StoredReply) -> None:
        """The customer does not wait for this write: the gateway saves the same text before it leaves.

        What was blocked exists here alone, and a repeated turn must get one text from every replica: those are waited for.
        """
        task = asyncio.create_task(self._save(turn, reply))
        self._saving.add(task)
        task.add_done_callback(self._saving.discard)

    async def _save(self, turn: Turn, reply: StoredReply) -> None:
        try:
            await self._store.save(turn, reply)
        except StoreUnavailable as error:
            _log.warning("a reply was said and not stored here", error=str(error))

    async def _write(self, turn: Turn, deadline: Deadline) -> StoredReply:
        started_s = time.perf_counter()
        institution = await self._context.current(deadline)
        canonical = fallback.reply(turn, institution)
        fixed = StoredReply(canonical, Provenance(Source.FALLBACK, institution.version, prompt.PROMPT_VERSION), blocked=())
        if turn.determination.action not in _WRITTEN_BY_MODEL:
            reply = _because(fixed, "fixed_text")
        elif self._model is None or turn.without_model:
            reply = _because(fixed, "late" if turn.without_model else "no_model")
        else:
            reply = await self._from_model(self._model, turn, fixed, institution, deadline.minus(self._reserve_s))
        latency_s = time.perf_counter() - started_s
        source, reason = reply.provenance.source, reply.provenance.fallback_reason
        metrics.TASK_SECONDS.labels("response", source).observe(latency_s)
        if reason:
            metrics.TASK_FALLBACKS.labels("response", reason).inc()
        return replace(reply, provenance=replace(reply.provenance, latency_ms=round(latency_s * 1000)))

    async def _from_model(
        self, model: Model, turn: Turn, fixed: StoredReply, institution: Institution, deadline: Deadline
    ) -> StoredReply:
        """Ask; after a violation ask once more with the finding; then the canonical text. Whatever fails, it is said."""
        blocked: tuple[Blocked, ...] = ()
        findings: tuple[Finding, ...] = ()
        calls = 0
        for source in (None, Source.REPAIRED):
            try:
                answer = await model.ask(
                    self._task,
                    prefix=prompt.prefix(institution),
                    user=prompt.user(turn, fixed.text, institution, findings),
                    deadline=deadline,
                    cache_key=f"{self._task.name}-{institution.version}",
                )
            except (Unavailable, ModelMisbehaved, DeadlineExceeded) as error:
                return _because(replace(fixed, blocked=blocked), type(error).__name__, calls)
            calls += answer.attempts
            findings = await self._judge.violations(answer.value.text, turn.customer_text, deadline, approved=fixed.text)
            if not findings:
                return StoredReply(answer.value.text, _provenance(answer, institution, source or answer.source, calls), blocked)
            blocked = (*blocked, *_blocked(answer.value.text, findings))
        return _because(replace(fixed, blocked=blocked), "guard", calls)


def _blocked(text: str, findings: tuple[Finding, ...]) -> tuple[Blocked, ...]:
    for finding in findings:
        metrics.GUARD_BLOCKS.labels("response", finding.violation).inc()
    return tuple(Blocked(text, finding.violation, finding.rule, finding.reason) for finding in findings)


def _because(reply: StoredReply, reason: str, calls: int = 0) -> StoredReply:
    return replace(reply, provenance=replace(reply.provenance, fallback_reason=reason, llm_calls=calls))


def _provenance(answer: Answer[Reply], institution: Institution, source: Source, calls: int) -> Provenance:
    return Provenance(
        source=source,
        context_version=institution.version,
        prompt_version=prompt.PROMPT_VERSION,
        model=answer.model,
        input_tokens=answer.input_tokens,
        cached_tokens=answer.cached_tokens,
        output_tokens=answer.output_tokens,
        llm_calls=calls,
    )
