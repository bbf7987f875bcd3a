"""What holds for every text: no error, sane numbers, labels that do not hang on accents or case."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.taxonomy import Category, Vertente
from fsm_service.fallback import EMPTY, Memory, understand
from fsm_service.understanding.reading import goes_with
from fsm_service.understanding.text import fold, strip_accents

CLEAR = (
    "vocês fazem entrega de medicação?",
    "preciso de uma diarista às terças",
    "vocês criam aplicação sob medida? preciso de um sistema",
    "quero centralizar as mensagens no crm",
    "qual é o preço?",
    "você é um robô?",
    "não consigo acessar minha conta",
    "olá, bom dia",
)
MEMORIES = (
    EMPTY,
    Memory(Vertente.ENTREGA, Category.ENTREGAS, ("vcs entregam?",), "Sim.", False, 0),
    Memory(Vertente.CRM, Category.COMERCIAL, ("quanto custa o crm?",), "", True, 1),
    Memory(Vertente.NENHUMA, Category.SPAM, ("ganhe dinheiro",), "", False, 0),
)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300), st.sampled_from(MEMORIES))
def test_any_text_is_understood(text: str, memory: Memory) -> None:
    """No text raises, and the answer keeps the contract."""
    got = understand(text, memory)

    assert 0.0 <= got.confidence <= 1.0
    assert got.language in {"pt", "en", "es"}
    assert got.vertente not in got.alternatives
    assert not (got.escalate and (got.spam or got.injection))
    if memory is EMPTY:
        assert goes_with(got.vertente, got.category)


@pytest.mark.parametrize("text", ["", " \n", "\x00\u200b", "a" * 50_000, "🙂" * 500, "não " * 3000])
def test_extreme_texts(text: str) -> None:
    """Empty, invisible, huge and repetitive texts are answered like any other."""
    assert 0.0 <= understand(text).confidence <= 1.0


@pytest.mark.parametrize("text", CLEAR)
def test_accents_and_case_do_not_change_the_label(text: str) -> None:
    """People type without accents or in capitals and mean the same."""
    label = understand(text).vertente, understand(text).category

    for other in (strip_accents(text), text.capitalize(), text.upper()):
        assert (understand(other).vertente, understand(other).category) == label


@given(st.text(max_size=200))
def test_folding_is_stable(text: str) -> None:
    """Folding folded text changes nothing, so rules may fold what is folded."""
    once = fold(text)

    assert fold(once) == once


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("vcs fazem entrega hj tb?", "voces fazem entrega hoje tambem"),
        ("oq é isso msm", "o que e isso mesmo"),
        ("kkkkkkk oiiii", "kkk oi"),
        ("Não, OBRIGADA!!", "nao obrigado"),
        ("cadê R$ 50?", "cade reais 50"),
    ],
)
def test_folding(text: str, folded: str) -> None:
    """Abbreviations, laughter, stretched letters, accents and case become plain words."""
    assert fold(text) == folded
