"""Where the conversation goes when no LLM answers: understands a message in its conversation and picks the next state."""

from common.taxonomy import Category, State, Vertente
from fsm_service.understanding.context import in_conversation
from fsm_service.understanding.language import language
from fsm_service.understanding.reading import Reading, intent_of, read
from fsm_service.understanding.types import EMPTY, Memory, Understanding

__all__ = ["EMPTY", "Memory", "Understanding", "resting_state", "understand"]

_MAX_CHARS = 4000


def understand(text: str, memory: Memory = EMPTY) -> Understanding:
    """What `text` means after what `memory` holds. Never raises; pure; well under a millisecond or two."""
    alone = read(text[:_MAX_CHARS])
    reading = in_conversation(alone, text[:_MAX_CHARS], memory)
    return Understanding(
        vertente=reading.vertente,
        category=reading.category,
        intent=reading.intent or intent_of(reading.category, reading),
        confidence=round(min(max(reading.confidence, 0.0), 1.0), 3),
        escalate=reading.escalate,
        injection=reading.injection,
        spam=reading.category is Category.SPAM,
        closing=closes(reading, memory),
        anger="anger" in reading.signs and reading.category is not Category.SPAM,
        human_request="human" in reading.signs and reading.escalate,
        language=language(" ".join(reading.tokens)),
        alternatives=tuple(sorted(reading.mentioned - {reading.vertente})),
        reasoning=_reasoning(reading),
    )


def resting_state(understanding: Understanding, memory: Memory) -> State:
    """Where the conversation rests after the turn (design.md, States)."""
    if understanding.spam:
        return State.SPAM
    if understanding.escalate or memory.escalated:
        return State.ESCALATING
    if understanding.closing:
        return State.COMPLETED
    return State.AWAITING_USER


def closes(reading: Reading, memory: Memory) -> bool:
    """True when the message ends the conversation: goodbye, thanks, or the apology for a wrong number."""
    signs = reading.signs
    if reading.escalate or reading.injection or reading.category is Category.SPAM:
        return False
    if "wrong_number" in signs:
        return True
    if (
        reading.category is Category.OUTRO
        and "apology" in signs
        and memory.category in {None, Category.OUTRO, Category.SAUDACAO}
    ):
        return True
    return reading.category in {Category.SAUDACAO, Category.OUTRO} and bool(signs & {"thanks", "goodbye", "only_that"})


def _reasoning(reading: Reading) -> str:
    """One sentence for the transition's metadata; holds none of the customer's words."""
    line = "no business line" if reading.vertente is Vertente.NENHUMA else f"line {reading.vertente.value}"
    signs = sorted(reading.signs - {"digits", "emoji", "question", "ours", "owner"})
    seen = f"; signs: {', '.join(signs[:4])}" if signs else ""
    return f"Read as {reading.category.value} with {line} by {reading.evidence}{seen}."
