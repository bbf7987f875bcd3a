"""The three context documents, read and validated as one `Institution`, or refused with every mistake and its line."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from common.institution import BusinessLine, Institution
from context_service import forms, prompt, sections
from context_service.documents import FILES, IDENTITY, KNOWLEDGE, LINES, Block, Section, read_document, read_sections
from context_service.fields import fold, read_prose
from context_service.problems import InvalidContext, Ledger, Place, Problem, suggestion
from context_service.validate import Check, check_outgoing, check_references, check_with_menus

__all__ = ["DOCUMENTS", "InvalidContext", "Problem", "load"]

DOCUMENTS = Path(__file__).parent / "institutional"
"""The documents that are shipped with the service."""

_VERSION_DIGITS = 12
_HOW_TO_EDIT = "Como editar este arquivo"

_IDENTITY_SECTIONS = ("Quem é a Pyloto", "De onde viemos", "Como nos posicionamos", "Assistente", "Princípios")
_WITH_ITEMS = ("Princípios", "Intenções", "Restrições", "Menus", "Mídias", "Frases fixas")
_KNOWLEDGE_SECTIONS = (
    "Categorias",
    "Intenções",
    "Restrições",
    "Quando uma pessoa assume",
    "Vida de uma conversa",
    "Menus",
    "Mídias",
    "Frases fixas",
)


def load(directory: Path, check: Check) -> Institution:
    """Read the documents in `directory`.

    `check` says why a text may not reach a customer; it sees every answer, refusal, phrase, option and caption.
    Raises InvalidContext with all problems found (or, when a file cannot be read at all, with that alone); no other
    error comes from what the files hold.
    """
    ledger = Ledger()
    texts = {file: read_document(directory, file, ledger) for file in FILES}
    if ledger.problems:
        raise InvalidContext(ledger.problems)
    institution = _read(texts, ledger)
    check_references(institution.intents, institution.menus, ledger)
    check_outgoing(check, ledger)
    check_with_menus(institution, check, ledger)
    if ledger.problems:
        raise InvalidContext(ledger.problems)
    institution = replace(institution, version=_version(texts))
    return replace(institution, prompt=prompt.render(institution))


def _version(texts: Mapping[str, str]) -> str:
    digest = hashlib.sha256("\0".join(texts[file] for file in FILES).encode())
    return digest.hexdigest()[:_VERSION_DIGITS]


def _read(texts: Mapping[str, str], ledger: Ledger) -> Institution:
    identity = _named_sections(IDENTITY, texts[IDENTITY], _IDENTITY_SECTIONS, ledger)
    knowledge = _named_sections(KNOWLEDGE, texts[KNOWLEDGE], _KNOWLEDGE_SECTIONS, ledger)
    phrases, phrase_menus = sections.read_phrases(knowledge["Frases fixas"], ledger)
    return Institution(
        version="",
        assistant=sections.read_assistant(identity["Assistente"], ledger),
        principles=sections.read_principles(identity["Princípios"], ledger),
        lines=_read_lines(texts[LINES], ledger),
        intents=sections.read_intents(knowledge["Intenções"], ledger),
        constraints=sections.read_constraints(knowledge["Restrições"], ledger),
        menus=forms.read_menus(knowledge["Menus"], ledger),
        media=forms.read_media(knowledge["Mídias"], ledger),
        phrases=phrases,
        prompt="",
        about=_prose(identity["Quem é a Pyloto"], ledger),
        origin=_prose(identity["De onde viemos"], ledger),
        posture=_prose(identity["Como nos posicionamos"], ledger),
        categories=sections.read_categories(knowledge["Categorias"], ledger),
        handoff=sections.read_rules(knowledge["Quando uma pessoa assume"], ledger),
        conversation=sections.read_rules(knowledge["Vida de uma conversa"], ledger),
        phrase_menus=phrase_menus,
    )


def _read_lines(text: str, ledger: Ledger) -> tuple[BusinessLine, ...]:
    names = tuple(str(vertente) for vertente in sections.BUSINESS_LINES)
    found = _named_sections(LINES, text, names, ledger)
    return tuple(sections.read_business_line(found[name].head, ledger) for name in names)


def _named_sections(file: str, text: str, names: Sequence[str], ledger: Ledger) -> dict[str, Section]:
    """The sections under their known names; a missing one is reported and stands in as empty."""
    by_fold = {fold(name): name for name in (*names, _HOW_TO_EDIT)}
    found: dict[str, Section] = {}
    for section in read_sections(file, text, ledger):
        title = section.head.title
        name = by_fold.get(fold(title.text))
        if name is None:
            ledger.report(title, f"seção desconhecida: {title.text!r}", suggestion(title.text, names))
        elif name in found:
            ledger.report(title, f"seção repetida: {name!r}", "junte as duas em uma só")
        else:
            found[name] = section
            for item in section.items if name not in _WITH_ITEMS else ():
                ledger.report(item.title, f"a seção {name!r} não tem itens", "apague o '### ' desta linha")
    for name in names:
        if name not in found:
            ledger.report(Place(file, 1, ""), f"falta a seção {name!r}", f"escreva '## {name}' e o seu conteúdo")
            found[name] = Section(Block(Place(file, 1, name)))
    return found


def _prose(section: Section, ledger: Ledger) -> str:
    text = read_prose(section.head).text
    if not text:
        title = section.head.title
        ledger.report(title, f"a seção {title.text!r} está vazia", "escreva pelo menos um parágrafo")
    return text
