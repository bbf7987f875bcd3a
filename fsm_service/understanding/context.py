"""Places a message in its conversation: follow-ups inherit, fragments are read together, hand-offs are remembered."""

from dataclasses import replace

from common.taxonomy import Category, Vertente
from fsm_service.understanding.reading import (
    CATEGORY_OF,
    LINE_OF,
    NEEDS_PERSON,
    NOT_BUSINESS,
    Reading,
    intent_of,
    read,
)
from fsm_service.understanding.types import Memory

_SURE = 0.6
"""A reading with this probability stands against what the conversation was about."""
_SHORT = 7
"""A message of at most this many words may be a follow-up that means nothing alone."""
_JOINED_SURE = 0.6
_COURTESY = frozenset({"ack_only", "greeting_only", "thanks", "goodbye", "only_that", "gibberish"})


def in_conversation(alone: Reading, text: str, memory: Memory) -> Reading:
    """`alone` corrected by what came before it; the same reading when nothing did."""
    if not memory.last_customer_texts and memory.category is None and memory.vertente is Vertente.NENHUMA:
        return alone
    if alone.injection:
        return replace(alone, vertente=memory.vertente)
    reading = _about(alone, text, memory)
    reading = _keep_line(reading, memory)
    escalate = _still_needs_person(reading, memory) if memory.escalated else reading.escalate
    return replace(reading, escalate=escalate, intent=reading.intent or intent_of(reading.category, reading))


def _about(reading: Reading, text: str, memory: Memory) -> Reading:
    """The reading with the category that the conversation gives it."""
    if memory.category is Category.SPAM and reading.category in NOT_BUSINESS | {Category.INSTITUCIONAL}:
        return replace(reading, category=Category.SPAM, evidence="earlier spam", escalate=False)
    if reading.category in {Category.SPAM, Category.SAUDACAO} or reading.signs & _COURTESY or reading.evidence != "model":
        return reading
    weak = reading.confidence < _SURE or (len(reading.tokens) <= _SHORT and reading.category is Category.OUTRO)
    if not weak:
        return reading
    if memory.vertente is Vertente.NENHUMA and memory.category in {None, *NOT_BUSINESS}:
        return _read_together(reading, text, memory)
    return _follow_up(reading, memory)


def _read_together(reading: Reading, text: str, memory: Memory) -> Reading:
    """Fragments of one thought: read with the ones before it when that says more."""
    joined = read(" ".join((*memory.last_customer_texts[-5:], text)))
    if joined.category in NOT_BUSINESS or joined.confidence < max(_JOINED_SURE, reading.confidence):
        return reading
    return replace(joined, tokens=reading.tokens, signs=reading.signs, evidence="fragments read together")


def _follow_up(reading: Reading, memory: Memory) -> Reading:
    """A weak message goes on about the matter in hand."""
    category = memory.category
    if category is None or category in NOT_BUSINESS:
        category = CATEGORY_OF.get(memory.vertente)
    if category is None:
        return reading
    if reading.category in NEEDS_PERSON and reading.scores.category.get(reading.category, 0.0) > 0.4:
        return reading
    if category is Category.COMERCIAL and not memory.escalated:
        category = CATEGORY_OF.get(memory.vertente, category)
    return replace(reading, category=category, confidence=max(reading.confidence, 0.55), evidence="follow-up", intent="")


def _keep_line(reading: Reading, memory: Memory) -> Reading:
    """The active line after the message: kept unless the message clearly turns to another."""
    if memory.vertente is Vertente.NENHUMA or reading.vertente is memory.vertente:
        return reading
    turns = reading.vertente is not Vertente.NENHUMA and (
        reading.scores.vertente.get(reading.vertente, 0.0) > _SURE or reading.vertente in reading.mentioned
    )
    if turns and reading.evidence != "follow-up":
        return reading
    category = reading.category
    if category in LINE_OF and category is not CATEGORY_OF.get(memory.vertente):
        category = CATEGORY_OF[memory.vertente]
    return replace(reading, vertente=memory.vertente, category=category)


def _still_needs_person(reading: Reading, memory: Memory) -> bool:
    """After a hand-off: insisting keeps it open; courtesy and questions that only ask to be informed do not."""
    if reading.category in NOT_BUSINESS or reading.signs & _COURTESY:
        return False
    if reading.escalate:
        return True
    return memory.category in NEEDS_PERSON and "question" not in reading.signs and reading.evidence == "follow-up"
