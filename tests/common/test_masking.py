"""What names a person does not reach a log line; what we need to find a turn does."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.ids import derived_id, pseudonym
from common.masking import PERSONAL_KEYS, mask, mask_text

SEPARATORS = st.sampled_from(["", " ", "-", ".", "  ", " - ", "/", "\u00a0", "\u2011"])


@st.composite
def digits_in_groups(draw: st.DrawFn, *sizes: int) -> str:
    """Digits in groups of these sizes, with any separators that people write between them."""
    groups = ["".join(str(draw(st.integers(0, 9))) for _ in range(size)) for size in sizes]
    return groups[0] + "".join(draw(SEPARATORS) + group for group in groups[1:])


CPFS = digits_in_groups(3, 3, 3, 2)
CNPJS = digits_in_groups(2, 3, 3, 4, 2)
MOBILES = digits_in_groups(2, 5, 4)
LANDLINES = digits_in_groups(2, 4, 4)
INTERNATIONAL = st.builds(lambda plus, rest: f"{plus}55{rest}", st.sampled_from(["+", "", "00"]), MOBILES)
IN_BRACKETS = st.builds(lambda number: f"({number[:2]}) {number[2:].strip()}", MOBILES)
BEFORE = st.sampled_from(["", "meu cpf é ", "whatsapp:", "wa_", "cpf:", "CPF", "tel.", "(", "[", '"', "=", "é o "])
AFTER = st.sampled_from(["", " obrigado", ".", ",", ")", '"', "!", "\n", "é meu", "x"])


@given(before=BEFORE, number=CPFS | CNPJS | MOBILES | LANDLINES | INTERNATIONAL | IN_BRACKETS, after=AFTER)
def test_documents_and_telephone_numbers_are_masked_however_they_are_written(before: str, number: str, after: str) -> None:
    """No run of four digits of them is left."""
    masked = mask_text(f"{before}{number}{after}")

    assert "[number]" in masked
    assert sum(character.isdigit() for character in masked) == 0


@pytest.mark.parametrize(
    "text",
    [
        "ana@pyloto.com.br",
        "Ana.Maria+loja@sub.exemplo.com",
        "contato: joão.silva@exemplo.com.",
        "<o'brien_99@mail.example.org>",
        "mailto:ana%teste@exemplo.com",
    ],
)
def test_email_addresses_are_masked(text: str) -> None:
    """Neither the local part nor the domain is left."""
    masked = mask_text(text)

    assert "[email]" in masked
    assert "@" not in masked
    assert "ana" not in masked.lower()
    assert "o'" not in masked


@given(
    local=st.from_regex(r"[a-z0-9_.+-]{1,64}", fullmatch=True),
    domain=st.from_regex(r"[a-z0-9]{1,20}\.(com|org|com\.br)", fullmatch=True),
)
def test_no_email_address_survives(local: str, domain: str) -> None:
    """Whatever its local part is made of."""
    assert "@" not in mask_text(f"escreva para {local}@{domain} por favor")


@pytest.mark.parametrize("number", ["3456-7890", "98765-4321"])
def test_a_number_without_area_code_is_masked(number: str) -> None:
    """People write their number as they say it."""
    assert mask_text(f"meu fixo é {number}") == "meu fixo é [number]"


@given(parts=st.lists(st.text(st.characters(codec="utf-8"), max_size=20), max_size=3), key=st.text("abc", min_size=1))
def test_derived_ids_are_never_masked(parts: list[str], key: str) -> None:
    """A turn is found in the logs by its id."""
    turn_id = derived_id("turn", *parts)

    assert mask_text(f"turn {turn_id} of {pseudonym(key, 'x')}") == f"turn {turn_id} of {pseudonym(key, 'x')}"


@given(at=st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1)))  # noqa: DTZ001 - hypothesis wants it naive
def test_timestamps_are_never_masked(at: datetime) -> None:
    """The time of a log line or of a document stays readable."""
    text = at.replace(tzinfo=UTC).isoformat()

    assert mask_text(text) == text


@pytest.mark.parametrize(
    "text", ["R$ 1.500,00", "3 entregas, 20 kg", "127.0.0.1:50051", "2026-11-22", "versão 0.1.0", "723c0e665ff4"]
)
def test_ordinary_figures_are_left(text: str) -> None:
    """Masking does not make a log useless."""
    assert mask_text(text) == text


@pytest.mark.parametrize("key", sorted(PERSONAL_KEYS))
def test_what_has_no_shape_is_masked_by_its_field(key: str) -> None:
    """A name or a sentence cannot be recognised, so its field decides."""
    assert "Ana" not in str(mask({key: "Ana Maria"}))
    assert "Ana" not in str(mask({key: ["Ana Maria"]}))


def test_masking_goes_into_whatever_is_logged() -> None:
    """Lists, mappings, their keys, numbers, exceptions and bytes are looked into."""
    logged = {
        "list": ["11 98765-4321", ("ana@exemplo.com",)],
        "conversations": {"whatsapp:5511987654321": 1},
        "number": 11987654321,
        "as_float": 11987654321.0,
        "error": ValueError("não achei 123.456.789-09"),
        "raw": b"123.456.789-09",
        "nested": {"inner": {"sender_name": "Ana Maria"}},
    }

    masked = str(mask(logged))

    for personal in ("98765", "ana@", "5511987654321", "11987654321", "123.456", "Ana"):
        assert personal not in masked


def test_what_is_no_text_stays_what_it_is() -> None:
    """Small numbers, shares, flags and nothing are passed on."""
    plain = {"attempt": 3, "seconds": 0.25, "fallback": True, "reason": None}

    assert mask(plain) == plain
