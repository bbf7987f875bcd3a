"""What is said without a model in mid-conversation: what was told is noted, and no text is said twice in a row."""

from dataclasses import replace

import pytest

from common.taxonomy import Action, Category, State, Vertente
from common.turn import Exchange
from fsm_service import fallback
from fsm_service.decide import Decision, decide
from fsm_service.follow_up import BEYOND, NOTED, in_conversation
from fsm_service.session import Session
from fsm_service.understand import memory_of
from tests.institution import shipped

COURIER = shipped().intents["CADASTRO_ENTREGADOR"].answer
SYSTEMS = shipped().intents["SISTEMAS_SOB_MEDIDA"].answer
LGPD = shipped().intents["LGPD_E_DADOS"].answer


def after(said: str, reply: str, vertente: Vertente, category: Category) -> Session:
    """A session in which the customer has said one thing."""
    session = Session("ana", "s", 1, "console", 0, 0)
    return replace(session, vertente=vertente, category=category, recent=(Exchange(said, reply),))


AS_COURIER = after("quero trabalhar com entrega de moto", COURIER, Vertente.ENTREGA, Category.ENTREGAS)
WITH_FACTORY = after("preciso de um sistema pra minha fábrica", SYSTEMS, Vertente.TECNOLOGIA, Category.TECNOLOGIA)
ABOUT_DATA = after("o que vocês fazem com meus dados?", LGPD, Vertente.NENHUMA, Category.LEGAL)
OFFERED = after("precisa de CNH?", shipped().phrases[BEYOND], Vertente.ENTREGA, Category.ENTREGAS)


def decided(session: Session, text: str) -> Decision:
    """As `fsm_service/understand.py` decides without a model."""
    understanding = fallback.understand(text, memory_of(session))
    decision = decide(None, understanding, session, shipped(), text=text, min_confidence=0.45)
    return in_conversation(decision, session, shipped(), text)


@pytest.mark.parametrize(
    ("session", "text", "phrase"),
    [
        (AS_COURIER, "tenho uma CG 160, moro em Ponta Grossa", NOTED),
        (WITH_FACTORY, "hoje uso planilha, são 30 funcionários", NOTED),
        (AS_COURIER, "sim", NOTED),
        (AS_COURIER, "precisa de CNH?", BEYOND),
        (ABOUT_DATA, "vocês vendem pra terceiros?", BEYOND),
        (WITH_FACTORY, "e aí?", BEYOND),
    ],
)
def test_an_answer_is_noted_and_a_question_without_answer_gets_the_offer_of_a_person(
    session: Session, text: str, phrase: str
) -> None:
    """The line and the category stay those of the matter in hand."""
    decision = decided(session, text)

    assert decision.determination.phrase == phrase
    assert decision.determination.vertente is session.vertente
    assert decision.resting_state is State.AWAITING_USER
    assert not decision.clarified


@pytest.mark.parametrize("text", ["sim", "Quero sim!", "pode ser", "sim, por favor"])
def test_a_yes_to_that_offer_brings_a_person(text: str) -> None:
    """At the customer's wish."""
    decision = decided(OFFERED, text)

    assert (decision.determination.action, decision.resting_state) == (Action.HAND_OFF, State.ESCALATING)
    assert decision.determination.escalation_reason == "human_request"
    assert decision.determination.vertente is Vertente.ENTREGA


@pytest.mark.parametrize("text", ["não", "talvez depois", "sim, mas quanto custa?"])
def test_anything_else_is_no_yes(text: str) -> None:
    """A price is handed over for its own reason."""
    assert decided(OFFERED, text).determination.escalation_reason != "human_request"


@pytest.mark.parametrize(
    ("session", "text"),
    [
        (AS_COURIER, "vocês integram com o SAP?"),
        (WITH_FACTORY, "oi, tudo bem?"),
        (WITH_FACTORY, "obrigado, era só isso"),
        (Session("ana", "s", 1, "console", 0, 0), "moro em Ponta Grossa"),
    ],
)
def test_what_has_an_answer_of_its_own_keeps_it(session: Session, text: str) -> None:
    """Another matter, a greeting, a goodbye, a first message."""
    assert decided(session, text).determination.phrase not in {NOTED, BEYOND}


def test_a_text_is_not_said_again_after_another_in_between() -> None:
    """The customer has read it two replies ago."""
    session = replace(AS_COURIER, recent=(*AS_COURIER.recent, Exchange("moro em Ponta Grossa", shipped().phrases[NOTED])))

    assert decided(session, "precisa de CNH?").determination.phrase == BEYOND


def test_the_note_is_not_taken_twice_in_a_row() -> None:
    """The second time the line's own question is asked."""
    noted = after("moro em Ponta Grossa", shipped().phrases[NOTED], Vertente.ENTREGA, Category.ENTREGAS)

    assert decided(noted, "e tenho bag").determination.phrase != NOTED
