"""Says whether a text may leave: the guard's rules, and in doubt one small LLM check."""

import structlog

import guard
from common.deadline import Deadline
from common.errors import DeadlineExceeded, ModelMisbehaved, Unavailable
from common.model_task import Model, Task
from guard import Finding, Verdict
from response_service import prompt
from response_service.prompt import Judgement

_log = structlog.get_logger("response")


class Judge:
    """Without an LLM a doubt counts as a finding."""

    def __init__(self, model: Model | None, task: Task[Judgement]) -> None:
        self._model = model
        self._task = task

    async def violations(self, text: str, customer_text: str, deadline: Deadline, *, approved: str = "") -> tuple[Finding, ...]:
        """What the guard finds; a doubt goes to the LLM, and counts as a finding when the LLM cannot clear it.

        `approved`: the canonical text, which people wrote and answer for; said to the letter it leaves room for no doubt.
        """
        verdict = guard.check(text, customer_text=customer_text, doubts_matter=text != approved)
        if verdict.findings or not verdict.doubts or text == approved:
            return verdict.findings
        return () if self._model and await self._cleared(self._model, text, verdict, deadline) else verdict.doubts

    async def _cleared(self, model: Model, text: str, verdict: Verdict, deadline: Deadline) -> bool:
        try:
            answer = await model.ask(
                self._task,
                prefix=prompt.judge_prefix(),
                user=prompt.judge_user(text),
                deadline=deadline,
                cache_key=self._task.name,
            )
        except (Unavailable, ModelMisbehaved, DeadlineExceeded) as error:
            _log.info("no judge for a doubtful text", rule=verdict.doubts[0].rule, error=type(error).__name__)
            return False
        return not answer.value.violation
