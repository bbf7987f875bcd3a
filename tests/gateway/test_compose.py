"""One message from text and form: nothing is lost, nothing is over the channel's limits, no character is cut."""

import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.taxonomy import MessageKind
from gateway.channel_limits import LIMITS, PLAIN_TEXT, WHATSAPP, ChannelLimits
from gateway.compose import Asset, Choice, Composed, Form, compose, units

SMALL = replace(
    WHATSAPP,
    text=40,
    button_body=30,
    list_body=40,
    caption=30,
    link_body=30,
    rows=4,
    kinds=WHATSAPP.kinds - {MessageKind.VIDEO},
)
"""A channel with limits so small that every rung is reached by short examples."""
CHANNELS = [*LIMITS.values(), PLAIN_TEXT, SMALL]

GRAPHEMES = ["a", "ç", "é", "e\u0301", "👍🏽", "👩‍👩‍👧‍👦", "🇧🇷", "1\ufe0f\u20e3", "1\u20e3", "❤️", "न\u093f", "한", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "𝔘"]
"""Characters as a reader counts them, some of many code points."""
WORDS = st.lists(st.sampled_from(GRAPHEMES), min_size=1, max_size=12).map("".join)
TEXTS = st.lists(st.tuples(WORDS, st.sampled_from([" ", "\n", "\n\n", ". ", "  "])), min_size=1, max_size=12).map(
    lambda pairs: "".join(word + gap for word, gap in pairs).strip()
)
TITLES = st.lists(st.sampled_from(GRAPHEMES), min_size=1, max_size=14).map("".join)
CHOICES = st.lists(st.builds(Choice, id=st.uuids().map(str), title=TITLES, description=st.just("") | TITLES), max_size=6).map(
    tuple
)
ASSETS = st.builds(
    Asset,
    id=st.just("site"),
    url=st.just("https://pyloto.com.br/site"),
    title=TITLES,
    latitude=st.floats(-33, 5),
    longitude=st.floats(-73, -34),
)
FORMS = st.builds(
    Form, kind=st.sampled_from(MessageKind), choices=CHOICES, button_label=st.just("") | TITLES, asset=st.none() | ASSETS
)


def read_by_customer(message: Composed) -> str:
    """Everything that can be read, without the blanks between."""
    return "".join("".join(message.words()).split())


@given(text=TEXTS, form=FORMS, limits=st.sampled_from(CHANNELS))
def test_no_word_is_lost_and_all_stay_in_order(text: str, form: Form, limits: ChannelLimits) -> None:
    """Whatever the form becomes, the text is all there, once, in order."""
    message = compose(text, form, limits)

    said = "".join("".join((message.text, *message.further_texts)).split())
    assert said.startswith("".join(text.split()))


@given(text=TEXTS, form=FORMS, limits=st.sampled_from(CHANNELS))
def test_no_option_is_lost(text: str, form: Form, limits: ChannelLimits) -> None:
    """Each option can be read, and its id is kept so that "2" or its title is understood."""
    form = replace(form, kind=MessageKind.LIST if form.asset is None else MessageKind.BUTTON)

    message = compose(text, form, limits)

    assert message.choices == form.choices
    for choice in form.choices:
        assert "".join(choice.title.split()) in read_by_customer(message)
        assert "".join(choice.description.split()) in read_by_customer(message)


@given(text=TEXTS, form=FORMS, limits=st.sampled_from(CHANNELS))
def test_no_link_is_lost(text: str, form: Form, limits: ChannelLimits) -> None:
    """An asset goes out as itself or as a link in the text."""
    form = replace(form, kind=MessageKind.CTA_URL, asset=form.asset or Asset("site", "https://pyloto.com.br", title="Site"))

    message = compose(text, form, limits)

    assert form.asset is not None
    assert message.asset == form.asset or form.asset.url in read_by_customer(message)


@given(text=TEXTS, form=FORMS, limits=st.sampled_from(CHANNELS))
def test_every_part_is_within_the_channels_limits(text: str, form: Form, limits: ChannelLimits) -> None:
    """Counted in UTF-16 units, the larger way of counting."""
    message = compose(text, form, limits)

    assert message.kind in limits.kinds
    body = {
        MessageKind.BUTTON: limits.button_body,
        MessageKind.LIST: limits.list_body,
        MessageKind.CTA_URL: limits.link_body,
        MessageKind.TEXT: limits.text,
    }.get(message.kind, limits.caption)
    assert units(message.text) <= body
    assert all(0 < units(part) <= limits.text for part in message.further_texts)
    if message.kind is MessageKind.BUTTON:
        assert len(message.choices) <= limits.buttons
        assert all(0 < units(choice.title) <= limits.button_title and not choice.description for choice in message.choices)
    if message.kind is MessageKind.LIST:
        assert len(message.choices) <= limits.rows
        assert 0 < units(message.button_label) <= limits.list_button
        assert all(0 < units(choice.title) <= limits.row_title for choice in message.choices)
        assert all(units(choice.description) <= limits.row_description for choice in message.choices)


