"""Whether a text may leave, without a model to ask."""

import pytest

from common.deadline import Deadline
from common.model_task import Task
from response_service.judge import Judge
from response_service.prompt import Judgement
from tests.institution import shipped

JUDGE = Judge(None, Task("judge", Judgement, "none", "test", max_output_tokens=100))


@pytest.mark.parametrize("intent", sorted(shipped().intents))
async def test_what_people_wrote_is_not_doubted(intent: str) -> None:
    """A canonical text that is said to the letter leaves; the context service has checked it."""
    text = shipped().intents[intent].answer

    assert await JUDGE.violations(text, "", Deadline.after(1), approved=text) == ()


async def test_what_is_certain_is_stopped_whoever_wrote_it() -> None:
    """The documents' door should have; this one does not rely on it."""
    text = "A entrega custa R$ 25,00."

    assert await JUDGE.violations(text, "", Deadline.after(1), approved=text)
