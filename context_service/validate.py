"""The checks that need all documents read: references between them, and the guard on every outgoing text."""

from collections.abc import Collection, Sequence
from typing import Protocol

from common.institution import Institution
from context_service.problems import Ledger, Place, suggestion


class Check(Protocol):
    """Says why a text, or the parts of one message, may not reach a customer: reasons in Portuguese, none when they may."""

    def __call__(self, *parts: str) -> Sequence[str]: ...


def check_references(intents: Collection[str], menus: Collection[str], ledger: Ledger) -> None:
    """Every option leads to an intent that exists, every intent and phrase to a menu that exists."""
    for place in ledger.intent_references:
        if place.text not in intents:
            ledger.report(place, f"a intenção {place.text!r} não existe", suggestion(place.text, tuple(intents)))
    for place in ledger.menu_references:
        if place.text not in menus:
            ledger.report(place, f"o menu {place.text!r} não existe", suggestion(place.text, tuple(menus)))


def check_outgoing(check: Check, ledger: Ledger) -> None:
    """No canonical text, option or caption may say what the constraints forbid."""
    for place in ledger.outgoing:
        for reason in check(place.text):
            ledger.report(place, f"texto bloqueado: {reason}", "reescreva sem isso; veja a seção Restrições")


def check_with_menus(institution: Institution, check: Check, ledger: Ledger) -> None:
    """A text and the menu below it are read together before they leave: what they would say together is found here."""
    menu_of = {intent.answer: intent.menu for intent in institution.intents.values() if intent.menu}
    menu_of |= {institution.phrases[phrase]: menu for phrase, menu in institution.phrase_menus.items()}
    for place in ledger.outgoing:
        menu = institution.menus.get(menu_of.get(place.text, ""))
        if menu is None or _blocked(place, ledger):
            continue
        labels = [part for option in menu.options for part in (option.title, option.description)]
        for reason in check(*filter(None, (place.text, menu.button, *labels))):
            problem = f"texto bloqueado junto com o menu {menu.id!r}: {reason}"
            ledger.report(place, problem, "mude o fim do texto ou tire o menu")


def _blocked(place: Place, ledger: Ledger) -> bool:
    return any((problem.file, problem.line) == (place.file, place.line) for problem in ledger.problems)
