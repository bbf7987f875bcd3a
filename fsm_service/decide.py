"""From a proposal to a decision, pure: the table and the institution's rules decide, the proposal only proposes."""

import re
from dataclasses import dataclass, replace

from common.institution import Institution, Intent
from common.taxonomy import Action, Category, State, Vertente
from common.turn import Determination
from fsm_service.prompt import Proposal
from fsm_service.session import Session
from fsm_service.states import PROPOSABLE
from fsm_service.understanding.types import Understanding

_THANKS = re.compile(r"obrig|brigad|valeu|agrade[cç]|grat[ao]\b|thank|gracias", re.IGNORECASE)
_NOD_WORDS = 2
_PLAIN = 0.8
"""Confidence of the deterministic reading from which a message is no spam, whatever the model says."""
_ASKING = frozenset({"CLARIFY", "EMPTY"})
_ASKED_AT_MOST = 4
"""In a row, who writes what is surely not about us is asked what they want; the same words again would help nobody."""

# One reason a hand-off can have; the first that holds is told to the attendant.
_REASONS = {
    "NEGOCIACAO": "negotiation",
    "OCORRENCIA": "incident",
    "DUVIDA_JURIDICA": "legal",
    "CONTATO_HUMANO": "human_request",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """What the turn does, where it rests, and which proposals were refused on the way."""

    determination: Determination
    resting_state: State
    refused: tuple[str, ...]
    clarified: bool


def decide(
    proposal: Proposal | None,
    understanding: Understanding,
    session: Session,
    institution: Institution,
    *,
    text: str,
    min_confidence: float,
) -> Decision:
    """The decision for an understood message; without a proposal the deterministic understanding decides alone."""
    refused: list[str] = []
    view = _checked(proposal, understanding, session, institution, refused) if proposal else _own_view(understanding)
    if understanding.injection:
        return _refuse_injection(view, session, refused)
    escalate = view.escalate or understanding.human_request or _needs_person(view, understanding, institution)
    if view.resting is State.SPAM and not escalate:
        return _decision(Action.DISMISS, view, State.SPAM, refused, phrase="SPAM")
    if escalate:
        return _hand_off(view, understanding, institution, refused)
    if view.resting is State.AWAITING_USER and _only_nods(understanding, session, text):
        return _decision(Action.CLOSE, view, State.COMPLETED, refused, phrase="GOODBYE")
    if view.confidence < min_confidence and not understanding.closing:
        return _clarify(view, session, text, refused)
    if view.resting is State.COMPLETED:
        phrase = "THANKS" if _THANKS.search(text) else "GOODBYE"
        return _decision(Action.CLOSE, view, State.COMPLETED, refused, phrase=phrase)
    phrase = _phrase(view, text)
    if phrase in _ASKING and _asked(session) >= _ASKED_AT_MOST:
        return _unclear(view, refused)
    return _decision(Action.ANSWER, view, State.AWAITING_USER, refused, phrase=phrase)


@dataclass(frozen=True, slots=True)
class _View:
    resting: State
    vertente: Vertente
    category: Category
    intent: str
    confidence: float
    reasoning: str
    language: str
    escalate: bool


def _own_view(understanding: Understanding) -> _View:
    resting = State.SPAM if understanding.spam else State.COMPLETED if understanding.closing else State.AWAITING_USER
    return _View(
        resting=State.ESCALATING if understanding.escalate else resting,
        vertente=understanding.vertente,
        category=understanding.category,
        intent=understanding.intent,
        confidence=understanding.confidence,
        reasoning=understanding.reasoning,
        language=understanding.language,
        escalate=understanding.escalate,
    )


def _checked(
    proposal: Proposal, understanding: Understanding, session: Session, institution: Institution, refused: list[str]
) -> _View:
    own = _own_view(understanding)
    resting, intent = proposal.decision, proposal.intent
    if resting not in PROPOSABLE:
        refused.append(f"decision {resting} is not a state to rest in; {own.resting} in its place")
        resting = own.resting
    if intent and intent not in institution.intents:
        refused.append("intent is not in the taxonomy; the deterministic one in its place")
        intent = own.intent
    if resting is State.SPAM and proposal.category is not Category.SPAM:
        refused.append(f"decision SPAM with category {proposal.category}; {own.resting} in its place")
        resting = own.resting
    if proposal.category is Category.SPAM and resting is not State.SPAM:
        # The session would remember it, and the next greeting would be read in its light.
        refused.append(f"category SPAM with decision {resting}; the deterministic reading in its place")
        return replace(own, escalate=own.escalate or proposal.escalate or resting is State.ESCALATING)
    if resting is State.SPAM and _plainly_ours(understanding, session):
        # It would silence a customer for minutes; that takes more than one answer of a model.
        refused.append(f"decision SPAM for what is plainly {understanding.category}; the deterministic reading in its place")
        return own
    return _View(
        resting=resting,
        vertente=proposal.vertente,
        category=proposal.category,
        intent=intent,
        confidence=proposal.confidence,
        reasoning=proposal.reasoning,
        language=understanding.language,
        escalate=proposal.escalate or resting is State.ESCALATING,
    )


def _plainly_ours(understanding: Understanding, session: Session) -> bool:
    """It reads as our business, for sure or from somebody who has been answered before."""
    if understanding.category in {Category.SPAM, Category.OUTRO}:
        return False
    return understanding.confidence >= _PLAIN or bool(session.recent)


def _needs_person(view: _View, understanding: Understanding, institution: Institution) -> bool:
    """The institution's rule for the intent stands against a proposal that would go on alone, if the rules agree with it."""
    intent = institution.intents.get(view.intent)
    return intent is not None and intent.human and understanding.escalate


def _only_nods(understanding: Understanding, session: Session, text: str) -> bool:
    """True for an "ok" or a thumb after the goodbye: the conversation stays ended."""
    continued = not session.history and bool(session.recent) and bool(session.turns)
    said_goodbye = continued and session.turns[-1].determination.action is Action.CLOSE
    return said_goodbye and understanding.category is Category.OUTRO and len(text.split()) <= _NOD_WORDS and "?" not in text


def _refuse_injection(view: _View, session: Session, refused: list[str]) -> Decision:
    # Whatever a message that attacks the instructions made of the proposal, nothing of it is kept.
    return Decision(
        Determination(
            action=Action.REFUSE,
            vertente=session.vertente,
            category=Category.OUTRO,
            intent="",
            confidence=1.0,
            reasoning="the message tries to change or extract the instructions",
            language=view.language,
            injection=True,
            phrase="INJECTION",
        ),
        State.AWAITING_USER,
        tuple(refused),
        clarified=False,
    )


def _hand_off(view: _View, understanding: Understanding, institution: Institution, refused: list[str]) -> Decision:
    reason = _reason(view.intent, view.category)
    if understanding.human_request:
        reason = "human_request"
    if understanding.anger:
        reason = "anger"
    intent = institution.intents.get(view.intent)
    answered_by_intent = intent is not None and intent.human and not understanding.anger
    phrase = "" if answered_by_intent else "HANDOFF_ANGER" if understanding.anger else "HANDOFF"
    return _decision(Action.HAND_OFF, view, State.ESCALATING, refused, phrase=phrase, reason=reason)


def _reason(intent: str, category: Category) -> str:
    by_category = {Category.SUPORTE: "incident", Category.LEGAL: "legal"}
    return _REASONS.get(intent) or by_category.get(category, "commercial")


def by_option(intent: Intent) -> Decision:
    """The decision for an option that the customer chose."""
    determination = Determination(
        action=Action.HAND_OFF if intent.human else Action.ANSWER,
        vertente=intent.vertente,
        category=intent.category,
        intent=intent.id,
        confidence=1.0,
        reasoning="the customer chose an option",
        escalation_reason=_reason(intent.id, intent.category) if intent.human else "",
    )
    return Decision(determination, State.ESCALATING if intent.human else State.AWAITING_USER, (), clarified=False)


def _clarify(view: _View, session: Session, text: str, refused: list[str]) -> Decision:
    if session.clarifications >= 1:
        return _unclear(view, refused)
    return _decision(
        Action.CLARIFY, view, State.AWAITING_USER, refused, phrase=_clarifying(view.vertente, text), clarified=True
    )


def _asked(session: Session) -> int:
    """How many of the last turns only asked what the customer wants."""
    asked = 0
    for result in reversed(session.turns):
        if result.determination.phrase not in _ASKING:
            break
        asked += 1
    return asked


def _unclear(view: _View, refused: list[str]) -> Decision:
    return _decision(
        Action.HAND_OFF, view, State.ESCALATING, refused, phrase="HANDOFF_UNCLEAR", reason="unclear", clarified=True
    )


def _phrase(view: _View, text: str) -> str:
    """The fixed text that answers where no intent's canonical answer does."""
    if view.category is Category.SAUDACAO:
        return "THANKS" if _THANKS.search(text) else "GREETING"
    if view.intent:
        return ""
    if view.category is Category.OUTRO or view.vertente is Vertente.NENHUMA:
        return _clarifying(Vertente.NENHUMA, text) if view.category in {Category.OUTRO, Category.SUPORTE} else ""
    return f"NEED_{view.vertente}"


def _clarifying(vertente: Vertente, text: str) -> str:
    if not any(character.isalnum() for character in text):
        return "EMPTY"
    return "CLARIFY" if vertente is Vertente.NENHUMA else f"CLARIFY_{vertente}"


def _decision(
    action: Action,
    view: _View,
    resting: State,
    refused: list[str],
    *,
    phrase: str,
    reason: str = "",
    clarified: bool = False,
) -> Decision:
    determination = Determination(
        action=action,
        vertente=view.vertente,
        category=view.category,
        intent=view.intent,
        confidence=view.confidence,
        reasoning=view.reasoning,
        language=view.language,
        escalation_reason=reason,
        phrase=phrase,
    )
    return Decision(determination, resting, tuple(refused), clarified)
