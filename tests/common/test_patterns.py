"""The filter may name too many patterns, never too few."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.patterns import PatternFilter, needed_literals

PATTERNS = [
    re.compile(pattern)
    for pattern in (
        r"\w+ reais",
        r"(?<!\d)\d{2}\s+horas",
        r"[^\s.!?]+ gratis",
        r"so\W+hoje",
        r"[\w.]+@\w+",
        r"(?:pago|pix)?\s*(?:agora|ja){2,}",
        r"(?i:GRATIS)",
        r"(ha)\1+",
        r"(?=.*sao)eu|voce\b",
        r"[0-9]{2}\s\d|[^0-9]x",
    )
]


@pytest.mark.parametrize(
    ("pattern", "needed"),
    [
        ("desconto", {frozenset({"desconto"})}),
        (r"(?:pago|pix)\s+\w+ hoje", {frozenset({"pago ", "pix "}), frozenset({" "}), frozenset({" hoje"})}),
        (r"\d+ (?:dias?|mes)", {frozenset({"0"}), frozenset({"0 dia", "0 dias", "0 mes"})}),
        (r"(?:a .* preco|b .* valor) fixo", {frozenset({" preco", " valor"}), frozenset({" fixo"})}),
        (r"(?:a|\w+)", set()),
        (r"(?i)desconto", set()),
        (r"desconto(?= hoje)(?:s| total)*", {frozenset({"desconto"})}),
    ],
)
def test_what_every_match_needs(pattern: str, needed: set[frozenset[str]]) -> None:
    """A class of one kind, a sequence, alternatives of which the rarest part is kept; what may be absent is not needed."""
    assert needed_literals(re.compile(pattern)) == needed


def test_a_pattern_is_a_candidate_when_all_its_sets_occur() -> None:
    """One word of two is not enough."""
    patterns = PatternFilter([re.compile(r"(?:pago|pix)\s+\w+ hoje"), re.compile("cartao"), re.compile(r"\w+")])

    assert patterns.candidates("o pix nao caiu") == [2]
    assert patterns.candidates("o pix\tcai hoje") == [0, 2]


@given(st.text(max_size=60), st.text(alphabet="agorjpix 0123\n١", max_size=30))
def test_no_text_hides_a_match(noise: str, dense: str) -> None:
    """Whatever letters, digits and spaces of the world surround it."""
    text = f"{noise} 48 horas{dense}são 15 reais, é gratis{dense}, so hoje: eu@voce {noise}"

    assert set(PatternFilter(PATTERNS).candidates(text)) >= {n for n, p in enumerate(PATTERNS) if p.search(text)}
