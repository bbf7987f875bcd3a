"""The checks that need all documents read: references between them, and the guard on every outgoing text."""

from collections.abc import Callable, Collection, Sequence

from context_service.problems import Ledger, suggestion

Check = Callable[[str], Sequence[str]]
"""Says why a text may not reach a customer: reasons in Portuguese, none when it may."""


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
