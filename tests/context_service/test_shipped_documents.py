"""The documents in the repository are complete, fit the channel, and may be said to a customer."""

import re

import pytest

from common.institution import PHRASES, Institution
from common.taxonomy import Category, MessageKind, Vertente, Violation
from context_service.load_context import load_context
from context_service.parse import DOCUMENTS, load
from tests.context_service.editing import allow_all

HUMAN = {
    "COMO_CONTRATAR",
    "CONTATO_HUMANO",
    "DEMONSTRACAO",
    "PARCERIAS",
    "PRECO",
    "NEGOCIACAO",
    "OCORRENCIA",
    "DUVIDA_JURIDICA",
}
INFORMED = {
    "O_QUE_E_PYLOTO",
    "HISTORIA_PYLOTO",
    "DIFERENCIAL_PYLOTO",
    "PUBLICO_ATENDIDO",
    "PYLOTO_ENTREGA_O_QUE_E",
    "ENTREGAS_PARA_LOJAS",
    "AREA_ATENDIDA",
    "PRAZOS",
    "CADASTRO_ENTREGADOR",
    "PYLOTO_SERVICOS_O_QUE_E",
    "TIPOS_DE_SERVICO",
    "PARA_PRESTADORES",
    "SISTEMAS_SOB_MEDIDA",
    "AUTOMACOES",
    "INTEGRACOES",
    "PYLOTO_CRM_O_QUE_E",
    "CANAIS",
    "MULTI_EMPRESA",
    "FUNIS_RELATORIOS",
    "IA_ATENDIMENTO",
    "LIMITES_IA",
    "DUVIDAS_TECNICAS",
    "LGPD_E_DADOS",
}


@pytest.fixture(scope="module")
def institution() -> Institution:
    return load(DOCUMENTS, allow_all)


def test_every_intent_is_there_and_a_person_takes_over_only_where_agreed(institution: Institution) -> None:
    """No intent is missing, and `human` is what the business decided."""
    assert set(institution.intents) >= HUMAN | INFORMED
    assert {intent.id for intent in institution.intents.values() if intent.human} >= HUMAN
    assert not any(institution.intents[name].human for name in INFORMED)


def test_the_closed_sets_are_complete(institution: Institution) -> None:
    """Six principles, four lines, every category, every rule that the guard enforces, every fixed phrase."""
    assert [principle.number for principle in institution.principles] == [1, 2, 3, 4, 5, 6]
    assert {line.vertente for line in institution.lines} == set(Vertente) - {Vertente.NENHUMA}
    assert {note.category for note in institution.categories} == set(Category)
    assert {constraint.id for constraint in institution.constraints} >= set(Violation)
    assert set(institution.phrases) == set(PHRASES)
    assert institution.assistant == "Otto"


def test_each_intent_can_be_recognised_and_answered_briefly(institution: Institution) -> None:
    """At least six triggers, an answer of at most 500 characters with at most one question."""
    for intent in institution.intents.values():
        assert len(intent.triggers) >= 6, intent.id
        assert len(intent.answer) <= 500, intent.id
        assert intent.answer.count("?") <= 1, intent.id


def test_hand_off_texts_say_that_a_person_continues_with_what_was_collected(institution: Institution) -> None:
    """They ask nothing, because the assistant is silent afterwards, and they carry no time."""
    texts = [intent.answer for intent in institution.intents.values() if intent.human]
    texts += [institution.phrases[name] for name in ("HANDOFF", "HANDOFF_UNCLEAR", "HANDOFF_ANGER")]

    for text in texts:
        assert "pessoa da equipe" in text
        assert re.search(r"você (já )?(contou|escreveu)", text) or "pode escrever" in text or "escreva" in text, text
        assert "?" not in text
        assert not re.search(r"\d|minuto|hora|hoje|amanhã|em breve|logo", text), text


def test_an_answer_about_a_line_names_it(institution: Institution) -> None:
    """The customer always learns which line solves the problem."""
    for line in institution.lines:
        for intent in institution.intents.values():
            if intent.vertente is line.vertente:
                assert line.name in intent.answer, intent.id


def test_menus_fit_whatsapp(institution: Institution) -> None:
    """Buttons up to three, lists up to ten, titles up to 20 characters."""
    for menu in institution.menus.values():
        assert len(menu.options) <= (3 if menu.kind is MessageKind.BUTTON else 10)
        assert all(len(option.title) <= 20 and len(option.description) <= 72 for option in menu.options)


def test_the_example_media_cannot_be_mistaken_for_real_ones(institution: Institution) -> None:
    """Their host is reserved by RFC 2606, so that nobody's site is linked by accident."""
    urls = [media.url for media in institution.media.values() if media.url]

    assert urls
    assert all(url.startswith("https://pyloto.example/") for url in urls)


def test_the_prompt_prefix_is_long_enough_to_be_cached_and_short_enough_to_be_cheap(institution: Institution) -> None:
    """1,024 tokens start a provider's prefix cache; about 4.2 characters make a token of GPT's o200k in Portuguese."""
    assert 1_500 * 4.2 < len(institution.prompt) < 3_500 * 4.2


def test_the_prompt_prefix_tells_all_that_a_model_must_know(institution: Institution) -> None:
    """Every principle, line, rule, intent and informative answer is in it."""
    for text in (
        *(principle.text for principle in institution.principles),
        *(line.name for line in institution.lines),
        *(constraint.text for constraint in institution.constraints),
        *(intent.id for intent in institution.intents.values()),
        *(intent.answer for intent in institution.intents.values() if not intent.human),
    ):
        assert text in institution.prompt


def test_loading_twice_gives_the_same_bytes(institution: Institution) -> None:
    """The provider's cache works only on an identical prefix."""
    assert load(DOCUMENTS, allow_all) == institution


def test_the_guard_lets_every_shipped_text_pass() -> None:
    """Every answer, refusal, phrase, option and caption goes through the real guard at load."""
    assert load_context(DOCUMENTS).version
