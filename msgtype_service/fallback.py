"""The deterministic form, from the context documents alone."""

from common.institution import Institution
from common.taxonomy import Action
from common.turn import Turn
from msgtype_service.form import TEXT, Form, from_menu

WITHOUT_OPTIONS = frozenset({Action.HAND_OFF, Action.CLOSE, Action.REFUSE, Action.DISMISS, Action.STAY_SILENT})
"""A menu after these would contradict what was said."""


def choose(turn: Turn, institution: Institution) -> Form:
    """The menu of the fixed text or of the intent that answers; plain text when there is none."""
    found = turn.determination
    if found.action in WITHOUT_OPTIONS:
        return TEXT
    intent = institution.intents.get(found.intent)
    menu_id = institution.phrase_menus.get(found.phrase, "") if found.phrase else intent.menu if intent else ""
    menu = institution.menus.get(menu_id)
    return from_menu(menu) if menu else TEXT
