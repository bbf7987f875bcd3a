"""The table and the institution's rules decide; a proposal only proposes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.taxonomy import Action, Category, State, Vertente
from common.turn import Exchange
from fsm_service.decide import Decision, decide
from fsm_service.prompt import Proposal
from fsm_service.session import Session
from fsm_service.states import PROPOSABLE, RESTING
from fsm_service.understanding.types import Understanding
from tests.institution import shipped

SESSION = Session("ana", "s", 1, "console", 0, 0)
QUESTION = Understanding(
    vertente=Vertente.ENTREGA,
    category=Category.ENTREGAS,
    intent="PYLOTO_ENTREGA_O_QUE_E",
    confidence=0.9,
    escalate=False,
    injection=False,
    spam=False,
    closing=False,
    anger=False,
    human_request=False,
    language="pt",
    alternatives=(),
    reasoning="rules",
)
GOOD = Proposal(
    decision=State.AWAITING_USER,
    vertente=Vertente.CRM,
    category=Category.CRM,
    intent="PYLOTO_CRM_O_QUE_E",
    confidence=0.8,
    reasoning="model",
    escalate=False,
)
PROPOSALS = st.builds(
    Proposal,
    decision=st.sampled_from(State),
    vertente=st.sampled_from(Vertente),
    category=st.sampled_from(Category),
    intent=st.sampled_from(["", "PYLOTO_CRM_O_QUE_E", "PRECO", "INVENTADA"]),
    confidence=st.floats(0, 1),
    reasoning=st.just("model"),
    escalate=st.booleans(),
)
UNDERSTANDINGS = st.builds(
    replace,
    st.just(QUESTION),
    escalate=st.booleans(),
    injection=st.booleans(),
    spam=st.booleans(),
    closing=st.booleans(),
    anger=st.booleans(),
    human_request=st.booleans(),
    confidence=st.floats(0, 1),
    intent=st.sampled_from(["", "PRECO", "CONTATO_HUMANO", "OCORRENCIA", "PYLOTO_ENTREGA_O_QUE_E"]),
)


def decided(
    proposal: Proposal | None = None,
    understanding: Understanding = QUESTION,
    *,
    clarifications: int = 0,
    text: str = "e o crm?",
    recent: tuple[Exchange, ...] = (),
) -> Decision:
    """The decision with the shipped documents."""
    session = replace(SESSION, clarifications=clarifications, recent=recent)
    return decide(proposal, understanding, session, shipped(), text=text, min_confidence=0.45)


def test_a_customer_is_not_silenced_by_one_answer_of_a_model() -> None:
    """A proposal of SPAM for a plain question is refused; what nobody can read as business may be spam."""
    spam = GOOD.model_copy(
        update={"decision": State.SPAM, "category": Category.SPAM, "vertente": Vertente.NENHUMA, "intent": ""}
    )

    refused = decided(spam)
    taken = decided(spam, replace(QUESTION, category=Category.OUTRO, intent="", vertente=Vertente.NENHUMA))

    assert (refused.resting_state, refused.determination.category) == (State.AWAITING_USER, Category.ENTREGAS)
    assert any("SPAM" in reason for reason in refused.refused)
    assert taken.resting_state is State.SPAM


def test_somebody_who_has_been_answered_is_no_spammer_by_a_model_alone() -> None:
    """Two questions in one burst read unsurely; the model may be right about a stranger, not about them."""
    spam = GOOD.model_copy(
        update={"decision": State.SPAM, "category": Category.SPAM, "vertente": Vertente.NENHUMA, "intent": ""}
    )
    unsure = replace(QUESTION, confidence=0.6)

    assert decided(spam, unsure).resting_state is State.SPAM
    assert decided(spam, unsure, recent=(Exchange("oi", "Olá!"),)).resting_state is State.AWAITING_USER


@pytest.mark.parametrize("decision", sorted(set(State) - {State.SPAM}))
def test_the_category_of_spam_without_the_decision_is_not_remembered(decision: State) -> None:
    """The session would keep it, and the customer's next greeting would be read in its light."""
    taken = decided(GOOD.model_copy(update={"decision": decision, "category": Category.SPAM}))

    assert taken.determination.category is Category.ENTREGAS
    assert any(refusal.startswith("category SPAM") for refusal in taken.refused)


def test_a_legal_proposal_is_taken() -> None:
    """The model's reading stands where nothing speaks against it."""
    decision = decided(GOOD)

    assert decision.resting_state is State.AWAITING_USER
    assert decision.determination.intent == "PYLOTO_CRM_O_QUE_E"
    assert decision.determination.action is Action.ANSWER
    assert decision.refused == ()


def test_without_a_proposal_the_rules_decide() -> None:
    """The deterministic understanding is a whole answer."""
    decision = decided(None)

    assert decision.determination.intent == "PYLOTO_ENTREGA_O_QUE_E"
    assert decision.determination.reasoning == "rules"


@pytest.mark.parametrize("state", sorted(set(State) - set(PROPOSABLE)))
def test_a_state_in_which_nothing_rests_is_refused(state: State) -> None:
    """An illegal proposal is explained, and the deterministic choice stands in its place."""
    decision = decided(GOOD.model_copy(update={"decision": state}))

    assert decision.resting_state is State.AWAITING_USER
    assert decision.refused == (f"decision {state} is not a state to rest in; AWAITING_USER in its place",)


