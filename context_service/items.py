"""What the sections share: items by id, texts that go out, references to menus."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from context_service.documents import Block, Section
from context_service.fields import Fields, check_length
from context_service.problems import Ledger, Place

# Limits of WhatsApp's interactive messages, the narrowest channel that shows them.
MAX_BODY = 1024
MAX_TITLE = 20
MAX_DESCRIPTION = 72

CODE = re.compile(r"[A-Z][A-Z0-9_]*")
"""Ids that the system uses: intents, constraints, phrases."""
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
"""Ids of menus, options and media; 64 bytes is the narrowest channel's limit for a button's data (Telegram)."""

T = TypeVar("T")


def read_items(section: Section, pattern: re.Pattern[str], read: Callable[[Block], T], ledger: Ledger) -> dict[str, T]:
    """The `###` items by id, each read by `read`; what is wrong with an id is noted."""
    found: dict[str, T] = {}
    for line in section.head.body:
        if line.text:
            ledger.report(line, "linha fora de lugar", "comece com '> ' se for comentário; os itens começam com '### '")
    for block in section.items:
        name = block.title.text
        if pattern.fullmatch(name) is None:
            example = "LETRAS_MAIUSCULAS" if pattern is CODE else "letras-minusculas"
            ledger.report(block.title, f"código inválido: {name!r}", f"escreva assim: {example}, sem acentos")
        if name in found:
            ledger.report(block.title, f"código repetido: {name!r}", "cada código aparece uma só vez na seção")
        found[name] = read(block)
    return found


def require_items(section: Section, names: Sequence[str], found: Mapping[str, object], what: str, ledger: Ledger) -> None:
    """Note each of `names` that was not found."""
    for name in names:
        if name not in found:
            ledger.report(section.head.title, f"falta a {what} {name!r}", f"escreva '### {name}' e o seu conteúdo")


def read_outgoing(place: Place, limit: int, what: str, ledger: Ledger) -> str:
    """The text, kept for the guard and checked for its length in UTF-16 units."""
    if place.text:
        check_length(place, limit, what, ledger)
        ledger.outgoing.append(place)
    return place.text


def read_menu_reference(fields: Fields, ledger: Ledger) -> str:
    """The id of the menu that goes with it, kept to be checked when all menus are read; empty for none."""
    place = fields.text("menu")
    if place.text:
        ledger.menu_references.append(place)
    return place.text
