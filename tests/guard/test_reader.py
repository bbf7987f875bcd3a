"""The reader: pieces of words as they were when it was trained, and a finite reading of any text."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guard.reader import read
from guard.reader.pieces import END, START, UNKNOWN, Pieces, normal, shipped_pieces


def test_a_word_is_cut_where_it_is_most_probable() -> None:
    """The better sum of scores wins over the longer first piece."""
    pieces = Pieces(["<unk>", "<s>", "</s>", "▁des", "▁desco", "conto", "nto"], [0.0, 0.0, 0.0, -2.0, -2.0, -1.0, -9.0])

    assert pieces.numbers("desconto") == [START, 3, 5, END]


def test_a_character_outside_the_vocabulary_is_unknown() -> None:
    """It takes one place and hides nothing beside it."""
    before, after = (shipped_pieces().numbers(word)[1:-1] for word in ("preço", "alto"))

    numbers = shipped_pieces().numbers("preço 齉 alto")

    assert numbers.count(UNKNOWN) == 1
    assert numbers[1 : 1 + len(before)] == before
    assert numbers[-1 - len(after) : -1] == after


@pytest.mark.parametrize(
    ("text", "same"),
    [("PREÇO Fechado", "preço fechado"), ("gr\u200bátis", "grátis"), ("𝐑$ 𝟏𝟓𝟎", "r$ 150"), ("ação\u00ad", "ação")],
)
def test_disguises_are_read_through(text: str, same: str) -> None:
    """Case, compatibility forms and invisible characters change nothing; accents do."""
    assert normal(text) == same
    assert normal("é") != normal("e")


@given(st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_text_can_be_read(text: str) -> None:
    """No text, however odd, has no reading."""
    assert math.isfinite(read(text).harm)


def test_order_of_words_counts() -> None:
    """What a promise and its refusal share are the words."""
    promise = read("O sistema fica pronto na sexta, não se preocupe.")
    refusal = read("Não sei se o sistema fica pronto na sexta, quem confirma é a equipe.")

    assert promise.harm > refusal.harm
