"""The canonical text: for any decision there is one, and it is the institution's own."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import guard
from common.canonical_text import canonical_text
from common.taxonomy import Action, Category, Vertente
from common.turn import Determination
from tests.institution import shipped

FOUND = Determination(Action.ANSWER, Vertente.CRM, Category.CRM, "PYLOTO_CRM_O_QUE_E", 0.9, "test")
DETERMINATIONS = st.builds(
    Determination,
    action=st.sampled_from(Action),
    vertente=st.sampled_from(Vertente),
    category=st.sampled_from(Category),
    intent=st.sampled_from(["", "INVENTADA", *shipped().intents]),
    confidence=st.floats(0, 1),
    reasoning=st.just("test"),
    language=st.sampled_from(["pt", "en", "es", "fr"]),
    phrase=st.sampled_from(["", "INVENTADA", *shipped().phrases]),
)


@given(found=DETERMINATIONS)
def test_for_any_decision_there_is_a_text_that_may_leave(found: Determination) -> None:
    """Never empty, and free of violations."""
    text = canonical_text(found, shipped())

    assert text.strip()
    assert not guard.check(text).findings


def test_a_fixed_phrase_goes_before_the_intent() -> None:
    """The decision named it."""
    assert canonical_text(replace(FOUND, phrase="GREETING"), shipped()) == shipped().phrases["GREETING"]


def test_an_intent_has_its_own_answer() -> None:
    """As the documents say it."""
    assert canonical_text(FOUND, shipped()) == shipped().intents["PYLOTO_CRM_O_QUE_E"].answer


def test_a_hand_off_never_says_an_answer_that_goes_on_alone() -> None:
    """Only the intents for people have a text that announces one."""
    assert canonical_text(replace(FOUND, action=Action.HAND_OFF), shipped()) == shipped().phrases["HANDOFF"]
    assert (
        canonical_text(replace(FOUND, action=Action.HAND_OFF, intent="PRECO"), shipped()) == shipped().intents["PRECO"].answer
    )


@pytest.mark.parametrize(
    ("category", "intent", "text"),
    [
        (Category.COMERCIAL, "PRECO", shipped().phrases["BEYOND"]),
        (Category.SUPORTE, "OCORRENCIA", shipped().intents["DUVIDAS_TECNICAS"].answer),
    ],
)
def test_no_text_says_that_a_person_continues_when_none_does(category: Category, intent: str, text: str) -> None:
    """The customer did not want one, or the decision saw no need."""
    assert canonical_text(replace(FOUND, category=category, intent=intent), shipped()) == text


@pytest.mark.parametrize(("language", "phrase"), [("en", "ENGLISH"), ("es", "SPANISH")])
def test_another_language_gets_a_line_in_it(language: str, phrase: str) -> None:
    """After the Portuguese text."""
    assert canonical_text(replace(FOUND, language=language), shipped()).endswith(shipped().phrases[phrase])
