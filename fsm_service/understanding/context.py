"""Places a message in its conversation: follow-ups inherit, fragments are read together, hand-offs are remembered."""

from dataclasses import replace

from common.taxonomy import Category, Vertente
from fsm_service.understanding.reading import (
    CATEGORY_OF,
    LINE_OF,
    NEEDS_PERSON,
    NOT_BUSINESS,
    Reading,
    decode,
    decoded_as,
    intent_of,
    read,
)
from fsm_service.understanding.types import Memory

_SURE = 0.6
"""A reading with this share of the probability stands against what the conversation was about."""
_JOINED_SURE = 0.6
_COURTESY = frozenset({"ack_only", "greeting_only", "thanks", "goodbye", "only_that", "waits", "gibberish"})
_BY_ITSELF = frozenset(
    {"question", "need", "price", "hire", "human", "incident", "negotiation", "demo", "partner", "legal_specific", "privacy"}
)
"""Signs that a message asks for something, so that it can be understood without the fragments before it."""

_SIGNS_OF: dict[Category, frozenset[str]] = {
    Category.SUPORTE: frozenset({"incident", "howto", "anger"}),
    Category.LEGAL: frozenset({"privacy", "legal_specific"}),
    Category.COMERCIAL: frozenset(
        {"price", "negotiation", "hire", "demo", "partner", "deadline", "human", "handled", "not_now", "no_handoff"}
    ),
    Category.IA: frozenset({"robot_question"}),
    Category.INSTITUCIONAL: frozenset({"question"}),
}
"""What a message that turns to another matter usually shows; without it the matter in hand goes on."""


def in_conversation(alone: Reading, text: str, memory: Memory) -> Reading:
    """`alone` corrected by what came before it; the same reading when nothing did."""
    if not memory.last_customer_texts and memory.category is None and memory.vertente is Vertente.NENHUMA:
        return alone
    if alone.injection:
        return replace(alone, vertente=memory.vertente)
    reading = _about(alone, text, memory)
    if reading.category in NOT_BUSINESS | {Category.INSTITUCIONAL} or reading.vertente is Vertente.NENHUMA:
        reading = replace(reading, vertente=memory.vertente)
    escalate = reading.escalate
    if memory.escalated:
        escalate = _still_needs_person(reading)
    return replace(reading, escalate=escalate, intent=intent_of(reading.category, reading))


def _about(reading: Reading, text: str, memory: Memory) -> Reading:
    """The reading with the line and category that the conversation gives it."""
    if memory.category is Category.SPAM and (reading.category in NOT_BUSINESS or reading.confidence < _SURE):
        return replace(reading, category=Category.SPAM, evidence="earlier spam", escalate=False)
    if memory.category is Category.OUTRO and _goes_on_with_order(reading, memory):
        return replace(
            reading,
            category=Category.OUTRO,
            vertente=Vertente.NENHUMA,
            evidence="order meant for another business",
            escalate=False,
        )
    if reading.evidence != "classifier":
        return reading
    if memory.vertente is Vertente.NENHUMA and memory.category in {None, *NOT_BUSINESS}:
        return _read_together(reading, text, memory)
    return _follow_up(reading, memory)


def _goes_on_with_order(reading: Reading, memory: Memory) -> bool:
    """True for the address, the change or the extras after an order that was meant for a pizzeria or the like."""
    before = read(memory.last_customer_texts[-1]) if memory.last_customer_texts else None
    return before is not None and "food_order" in before.signs and "capability" not in reading.signs


def _read_together(reading: Reading, text: str, memory: Memory) -> Reading:
    """Fragments of one thought: read with the ones before it when that says more than the last one alone."""
    if reading.category not in NOT_BUSINESS and reading.confidence >= _SURE and reading.signs & _BY_ITSELF:
        return reading
    joined = read(" ".join((*memory.last_customer_texts[-5:], text)))
    if (
        joined.evidence == "classifier"
        and joined.category not in NOT_BUSINESS
        and joined.confidence >= _JOINED_SURE
        and reading.mentioned | (reading.signs & _BY_ITSELF)
    ):
        return replace(joined, tokens=reading.tokens, signs=reading.signs, evidence="fragments read together")
    if reading.signs & _BY_ITSELF or reading.mentioned:
        return reading
    likeliest = decode(reading.scores, lambda _, other: 1.5 if other is Category.OUTRO else 0.0)
    return decoded_as(reading, likeliest, reading.evidence)


def _follow_up(reading: Reading, memory: Memory) -> Reading:
    """The likeliest reading given the matter in hand; the fewer the words, the more the conversation counts."""
    count = len(reading.tokens)
    strength = 2.2 if count <= 3 else 1.7 if count <= 7 else 1.0
    carried = strength * (0.4 if reading.mentioned - {memory.vertente} else 1.0)
    usual = CATEGORY_OF.get(memory.vertente)

    def prior(vertente: Vertente, category: Category) -> float:
        kept = 0.0
        if vertente is memory.vertente and vertente is not Vertente.NENHUMA:
            kept += 1.0
        if category is usual:
            kept += 0.8
        if category is memory.category and category not in NOT_BUSINESS:
            kept += 0.8
        shown = 0.0
        if LINE_OF.get(category) in reading.mentioned:
            shown += 0.6
        if category in _SIGNS_OF and not reading.signs & _SIGNS_OF[category] and category is not memory.category:
            shown -= 0.8
        if category is Category.SPAM or (category is Category.OUTRO and memory.category is not Category.OUTRO):
            shown -= 1.2
        return kept * carried + shown * strength

    placed = decoded_as(reading, decode(reading.scores, prior), "the matter in hand")
    return replace(placed, confidence=max(placed.confidence, 0.5))


def _still_needs_person(reading: Reading) -> bool:
    """After a hand-off: insisting keeps it open; courtesy and questions that only ask to be informed do not."""
    if reading.category in NOT_BUSINESS or reading.signs & (_COURTESY | {"no_handoff"}):
        return False
    if reading.escalate:
        return True
    return "question" not in reading.signs and reading.category in NEEDS_PERSON | set(CATEGORY_OF.values())
