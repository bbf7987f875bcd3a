"""What is said without an LLM when the customer answers our question, or would hear the same text again; pure."""

import re
from dataclasses import replace

from common.canonical_text import canonical_text
from common.institution import Institution
from common.taxonomy import Action, Category, State, Vertente
from fsm_service.decide import Decision
from fsm_service.session import Session

NOTED = "NOTED"
"""The phrase that takes note of what was told."""
BEYOND = "BEYOND"
"""The phrase for a question that the documents do not answer."""

_HEARD = 3
"""Replies back, within which a text is not said again."""
_YES = re.compile(
    r"(sim|s+|claro|isso|quero|gostaria|aceito|pode( ser| sim)?|por favor|com certeza)"
    r"([ ,]+(sim|quero|pode|claro|por favor|pf[av]*))*[ .!]*",
    re.IGNORECASE,
)
_NO_TOPIC = frozenset({None, Category.OUTRO, Category.SAUDACAO, Category.SPAM})
_GREETING = re.compile(r"\b(oi+|ol[áa]|opa|bom dia|boa (tarde|noite)|tud[oa] bem|hello|hi|hola)\b", re.IGNORECASE)


def in_conversation(decision: Decision, session: Session, institution: Institution, text: str) -> Decision:
    """The decision, with another phrase where its canonical text would show that nobody listened.

    Deterministic texts know no context: "moro em Ponta Grossa" after "Qual é a sua cidade?" is no riddle, and no text is said
    again and again.
    """
    found = decision.determination
    if _accepts_person(session, institution, text) and found.action in {Action.ANSWER, Action.CLARIFY, Action.HAND_OFF}:
        return _handed_over(decision, session)
    if not session.recent or session.category in _NO_TOPIC or found.action not in {Action.ANSWER, Action.CLARIFY}:
        return decision
    question, last_reply = "?" in text, session.recent[-1].reply_text
    unclear = found.action is Action.CLARIFY or found.category is Category.OUTRO
    lost = question and found.category is Category.SAUDACAO and not _GREETING.search(text)
    told = unclear and not question and "?" in last_reply and any(character.isalnum() for character in text)
    said = canonical_text(found, institution)
    repeated = found.category not in _NO_TOPIC and any(it.reply_text.startswith(said) for it in session.recent[-_HEARD:])
    phrase = NOTED if told or (repeated and not question) else BEYOND if lost or repeated else ""
    if not phrase or last_reply.startswith(institution.phrases[phrase]):
        return decision
    placed = replace(found, action=Action.ANSWER, phrase=phrase)
    if unclear or lost:
        # It belongs to the matter in hand.
        line = session.vertente if found.vertente is Vertente.NENHUMA else found.vertente
        placed = replace(placed, vertente=line, category=session.category or found.category)
    return replace(decision, determination=placed, clarified=False)


def _accepts_person(session: Session, institution: Institution, text: str) -> bool:
    """A yes to a phrase that offers a person."""
    offered = session.recent and session.recent[-1].reply_text.startswith(
        (institution.phrases[NOTED], institution.phrases[BEYOND])
    )
    return bool(offered) and _YES.fullmatch(text.strip()) is not None


def _handed_over(decision: Decision, session: Session) -> Decision:
    placed = replace(
        decision.determination,
        action=Action.HAND_OFF,
        vertente=session.vertente,
        category=session.category or decision.determination.category,
        escalation_reason="human_request",
        phrase="HANDOFF",
    )
    return replace(decision, determination=placed, resting_state=State.ESCALATING, clarified=False)
