"""What is known before a customer's message (Memory) and what was understood from it (Understanding)."""

from dataclasses import dataclass

from common.taxonomy import Category, Vertente

CLARIFY_BELOW = 0.45
"""An understanding with less confidence than this asks a clarifying question."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What the conversation holds before this message."""

    vertente: Vertente
    """The active business line; NENHUMA at the start."""
    category: Category | None
    """The category of the last understood turn."""
    last_customer_texts: tuple[str, ...]
    """Oldest first, at most 6."""
    last_reply: str
    """What the assistant said last; empty at the start."""
    escalated: bool
    """A hand-off happened in this session."""
    clarifications: int
    """Clarifying questions asked in a row."""


EMPTY = Memory(
    vertente=Vertente.NENHUMA,
    category=None,
    last_customer_texts=(),
    last_reply="",
    escalated=False,
    clarifications=0,
)
"""The memory of a conversation that has not begun."""


@dataclass(frozen=True, slots=True)
class Understanding:
    """What one message means in its conversation."""

    vertente: Vertente
    category: Category
    intent: str
    """An intent id of `contexto_llm/doc.md`; empty for SAUDACAO, SPAM and OUTRO."""
    confidence: float
    """0..1; below `CLARIFY_BELOW` a clarifying question is due."""
    escalate: bool
    injection: bool
    spam: bool
    closing: bool
    """Goodbye, thanks or an apology for a wrong number that ends the conversation."""
    anger: bool
    human_request: bool
    language: str
    """`pt`, `en` or `es`."""
    alternatives: tuple[Vertente, ...]
    """A second line mentioned in the same message."""
    reasoning: str
    """One short sentence in English naming the evidence; holds no words of the customer."""
