"""From a completion to a valid answer, or to what is wrong with it."""

from dataclasses import dataclass

from pydantic import ValidationError

from common.model_observer import CallOutcome
from common.model_task import A, Task
from common.model_wire import Completion


@dataclass(frozen=True, slots=True)
class Flaw:
    """An answer that came but cannot be used."""

    problem: str
    said: str
    repairable: bool
    outcome: CallOutcome = CallOutcome.INVALID


def value_or_flaw(task: Task[A], completion: Completion) -> A | Flaw:
    """The answer that the task asks for, or why there is none."""
    choice = completion.choices[0]
    content = choice.message.content or ""
    if choice.message.refusal or choice.finish_reason == "content_filter":
        return Flaw("the model refused to answer.", content, repairable=False, outcome=CallOutcome.REFUSAL)
    if choice.finish_reason == "length":
        return Flaw(f"it was cut at {task.max_output_tokens} tokens; be shorter.", content, repairable=True)
    try:
        return task.answer_type.model_validate_json(content)
    except ValidationError as error:
        # Where and what, but not the value: it may hold the customer's words, and this text goes to logs.
        problems = [f"{'.'.join(map(str, one['loc'])) or 'answer'}: {one['msg']}." for one in error.errors()[:5]]
        return Flaw(" ".join(problems), content, repairable=True)
