"""The deterministic reply: the canonical text of the context documents."""

from common.canonical_text import canonical_text
from common.institution import Institution
from common.turn import Turn


def reply(turn: Turn, institution: Institution) -> str:
    """What is said with no LLM; the LLM, when there is one, starts from it."""
    return canonical_text(turn.determination, institution)
