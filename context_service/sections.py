"""The sections of the documents as the types of `common/institution.py`, one function each (menus, media: `forms.py`)."""

import re

from common.institution import PHRASES, BusinessLine, CategoryNote, Constraint, Intent, Principle
from common.taxonomy import Category, Vertente, Violation
from context_service.documents import Block, Section
from context_service.fields import Shape, fold, read_bullets, read_choice, read_fields, read_prose
from context_service.items import CODE, MAX_BODY, read_items, read_menu_reference, read_outgoing, require_items
from context_service.problems import Ledger, Place, suggestion

BUSINESS_LINES = tuple(vertente for vertente in Vertente if vertente is not Vertente.NENHUMA)
PRINCIPLE_COUNT = 6

_NUMBERED = re.compile(r"(\d+)\s*[.)-]\s*(.+)")

_LINE = Shape(required=("nome", "resumo", "público"), lists=("oferece", "limites"))
_INTENT = Shape(required=("categoria", "vertente", "humano", "descrição", "resposta"), optional=("menu",), lists=("gatilhos",))
_CONSTRAINT = Shape(required=("regra", "como recusar"))
_PHRASE = Shape(required=("texto",), optional=("menu",))
_ASSISTANT = Shape(required=("nome",))


def read_principles(section: Section, ledger: Ledger) -> tuple[Principle, ...]:
    """`### 1. Título` and a paragraph, six times, in order."""
    principles: list[Principle] = []
    for block in section.items:
        heading = _NUMBERED.fullmatch(block.title.text)
        number = int(heading[1]) if heading else 0
        if number != len(principles) + 1:
            expected = f"### {len(principles) + 1}. Nome do princípio"
            ledger.report(block.title, f"princípio fora da sequência: {block.title.text!r}", f"escreva '{expected}'")
        text = read_prose(block).text
        if not text:
            ledger.report(block.title, f"falta o texto do princípio {block.title.text!r}", "escreva um parágrafo abaixo")
        principles.append(Principle(len(principles) + 1, heading[2] if heading else block.title.text, text))
    if len(principles) != PRINCIPLE_COUNT:
        ledger.report(
            section.head.title,
            f"há {len(principles)} princípios",
            f"os princípios são {PRINCIPLE_COUNT} e não mudam: restaure o que falta ou sobra",
        )
    return tuple(principles)


def read_assistant(section: Section, ledger: Ledger) -> str:
    """The assistant's name."""
    return read_fields(section.head, _ASSISTANT, ledger).text("nome").text


def read_business_line(block: Block, ledger: Ledger) -> BusinessLine:
    """`## ENTREGA` and the like."""
    fields = read_fields(block, _LINE, ledger)
    return BusinessLine(
        vertente=read_choice(block.title, BUSINESS_LINES, ledger),
        name=fields.text("nome").text,
        summary=fields.text("resumo").text,
        audience=fields.text("público").text,
        offers=tuple(place.text for place in fields.items("oferece")),
        limits=tuple(place.text for place in fields.items("limites")),
    )


def read_categories(section: Section, ledger: Ledger) -> tuple[CategoryNote, ...]:
    """`- CATEGORIA: o que cabe nela`, every category once."""
    notes: dict[Category, CategoryNote] = {}
    for bullet in read_bullets(section.head, ledger):
        name, colon, text = bullet.text.partition(":")
        if not colon or not text.strip():
            ledger.report(bullet, "categoria sem descrição", "escreva '- CATEGORIA: o que cabe nela'")
            continue
        category = read_choice(Place(bullet.file, bullet.line, name.strip(" *")), tuple(Category), ledger)
        if category in notes:
            ledger.report(bullet, f"categoria repetida: '{category}'", "deixe uma só linha para cada categoria")
        notes[category] = CategoryNote(category, text.strip(" *"))
    for category in Category:
        if category not in notes:
            ledger.report(section.head.title, f"falta a categoria '{category}'", f"escreva '- {category}: ...'")
    return tuple(notes.values())


def read_intents(section: Section, ledger: Ledger) -> dict[str, Intent]:
    """The intents by id; a trigger may stand in one intent only."""
    owners: dict[str, str] = {}

    def read(block: Block) -> Intent:
        fields = read_fields(block, _INTENT, ledger)
        triggers = []
        for trigger in fields.items("gatilhos"):
            owner = owners.setdefault(fold(trigger.text), block.title.text)
            if owner != block.title.text or trigger.text.lower() in triggers:
                hint = "cada gatilho fica em uma só intenção, uma só vez: apague um dos dois"
                ledger.report(trigger, f"gatilho repetido: {trigger.text!r} já está em {owner}", hint)
            triggers.append(trigger.text.lower())
        return Intent(
            id=block.title.text,
            category=read_choice(fields.text("categoria"), tuple(Category), ledger),
            vertente=read_choice(fields.text("vertente"), tuple(Vertente), ledger),
            description=fields.text("descrição").text,
            triggers=tuple(triggers),
            answer=read_outgoing(fields.text("resposta"), MAX_BODY, "resposta", ledger),
            human=_yes_or_no(fields.text("humano"), ledger),
            menu=read_menu_reference(fields, ledger),
        )

    return read_items(section, CODE, read, ledger)


def read_constraints(section: Section, ledger: Ledger) -> tuple[Constraint, ...]:
    """The rules; one for every `Violation` that the guard knows, and any further one."""

    def read(block: Block) -> Constraint:
        fields = read_fields(block, _CONSTRAINT, ledger)
        refusal = read_outgoing(fields.text("como recusar"), MAX_BODY, "recusa", ledger)
        return Constraint(block.title.text, fields.text("regra").text, refusal)

    constraints = read_items(section, CODE, read, ledger)
    require_items(section, [str(violation) for violation in Violation], constraints, "restrição", ledger)
    return tuple(constraints.values())


def read_rules(section: Section, ledger: Ledger) -> tuple[str, ...]:
    """A section that is a bullet list of sentences."""
    bullets = read_bullets(section.head, ledger)
    if not bullets:
        ledger.report(section.head.title, f"a seção {section.head.title.text!r} está vazia", "escreva itens com '- '")
    return tuple(bullet.text for bullet in bullets)


def read_phrases(section: Section, ledger: Ledger) -> tuple[dict[str, str], dict[str, str]]:
    """The fixed texts by id, and the menus that go with some of them."""
    menus: dict[str, str] = {}

    def read(block: Block) -> str:
        if block.title.text not in PHRASES:
            ledger.report(
                block.title, f"frase desconhecida: {block.title.text!r}", suggestion(block.title.text, tuple(PHRASES))
            )
        fields = read_fields(block, _PHRASE, ledger)
        if menu := read_menu_reference(fields, ledger):
            menus[block.title.text] = menu
        return read_outgoing(fields.text("texto"), MAX_BODY, "frase", ledger)

    phrases = read_items(section, CODE, read, ledger)
    require_items(section, tuple(PHRASES), phrases, "frase", ledger)
    return phrases, menus


def _yes_or_no(place: Place, ledger: Ledger) -> bool:
    answer = fold(place.text)
    if answer not in ("sim", "nao", ""):
        ledger.report(place, f"valor desconhecido: {place.text!r}", "escreva 'sim' ou 'não'")
    return answer == "sim"
