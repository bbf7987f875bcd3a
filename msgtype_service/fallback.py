"""The deterministic form, from the context documents alone."""

from common.institution import Institution
from common.taxonomy import Action, Vertente
from common.turn import Turn
from msgtype_service.form import TEXT, Form, from_menu

WITHOUT_OPTIONS = frozenset({Action.HAND_OFF, Action.CLOSE, Action.REFUSE, Action.DISMISS, Action.STAY_SILENT})
"""A menu after these would contradict what was said."""

_MENU_OF_PHRASE = {"GREETING": "principal", "CLARIFY": "principal", "EMPTY": "principal", "OUT_OF_SCOPE": "principal"}


def choose(turn: Turn, institution: Institution) -> Form:
    """The intent's menu, the main menu after a greeting, the line's menu when the need is not clear yet; else plain text."""
    found = turn.determination
    if found.action in WITHOUT_OPTIONS:
        return TEXT
    intent = institution.intents.get(found.intent)
    menu_id = _MENU_OF_PHRASE.get(found.phrase, "") or (intent.menu if intent else "")
    if not menu_id and found.action is Action.CLARIFY and found.vertente is not Vertente.NENHUMA:
        menu_id = found.vertente.lower()
    menu = institution.menus.get(menu_id)
    return from_menu(menu) if menu else TEXT
