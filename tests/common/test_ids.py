"""Ids that the same cause always gives, and that no log takes for a telephone number."""

from hypothesis import given
from hypothesis import strategies as st

from common.ids import derived_id, pseudonym

PARTS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x1f"), max_size=20), min_size=1, max_size=4)


@given(parts=PARTS)
def test_the_same_parts_give_the_same_id(parts: list[str]) -> None:
    """A repeated step finds what the first one did."""
    assert derived_id("turn", *parts) == derived_id("turn", *parts)


@given(one=PARTS, other=PARTS)
def test_other_parts_give_another_id(one: list[str], other: list[str]) -> None:
    """Also when the same letters are divided differently."""
    assert (derived_id("turn", *one) == derived_id("turn", *other)) == (one == other)


def test_the_kind_is_part_of_the_id() -> None:
    """A reply and its turn have different ids, and show what they are."""
    assert derived_id("reply", "1").startswith("reply-")
    assert derived_id("reply", "1").removeprefix("reply-") != derived_id("turn", "1").removeprefix("turn-")


@given(parts=PARTS)
def test_an_id_has_letters_only(parts: list[str]) -> None:
    """So it cannot look like a CPF."""
    head, _, tail = derived_id("turn", *parts).partition("-")

    assert head == "turn"
    assert tail.isalpha()
    assert len(tail) == 24


def test_a_pseudonym_depends_on_its_key() -> None:
    """Nobody without the key can compute it from a telephone number."""
    one = pseudonym("chave", "5511987654321")

    assert one == pseudonym("chave", "5511987654321")
    assert one != pseudonym("outra", "5511987654321")
    assert one.isalpha()
