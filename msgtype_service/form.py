"""A form as ids of the context's catalogue, pure: what a proposal may choose, and what it becomes when it may not."""

from dataclasses import dataclass

from common.institution import Institution, Media, Menu, Option
from common.taxonomy import MessageKind

WITH_OPTIONS = frozenset({MessageKind.BUTTON, MessageKind.LIST})
WITH_MEDIA = frozenset(
    {
        MessageKind.IMAGE,
        MessageKind.VIDEO,
        MessageKind.AUDIO,
        MessageKind.DOCUMENT,
        MessageKind.LOCATION,
        MessageKind.CTA_URL,
    }
)
"""TEMPLATE is not here: it is for outside the channel's window, never for an answer."""


@dataclass(frozen=True, slots=True)
class Form:
    """The form of one reply; options and media come from the catalogue."""

    kind: MessageKind
    menu_id: str = ""
    button_label: str = ""
    options: tuple[Option, ...] = ()
    media: Media | None = None


TEXT = Form(MessageKind.TEXT)


def from_menu(menu: Menu) -> Form:
    """The whole menu in the form it prefers."""
    return Form(menu.kind, menu.id, menu.button, menu.options)


def from_ids(
    kind: MessageKind, menu_id: str, option_ids: tuple[str, ...], media_id: str, institution: Institution
) -> tuple[Form, tuple[str, ...]]:
    """The form that the ids name, and what was refused: nothing outside the catalogue gets through."""
    if kind in WITH_OPTIONS:
        menu = institution.menus.get(menu_id)
        if menu is None:
            return TEXT, (f"menu is not in the catalogue for {kind}",)
        chosen = tuple(option for option in menu.options if option.id in option_ids)
        unknown = set(option_ids) - {option.id for option in menu.options}
        refused = ("option is not in the menu",) if unknown else ()
        return Form(kind, menu.id, menu.button or "Ver opções", chosen or menu.options), refused
    if kind in WITH_MEDIA:
        media = institution.media.get(media_id)
        if media is None or media.kind is not kind:
            return TEXT, (f"media is not in the catalogue for {kind}",)
        return Form(kind, media=media), ()
    return TEXT, () if kind is MessageKind.TEXT else (f"kind {kind} is not for answers",)