@given(text=TEXTS, form=FORMS, limits=st.sampled_from([PLAIN_TEXT, replace(PLAIN_TEXT, text=60), SMALL]))
def test_no_character_is_cut_in_two(text: str, form: Form, limits: ChannelLimits) -> None:
    """Each part is made of whole characters, as a reader counts them."""
    message = compose(text, form, limits)

    for part in (message.text, *message.further_texts):
        left = re.sub("|".join(re.escape(one) for one in sorted(GRAPHEMES, key=len, reverse=True)), "", part)
        assert not any(unicodedata.category(mark) in {"Mn", "Me", "Mc", "Cf", "Sk"} for mark in left), ascii(part)
        assert not any("\U0001f1e6" <= mark <= "\U0001f1ff" for mark in left), ascii(part)


@given(text=TEXTS)
def test_a_degraded_form_says_from_what_and_why(text: str) -> None:
    """The operator sees which limit was in the way."""
    form = Form(MessageKind.BUTTON, tuple(Choice(str(number), f"Opção {number}") for number in range(4)))

    assert compose(text, form, WHATSAPP).degraded == "BUTTON: more than 3 options"
    assert compose(text, form, PLAIN_TEXT).degraded == "BUTTON: not on this channel"


def test_three_short_options_are_buttons() -> None:
    """The form that was wanted, as it was wanted."""
    choices = (Choice("a", "Tenho uma loja"), Choice("b", "Área atendida"))

    message = compose("Como posso ajudar?", Form(MessageKind.BUTTON, choices), WHATSAPP)

    assert message == Composed(MessageKind.BUTTON, "Como posso ajudar?", choices=choices)


def test_buttons_with_a_longer_title_become_a_list() -> None:
    """A title of 21 to 24 units fits a row, not a button."""
    choices = (Choice("a", "Falar com uma atendente"), Choice("b", "Voltar"))

    message = compose("Escolha:", Form(MessageKind.BUTTON, choices), WHATSAPP)

    assert message.kind is MessageKind.LIST
    assert message.button_label == "Ver opções"
    assert message.degraded == "BUTTON: title not within 20"


def test_on_a_plain_channel_options_are_numbered() -> None:
    """So that "2" can be answered."""
    choices = (Choice("a", "Entregas"), Choice("b", "CRM", "Canais e funis"))

    message = compose("Sobre o quê?", Form(MessageKind.LIST, choices), PLAIN_TEXT)

    assert message.kind is MessageKind.TEXT
    assert message.text == "Sobre o quê?\n\n1. Entregas\n2. CRM: Canais e funis"


def test_equal_titles_are_numbered_because_nobody_could_tell_them_apart() -> None:
    """WhatsApp refuses them as well."""
    message = compose("Qual?", Form(MessageKind.BUTTON, (Choice("a", "Loja"), Choice("b", "Loja"))), WHATSAPP)

    assert message.text == "Qual?\n\n1. Loja\n2. Loja"


@pytest.mark.parametrize("kind", [MessageKind.AUDIO, MessageKind.LOCATION])
def test_media_without_caption_is_followed_by_the_text(kind: MessageKind) -> None:
    """WhatsApp shows no caption there."""
    message = compose("Aqui está.", Form(kind, asset=Asset("a", "https://pyloto.com.br/a")), WHATSAPP)

    assert (message.text, message.further_texts) == ("", ("Aqui está.",))


@pytest.mark.parametrize("kind", [MessageKind.AUDIO, MessageKind.LOCATION, MessageKind.IMAGE])
def test_media_without_words_has_no_empty_message_after_it(kind: MessageKind) -> None:
    """A channel refuses a message with no text."""
    assert compose("", Form(kind, asset=Asset("a", "https://pyloto.com.br/a")), WHATSAPP).further_texts == ()


def test_a_long_text_goes_on_at_the_end_of_a_paragraph() -> None:
    """A reader is interrupted where it hurts least."""
    limits = replace(PLAIN_TEXT, text=30)

    message = compose("Primeiro parágrafo aqui.\n\nSegundo parágrafo.", Form(), limits)

    assert (message.text, message.further_texts) == ("Primeiro parágrafo aqui.", ("Segundo parágrafo.",))


def test_one_character_longer_than_the_limit_is_cut_at_the_limit() -> None:
    """A customer who writes a thousand accents on one letter does not make a thousand messages."""
    message = compose("a" + "\u0301" * 1000, Form(), replace(PLAIN_TEXT, text=100))

    assert len(message.further_texts) == 10


def test_units_are_those_of_utf_16() -> None:
    """An emoji outside the basic plane counts twice."""
    assert units("ação👍") == 6 == len("ação👍".encode("utf-16-le")) // 2
