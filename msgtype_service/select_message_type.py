"""LLM task 3: in which form? From a turn to a stored form whose every word is from the catalogue, top-down."""

import time
from dataclasses import dataclass, replace

import structlog

from common import metrics
from common.context import ContextClient
from common.deadline import Deadline
from common.errors import DeadlineExceeded, ModelMisbehaved, Unavailable
from common.institution import Institution
from common.model_task import Model, Task
from common.single_flight import SingleFlight
from common.taxonomy import Source
from common.turn import Provenance, Turn
from msgtype_service import fallback, prompt
from msgtype_service.form import Form, from_ids
from msgtype_service.prompt import FormProposal
from msgtype_service.store import FormStore, StoredForm

_log = structlog.get_logger("msgtype")


@dataclass(frozen=True, slots=True)
class Selected:
    """The form for a turn, and whether it had been stored before."""

    stored: StoredForm
    repeated: bool


class SelectMessageType:
    """Chooses once per turn id: a repeated call gets the stored form, and nothing is computed or paid again."""

    def __init__(
        self, store: FormStore, context: ContextClient, model: Model | None, task: Task[FormProposal], reserve_s: float
    ) -> None:
        self._store = store
        self._context = context
        self._model = model
        self._task = task
        self._reserve_s = reserve_s
        self._rendered = ("", "")
        self._running: SingleFlight[StoredForm] = SingleFlight()

    async def select(self, turn: Turn, deadline: Deadline) -> Selected:
        """The form. Raises Unavailable only when no context was ever seen or the store is away."""
        stored = None if turn.first_attempt else await self._store.find(turn.turn_id)
        if stored is not None:
            return Selected(stored, repeated=True)
        chosen = await self._running.run(turn.turn_id, lambda: self._choose(turn, deadline))
        kept = await self._store.save(turn, chosen)
        return Selected(kept, repeated=kept is not chosen)

    async def drain(self) -> None:
        """Wait for what callers gave up on; for a graceful stop."""
        await self._running.drain()

    async def _choose(self, turn: Turn, deadline: Deadline) -> StoredForm:
        started_s = time.perf_counter()
        institution = await self._context.current(deadline)
        suggestion = fallback.choose(turn, institution)
        fixed = StoredForm(suggestion, Provenance(Source.FALLBACK, institution.version, prompt.PROMPT_VERSION))
        if turn.determination.action in fallback.WITHOUT_OPTIONS:
            chosen = _because(fixed, "fixed_form")
        elif self._model is None or turn.without_model:
            chosen = _because(fixed, "late" if turn.without_model else "no_model")
        else:
            chosen = await self._from_model(self._model, turn, fixed, institution, deadline.minus(self._reserve_s))
        latency_s = time.perf_counter() - started_s
        metrics.TASK_SECONDS.labels("msgtype", chosen.provenance.source).observe(latency_s)
        if chosen.provenance.fallback_reason:
            metrics.TASK_FALLBACKS.labels("msgtype", chosen.provenance.fallback_reason).inc()
        return replace(chosen, provenance=replace(chosen.provenance, latency_ms=round(latency_s * 1000)))

    async def _from_model(
        self, model: Model, turn: Turn, fixed: StoredForm, institution: Institution, deadline: Deadline
    ) -> StoredForm:
        try:
            answer = await model.ask(
                self._task,
                prefix=self._prefix(institution),
                user=prompt.user(turn, fixed.form),
                deadline=deadline,
                cache_key=f"{self._task.name}-{institution.version}",
            )
        except (Unavailable, ModelMisbehaved, DeadlineExceeded) as error:
            return _because(fixed, type(error).__name__)
        form = self._checked(answer.value, institution)
        provenance = Provenance(
            source=answer.source,
            context_version=institution.version,
            prompt_version=prompt.PROMPT_VERSION,
            model=answer.model,
            input_tokens=answer.input_tokens,
            cached_tokens=answer.cached_tokens,
            output_tokens=answer.output_tokens,
            llm_calls=answer.attempts,
        )
        return StoredForm(form, provenance)

    def _prefix(self, institution: Institution) -> str:
        """Rendered once per version of the context."""
        if self._rendered[0] != institution.version:
            self._rendered = (institution.version, prompt.prefix(institution))
        return self._rendered[1]

    def _checked(self, proposal: FormProposal, institution: Institution) -> Form:
        form, refused = from_ids(proposal.kind, proposal.menu_id, tuple(proposal.option_ids), proposal.media_id, institution)
        for refusal in refused:
            metrics.ILLEGAL_PROPOSALS.labels("form").inc()
            _log.warning("illegal proposal refused", refusal=refusal)
        return form


def _because(stored: StoredForm, reason: str) -> StoredForm:
    return replace(stored, provenance=replace(stored.provenance, fallback_reason=reason))
