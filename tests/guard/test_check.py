"""The public check: verdicts, spans, quotes of the customer, composed messages, and disguises that must not help."""

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import guard
from common.taxonomy import Violation
from guard import check, check_parts, violations

_EXAMPLES = Path(guard.__file__).parent / "examples"
_LEAKS = [json.loads(line) for line in (_EXAMPLES / "leaks.jsonl").read_text(encoding="utf-8").splitlines()]
_BLOCKED = [
    "O plano custa R$ 150 por mês.",
    "Te dou 10% de desconto se fechar hoje.",
    "Seu cadastro foi aprovado.",
    "O sistema fica pronto em 30 dias.",
    "Garantimos o dobro de vendas.",
    "Também fazemos tráfego pago.",
    "Me informe o número do cartão.",
    "Meu prompt diz que não posso citar preços.",
    "Você é burro?",
]


def _stopped(text: str) -> bool:
    verdict = check(text)
    return verdict.blocked or verdict.doubtful


@pytest.mark.parametrize(("text", "violation"), list(zip(_BLOCKED, Violation, strict=True)))
def test_each_violation_is_found(text: str, violation: Violation) -> None:
    """One plain example of each of the nine violations."""
    assert violation in violations(text)


@pytest.mark.parametrize("leak", _LEAKS, ids=lambda leak: leak["id"])
def test_what_an_obedient_model_would_say_is_stopped(leak: dict[str, str]) -> None:
    """The red-team set: not one of these texts may leave."""
    assert _stopped(leak["text"])


def test_finding_shows_where_and_why() -> None:
    """The span is in the original text, although the folded one is shorter."""
    text = "Olá! O plano sai por R\u200b$ 1\u200b50, tá?"

    finding = next(f for f in check(text).findings if f.rule == "valor_em_dinheiro")

    assert text[finding.start : finding.end] == "R\u200b$ 1\u200b50"
    assert "equipe comercial" in finding.reason


_POLITE = [
    "Oi, Marta, aqui é o Otto, da Pyloto.",
    "Sobre valores quem fala é uma pessoa da equipe.",
    "Em qual cidade fica a sua loja?",
]


@pytest.mark.parametrize("place", range(len(_POLITE) + 1))
@pytest.mark.parametrize("text", _BLOCKED)
def test_violation_among_polite_sentences_is_found(text: str, place: int) -> None:
    """Whatever stands around it, a refusal included."""
    assert not _stopped(" ".join(_POLITE))
    assert _stopped(" ".join([*_POLITE[:place], text, *_POLITE[place:]]))


def test_refusal_may_quote_the_customers_figure() -> None:
    """The customer's own figure in a refusal passes; the same figure as a price does not."""
    asked = "consigo por R$ 500?"

    assert not check("R$ 500? Sobre valores quem responde é a equipe comercial.", customer_text=asked).blocked
    assert check("Sai por R$ 500.", customer_text=asked).blocked


@pytest.mark.parametrize(
    "parts",
    [
        ["O plano custa", "R$", "150"],
        ["Escolha uma opção", "Parcelar em", "3x sem juros"],
        ["Olá, como posso ajudar?", "Ver menu", "Quero 20% de desconto"],
    ],
)
def test_violation_split_over_parts_is_found(parts: list[str]) -> None:
    """Body, buttons and rows are read together as well as one by one."""
    verdict = check_parts(parts)

    assert verdict.blocked
    joined = "\n".join(parts)
    assert all(0 <= f.start < f.end <= len(joined) for f in verdict.findings)


def test_harmless_menu_passes() -> None:
    """A plain composed message has nothing to find."""
    parts = ["Olá! Sobre qual assunto quer conversar?", "Pyloto Entrega", "Pyloto CRM", "Falar com a equipe"]

    verdict = check_parts(parts)

    assert not verdict.blocked
    assert not verdict.doubtful


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_text_has_a_verdict_with_spans_inside(text: str) -> None:
    """The check never raises, and each span lies inside the text."""
    verdict = check(text)

    assert all(0 <= f.start <= f.end <= len(text) for f in (*verdict.findings, *verdict.doubts))


@given(st.sampled_from(_BLOCKED), st.data())
@settings(max_examples=100, deadline=None)
def test_invisible_characters_do_not_help(text: str, data: st.DataObject) -> None:
    """Zero-width characters anywhere leave a blocked text blocked."""
    at = data.draw(st.integers(0, len(text)))
    hidden = data.draw(st.sampled_from("\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f"))

    assert _stopped(text[:at] + hidden + text[at:])


@pytest.mark.parametrize("text", _BLOCKED)
def test_case_and_accents_do_not_help(text: str) -> None:
    """Upper case, lower case and missing accents leave a blocked text blocked."""
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))

    assert all(_stopped(form) for form in (text.upper(), text.lower(), bare))


@given(st.integers(10, 99_999), st.data())
@settings(max_examples=60, deadline=None)
def test_newlines_between_digits_do_not_help(price: int, data: st.DataObject) -> None:
    """A price broken over lines is still a price."""
    digits = str(price)
    at = data.draw(st.integers(1, len(digits) - 1))

    assert _stopped(f"O plano sai por R$ {digits[:at]}\n{digits[at:]} por mês.")


@pytest.mark.parametrize("text", _BLOCKED)
def test_politeness_around_it_does_not_help(text: str) -> None:
    """A long courteous frame does not water a violation down."""
    frame = "Olá! Eu sou o Otto, a inteligência artificial da Pyloto, e fico feliz em ajudar. "

    assert _stopped(frame + "Como posso ajudar você hoje? " + text)
    assert _stopped(frame * 2 + text + " Se quiser, me conta um pouco mais sobre a sua loja e a sua cidade.")


@pytest.mark.parametrize(
    "text", ["", "oi", "Maringá", "Zilda Kretzmann", "Padaria Xavante", "Itaquaquecetuba", "Agendar visita"]
)
def test_text_without_evidence_passes(text: str) -> None:
    """A name, a city or a button title that the model has never seen is no reason for doubt."""
    assert not _stopped(text)
