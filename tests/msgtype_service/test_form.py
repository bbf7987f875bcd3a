"""A form comes from the catalogue: whatever a model proposes, nothing else gets through."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from common.taxonomy import Action, Category, MessageKind, Vertente
from common.turn import Determination, Turn
from msgtype_service.fallback import choose
from msgtype_service.form import TEXT, WITH_MEDIA, WITH_OPTIONS, from_ids
from tests.institution import shipped

MENUS = shipped().menus
MEDIA = shipped().media
KNOWN_OPTIONS = {option.id for menu in MENUS.values() for option in menu.options}
TURN = Turn(
    "turn-1",
    "ana",
    "console",
    "oi",
    Determination(Action.ANSWER, Vertente.NENHUMA, Category.SAUDACAO, "", 0.9, "test", phrase="GREETING"),
    (),
)


@given(
    kind=st.sampled_from(MessageKind),
    menu_id=st.sampled_from(["", "inventado", *MENUS]) | st.text(max_size=10),
    option_ids=st.lists(st.sampled_from(["inventada", *sorted(KNOWN_OPTIONS)]) | st.text(max_size=10), max_size=6).map(tuple),
    media_id=st.sampled_from(["", "https://evil.example/x.jpg", *MEDIA]) | st.text(max_size=10),
)
def test_nothing_outside_the_catalogue_gets_through(
    kind: MessageKind, menu_id: str, option_ids: tuple[str, ...], media_id: str
) -> None:
    """Every option is of the menu, every asset of the catalogue, of the kind that was asked."""
    form, refused = from_ids(kind, menu_id, option_ids, media_id, shipped())

    assert form.kind in {MessageKind.TEXT, kind}
    if form.kind in WITH_OPTIONS:
        assert form.options
        assert set(form.options) <= set(MENUS[form.menu_id].options)
    if form.kind in WITH_MEDIA:
        assert form.media == MEDIA[media_id]
        assert form.media.kind is kind
    if form == TEXT and kind is not MessageKind.TEXT:
        assert refused


def test_the_chosen_options_keep_the_menus_order() -> None:
    """As product people wrote it."""
    first, second, *_ = (option.id for option in MENUS["principal"].options)

    form, refused = from_ids(MessageKind.LIST, "principal", (second, first), "", shipped())

    assert [option.id for option in form.options] == [first, second]
    assert refused == ()


def test_an_invented_option_is_refused_and_the_others_stay() -> None:
    """It is counted by its reason."""
    first = MENUS["principal"].options[0]

    form, refused = from_ids(MessageKind.LIST, "principal", (first.id, "gratis"), "", shipped())

    assert form.options == (first,)
    assert refused == ("option is not in the menu",)


def test_a_template_is_never_an_answer() -> None:
    """It is for outside the channel's window."""
    template = next(item for item in MEDIA.values() if item.kind is MessageKind.TEMPLATE)

    assert from_ids(MessageKind.TEMPLATE, "", (), template.id, shipped())[0] == TEXT


def test_an_asset_under_another_kind_is_refused() -> None:
    """A site is not an image."""
    assert from_ids(MessageKind.IMAGE, "", (), "site", shipped()) == (TEXT, ("media is not in the catalogue for IMAGE",))


def test_without_a_model_the_phrases_menu_is_shown() -> None:
    """A greeting offers the main menu."""
    form = choose(TURN, shipped())

    assert form.options == MENUS["principal"].options


def test_no_menu_follows_a_hand_off_or_a_goodbye() -> None:
    """It would contradict what was said."""
    for action in (Action.HAND_OFF, Action.CLOSE, Action.REFUSE, Action.DISMISS):
        assert choose(replace(TURN, determination=replace(TURN.determination, action=action)), shipped()) == TEXT