def test_an_unknown_intent_is_refused() -> None:
    """Nothing outside the taxonomy is stored; the rest of the proposal stays."""
    decision = decided(GOOD.model_copy(update={"intent": "PROMOCAO_RELAMPAGO"}))

    assert decision.determination.intent == QUESTION.intent
    assert decision.refused == ("intent is not in the taxonomy; the deterministic one in its place",)


@pytest.mark.parametrize("category", sorted(set(Category) - {Category.SPAM}))
def test_spam_with_another_category_is_refused(category: Category) -> None:
    """A customer with a real question is not blocked by a confused model."""
    decision = decided(GOOD.model_copy(update={"decision": State.SPAM, "category": category}))

    assert decision.resting_state is not State.SPAM
    assert decision.refused[0].startswith("decision SPAM with category")


def test_a_request_for_a_person_stands_against_the_proposal() -> None:
    """Who asks for a person gets one, whatever the model would rather do."""
    understanding = replace(QUESTION, human_request=True, escalate=True)

    decision = decided(GOOD, understanding)

    assert decision.resting_state is State.ESCALATING
    assert decision.determination.escalation_reason == "human_request"


def test_an_intent_for_people_goes_to_people_when_the_rules_agree() -> None:
    """A price question is handed over although the model would answer it."""
    understanding = replace(QUESTION, intent="PRECO", escalate=True)

    decision = decided(GOOD.model_copy(update={"intent": "PRECO", "category": Category.COMERCIAL}), understanding)

    assert decision.resting_state is State.ESCALATING
    assert decision.determination.action is Action.HAND_OFF


@given(proposal=st.none() | PROPOSALS, understanding=UNDERSTANDINGS)
def test_an_attack_on_the_instructions_is_refused_whatever_is_proposed(
    proposal: Proposal | None, understanding: Understanding
) -> None:
    """The model may be what was attacked: nothing of its proposal is kept."""
    decision = decided(proposal, replace(understanding, injection=True))

    found = decision.determination
    assert (found.action, found.phrase, found.injection) == (Action.REFUSE, "INJECTION", True)
    assert decision.resting_state is State.AWAITING_USER
    assert found.intent == ""


@given(proposal=st.none() | PROPOSALS, understanding=UNDERSTANDINGS, clarifications=st.integers(0, 2))
def test_every_decision_rests_where_the_table_can_lead(
    proposal: Proposal | None, understanding: Understanding, clarifications: int
) -> None:
    """Whatever is proposed, the decision is one that the table has and the documents know."""
    decision = decided(proposal, understanding, clarifications=clarifications)

    found = decision.determination
    assert decision.resting_state in RESTING & set(PROPOSABLE)
    assert found.intent in {"", *shipped().intents}
    assert not found.phrase or found.phrase in shipped().phrases
    assert (found.action is Action.HAND_OFF) == (decision.resting_state is State.ESCALATING)
    assert bool(found.escalation_reason) == (found.action is Action.HAND_OFF)


def test_low_confidence_asks_what_the_customer_means() -> None:
    """The question is about the line that is known."""
    decision = decided(GOOD.model_copy(update={"confidence": 0.3}))

    assert decision.determination.action is Action.CLARIFY
    assert decision.determination.phrase == "CLARIFY_CRM"
    assert decision.clarified


def test_low_confidence_for_the_second_time_in_a_row_hands_over() -> None:
    """Nobody is asked the same thing for ever."""
    decision = decided(GOOD.model_copy(update={"confidence": 0.3}), clarifications=1)

    assert decision.resting_state is State.ESCALATING
    assert decision.determination.escalation_reason == "unclear"
    assert decision.determination.phrase == "HANDOFF_UNCLEAR"


@pytest.mark.parametrize(("text", "phrase"), [("muito obrigada!", "THANKS"), ("tchau", "GOODBYE")])
def test_a_goodbye_is_answered_as_it_was_said(text: str, phrase: str) -> None:
    """Thanks get a "you are welcome", a goodbye gets a goodbye."""
    decision = decided(GOOD.model_copy(update={"decision": State.COMPLETED, "category": Category.SAUDACAO}), text=text)

    assert decision.resting_state is State.COMPLETED
    assert (decision.determination.action, decision.determination.phrase) == (Action.CLOSE, phrase)


@pytest.mark.parametrize("text", ["", "😀😀", "👍🏽", "!!!", "…"])
def test_a_message_without_words_is_asked_how_to_help(text: str) -> None:
    """An emoji is no question: the fixed text for it is said, whatever a model read into it."""
    silent = replace(QUESTION, vertente=Vertente.NENHUMA, category=Category.OUTRO, intent="", confidence=0.6)

    decision = decided(None, silent, text=text)

    assert decision.resting_state is State.AWAITING_USER
    assert decision.determination.phrase == "EMPTY"


def test_anger_gets_its_own_words_and_a_person() -> None:
    """The attendant learns that the customer is upset."""
    decision = decided(None, replace(QUESTION, anger=True, escalate=True))

    assert decision.determination.escalation_reason == "anger"
    assert decision.determination.phrase == "HANDOFF_ANGER"


def test_a_goodbye_is_not_asked_what_it_means() -> None:
    """Words that end a conversation are clear, whatever else in the message is not."""
    apology = replace(QUESTION, vertente=Vertente.NENHUMA, category=Category.OUTRO, intent="", confidence=0.3, closing=True)

    decision = decided(None, apology, text="nossa, errei o contato, perdão")

    assert decision.resting_state is State.COMPLETED
    assert decision.determination.action is Action.CLOSE
