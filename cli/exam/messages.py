"""The exam of single messages: what DetermineState would store for the first message of a conversation."""

from collections.abc import Sequence
from dataclasses import dataclass

from cli.exam.items import Message
from cli.exam.score import Case, Reading
from cli.exam.sitting import Taken, Terms, llm, take
from common.institution import Institution
from common.model_task import Task
from common.settings import load
from common.taxonomy import State
from common.turn import Determination
from context_service.load_context import load_context
from context_service.parse import DOCUMENTS
from fsm_service.prompt import PROMPT_VERSION, Proposal
from fsm_service.session import Session
from fsm_service.settings import FsmSettings
from fsm_service.understand import Understand


@dataclass(frozen=True, slots=True)
class Read:
    """What was decided for a message. `reason` says why the LLM's word does not count; `no_model` without one."""

    found: Determination
    resting_state: State
    reason: str

    @property
    def reading(self) -> Reading:
        """The part that is marked."""
        return Reading(self.found.vertente, self.found.category, self.resting_state is State.ESCALATING)


async def read_messages(messages: Sequence[Message], terms: Terms) -> list[Taken[Read]]:
    """Each message understood and decided as the FSM service does it, in a session of its own, with the shipped documents."""
    settings = load(FsmSettings)
    institution = load_context(DOCUMENTS)
    async with llm(terms) as model:
        understand = Understand(
            model,
            fsm_task(settings),
            reserve_s=settings.fsm_reserve_s,
            min_confidence=settings.fsm_min_confidence,
        )

        async def answer(message: Message, run: int) -> Read:
            return await _read(message, run, understand, institution, terms)

        return await take(messages, answer, terms)


def fsm_task(settings: FsmSettings) -> Task[Proposal]:
    """LLM task 1, as the service asks it."""
    return Task("fsm", Proposal, settings.llm_model_fsm, PROMPT_VERSION, max_output_tokens=400)


async def _read(message: Message, run: int, understand: Understand, institution: Institution, terms: Terms) -> Read:
    session = Session(message.id, f"{message.id}/{run}", 1, "exam", 0, 0)
    understood = await understand.message(session, message.text, institution, terms.deadline)
    return Read(understood.decision.determination, understood.decision.resting_state, understood.provenance.fallback_reason)


def case(message: Message, read: Read, *, strict: bool) -> Case:
    """The message's labels against what was stored."""
    vertentes, intents, escalates = (frozenset(), frozenset(), frozenset()) if strict else message.accepted()
    expected = Reading(message.vertente, message.intent, message.escalate)
    return Case(message.id, message.text, expected, read.reading, vertentes, intents, escalates)
