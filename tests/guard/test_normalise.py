"""Folding: what a reader perceives, whatever the characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.normalise import fold, fold_with_offsets
from guard.numbers import with_digits


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Preço É Bom", "preco e bom"),
        ("gr\u200bát\u00adis", "gratis"),
        ("рrеçо", "preco"),  # Cyrillic р, е, о
        ("𝐑$ 𝟏𝟓𝟎", "r$ 150"),
        ("1️⃣5️⃣0️⃣", "150"),
        ("1 5 0 0", "1500"),
        ("d e s c o n t o", "desconto"),
        ("d3sc0nt0", "desconto"),
        ("R$150 em 24h no b2b", "r$150 em 24h no b2b"),
        ("R$ 1\n500", "r$ 1500"),
    ],
)
def test_fold_reads_as_a_person_does(text: str, folded: str) -> None:
    """Accents, invisible and look-alike characters, leetspeak and spaced digits are read through; units are left alone."""
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("mil e quinhentos reais", "1500 reais"),
        ("dois mil", "2000"),
        ("two grand", "2000"),
        ("twenty-five bucks", "25 bucks"),
        ("doscientos pesos", "200 pesos"),
        ("em um dia, um atendente", "em 1 dia, um atendente"),
        ("fim dos dias", "fim dos dias"),
    ],
)
def test_numbers_in_words_become_digits(text: str, digits: str) -> None:
    """Numbers in three languages are digits; articles and "dos" are left alone."""
    assert with_digits(fold_with_offsets(text)).text == digits


@given(st.text(max_size=200))
def test_offsets_point_into_the_original(text: str) -> None:
    """Each folded character knows a non-empty piece of the original, in order."""
    folded = with_digits(fold_with_offsets(text))

    assert len(folded.text) == len(folded.starts) == len(folded.ends)
    assert all(0 <= start < end <= len(text) for start, end in zip(folded.starts, folded.ends, strict=True))
    assert list(folded.starts) == sorted(folded.starts)
