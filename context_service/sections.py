"""Each section of the documents turned into the types of `common/institution.py`; one function per section."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlsplit

from common.institution import (
    PHRASES,
    BusinessLine,
    CategoryNote,
    Constraint,
    Intent,
    Media,
    Menu,
    Option,
    Principle,
)
from common.taxonomy import Category, MessageKind, Vertente, Violation
from context_service.documents import Block, Section
from context_service.fields import (
    Fields,
    Shape,
    check_length,
    fold,
    read_bullets,
    read_choice,
    read_fields,
    read_prose,
)
from context_service.problems import Ledger, Place, suggestion

# Limits of WhatsApp's interactive messages, the narrowest channel that shows them.
MAX_BODY = 1024
MAX_TITLE = 20
MAX_DESCRIPTION = 72
MAX_OPTIONS: Mapping[MessageKind, int] = {MessageKind.BUTTON: 3, MessageKind.LIST: 10}

BUSINESS_LINES = tuple(vertente for vertente in Vertente if vertente is not Vertente.NENHUMA)
MEDIA_KINDS = tuple(k for k in MessageKind if k not in (MessageKind.TEXT, MessageKind.BUTTON, MessageKind.LIST))
FILE_KINDS: Mapping[MessageKind, tuple[str, ...]] = {
    MessageKind.IMAGE: ("image/",),
    MessageKind.VIDEO: ("video/",),
    MessageKind.AUDIO: ("audio/",),
    MessageKind.DOCUMENT: ("application/", "text/"),
}
"""The kinds that send a file, with the beginnings that their media type may have."""

PRINCIPLE_COUNT = 6

_CODE = re.compile(r"[A-Z][A-Z0-9_]*")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_NUMBERED = re.compile(r"(\d+)\s*[.)-]\s*(.+)")

_LINE = Shape(required=("nome", "resumo", "público"), lists=("oferece", "limites"))
_INTENT = Shape(required=("categoria", "vertente", "humano", "descrição", "resposta"), optional=("menu",), lists=("gatilhos",))
_CONSTRAINT = Shape(required=("regra", "como recusar"))
_MENU = Shape(required=("tipo",), optional=("botão",), lists=("opções",))
_MEDIA = Shape(required=("tipo", "vertente", "título"), optional=("legenda", "url", "formato", "latitude", "longitude"))
_PHRASE = Shape(required=("texto",), optional=("menu",))
_ASSISTANT = Shape(required=("nome",))

T = TypeVar("T")


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
            answer=_outgoing(fields.text("resposta"), MAX_BODY, "resposta", ledger),
            human=_yes_or_no(fields.text("humano"), ledger),
            menu=_menu(fields, ledger),
        )

    return _by_id(section, _CODE, read, ledger)


def read_constraints(section: Section, ledger: Ledger) -> tuple[Constraint, ...]:
    """The rules; one for every `Violation` that the guard knows, and any further one."""

    def read(block: Block) -> Constraint:
        fields = read_fields(block, _CONSTRAINT, ledger)
        refusal = _outgoing(fields.text("como recusar"), MAX_BODY, "recusa", ledger)
        return Constraint(block.title.text, fields.text("regra").text, refusal)

    constraints = _by_id(section, _CODE, read, ledger)
    _require(section, [str(violation) for violation in Violation], constraints, "restrição", ledger)
    return tuple(constraints.values())


def read_rules(section: Section, ledger: Ledger) -> tuple[str, ...]:
    """A section that is a bullet list of sentences."""
    bullets = read_bullets(section.head, ledger)
    if not bullets:
        ledger.report(section.head.title, f"a seção {section.head.title.text!r} está vazia", "escreva itens com '- '")
    return tuple(bullet.text for bullet in bullets)


def read_menus(section: Section, ledger: Ledger) -> dict[str, Menu]:
    """The menus by id; an option id means the same intent wherever it stands."""
    meanings: dict[str, str] = {}

    def read(block: Block) -> Menu:
        fields = read_fields(block, _MENU, ledger)
        kind = read_choice(fields.text("tipo"), tuple(MAX_OPTIONS), ledger)
        button = fields.text("botão")
        if kind is MessageKind.LIST and not button.text:
            ledger.report(block.title, f"falta 'botão' em {block.title.text!r}", "uma lista precisa de 'botão: ...'")
        bullets = fields.items("opções")
        if len(bullets) > MAX_OPTIONS[kind]:
            ledger.report(
                bullets[MAX_OPTIONS[kind]],
                f"{len(bullets)} opções em {block.title.text!r}: {kind} aceita até {MAX_OPTIONS[kind]}",
                "apague opções" if kind is MessageKind.LIST else "apague opções ou mude para 'tipo: LIST'",
            )
        options: list[Option] = []
        for bullet in bullets:
            option = _option(bullet, meanings, ledger)
            if option is None:
                continue
            for name, mine, others in (
                ("código", option.id, [other.id for other in options]),
                ("título", fold(option.title), [fold(other.title) for other in options]),
            ):
                if mine in others:
                    ledger.report(bullet, f"{name} repetido no menu: {mine!r}", "cada opção precisa do seu")
            options.append(option)
        return Menu(block.title.text, kind, _outgoing(button, MAX_TITLE, "botão", ledger), tuple(options))

    return _by_id(section, _NAME, read, ledger)


def read_media(section: Section, ledger: Ledger) -> dict[str, Media]:
    """The catalogue of assets by id; it may be empty."""

    def read(block: Block) -> Media:
        fields = read_fields(block, _MEDIA, ledger)
        kind = read_choice(fields.text("tipo"), MEDIA_KINDS, ledger)
        limit = MAX_TITLE if kind is MessageKind.CTA_URL else MAX_BODY
        return Media(
            id=block.title.text,
            kind=kind,
            title=_outgoing(fields.text("título"), limit, "título", ledger),
            caption=_outgoing(fields.text("legenda"), MAX_BODY, "legenda", ledger),
            url=_url(fields.text("url"), kind, ledger),
            mime_type=_mime_type(fields.text("formato"), kind, ledger),
            latitude=_degrees(fields.text("latitude"), kind, 90, ledger),
            longitude=_degrees(fields.text("longitude"), kind, 180, ledger),
            vertente=read_choice(fields.text("vertente"), tuple(Vertente), ledger),
        )

    return _by_id(section, _NAME, read, ledger)


def read_phrases(section: Section, ledger: Ledger) -> tuple[dict[str, str], dict[str, str]]:
    """The fixed texts by id, and the menus that go with some of them."""
    menus: dict[str, str] = {}

    def read(block: Block) -> str:
        if block.title.text not in PHRASES:
            ledger.report(
                block.title, f"frase desconhecida: {block.title.text!r}", suggestion(block.title.text, tuple(PHRASES))
            )
        fields = read_fields(block, _PHRASE, ledger)
        if menu := _menu(fields, ledger):
            menus[block.title.text] = menu
        return _outgoing(fields.text("texto"), MAX_BODY, "frase", ledger)

    phrases = _by_id(section, _CODE, read, ledger)
    _require(section, tuple(PHRASES), phrases, "frase", ledger)
    return phrases, menus


def _by_id(section: Section, pattern: re.Pattern[str], read: Callable[[Block], T], ledger: Ledger) -> dict[str, T]:
    found: dict[str, T] = {}
    for line in section.head.body:
        if line.text:
            ledger.report(line, "linha fora de lugar", "comece com '> ' se for comentário; os itens começam com '### '")
    for block in section.items:
        name = block.title.text
        if pattern.fullmatch(name) is None:
            example = "LETRAS_MAIUSCULAS" if pattern is _CODE else "letras-minusculas"
            ledger.report(block.title, f"código inválido: {name!r}", f"escreva assim: {example}, sem acentos")
        if name in found:
            ledger.report(block.title, f"código repetido: {name!r}", "cada código aparece uma só vez na seção")
        found[name] = read(block)
    return found


def _require(section: Section, names: Sequence[str], found: Mapping[str, object], what: str, ledger: Ledger) -> None:
    for name in names:
        if name not in found:
            ledger.report(section.head.title, f"falta a {what} {name!r}", f"escreva '### {name}' e o seu conteúdo")


def _outgoing(place: Place, limit: int, what: str, ledger: Ledger) -> str:
    if place.text:
        check_length(place, limit, what, ledger)
        ledger.outgoing.append(place)
    return place.text


def _menu(fields: Fields, ledger: Ledger) -> str:
    place = fields.text("menu")
    if place.text:
        ledger.menu_references.append(place)
    return place.text


def _yes_or_no(place: Place, ledger: Ledger) -> bool:
    answer = fold(place.text)
    if answer not in ("sim", "nao", ""):
        ledger.report(place, f"valor desconhecido: {place.text!r}", "escreva 'sim' ou 'não'")
    return answer == "sim"


def _option(bullet: Place, meanings: dict[str, str], ledger: Ledger) -> Option | None:
    parts = [part.strip() for part in bullet.text.split("|")]
    if len(parts) != 4 or not (parts[0] and parts[1] and parts[3]):
        hint = "escreva '- código | Título | descrição | INTENÇÃO'; só a descrição pode ficar vazia"
        ledger.report(bullet, "opção incompleta", hint)
        return None
    code, title, description, intent = parts
    if _NAME.fullmatch(code) is None:
        ledger.report(bullet, f"código inválido: {code!r}", "use letras minúsculas sem acento, números e '-'")
    if meanings.setdefault(code, intent) != intent:
        hint = f"o mesmo código leva sempre à mesma intenção: use {meanings[code]} ou outro código"
        ledger.report(bullet, f"o código {code!r} já leva a outra intenção", hint)
    ledger.intent_references.append(Place(bullet.file, bullet.line, intent))
    return Option(
        id=code,
        title=_outgoing(Place(bullet.file, bullet.line, title), MAX_TITLE, "título", ledger),
        description=_outgoing(Place(bullet.file, bullet.line, description), MAX_DESCRIPTION, "descrição", ledger),
        intent=intent,
    )


def _url(place: Place, kind: MessageKind, ledger: Ledger) -> str:
    if kind in (MessageKind.LOCATION, MessageKind.TEMPLATE):
        if place.text:
            ledger.report(place, f"{kind} não usa 'url'", "apague esta linha")
        return ""
    try:
        parts = urlsplit(place.text)
        valid = parts.scheme == "https" and bool(parts.hostname) and not any(c.isspace() for c in place.text)
    except ValueError:
        valid = False
    if not valid:
        ledger.report(place, f"endereço inválido: {place.text!r}", "escreva 'url: https://...'")
    return place.text


def _mime_type(place: Place, kind: MessageKind, ledger: Ledger) -> str:
    beginnings = FILE_KINDS.get(kind)
    if beginnings is None:
        if place.text:
            ledger.report(place, f"{kind} não usa 'formato'", "apague esta linha")
        return ""
    if not place.text.startswith(beginnings) or place.text in beginnings:
        wanted = " ou ".join(f"'{beginning}...'" for beginning in beginnings)
        ledger.report(place, f"formato inválido: {place.text!r}", f"{kind} pede um formato {wanted}")
    return place.text


def _degrees(place: Place, kind: MessageKind, limit: int, ledger: Ledger) -> float:
    if kind is not MessageKind.LOCATION:
        if place.text:
            ledger.report(place, f"{kind} não usa coordenadas", "apague esta linha")
        return 0.0
    try:
        degrees = float(place.text.replace(",", "."))
    except ValueError:
        degrees = float("nan")
    if not -limit <= degrees <= limit:
        ledger.report(place, f"coordenada inválida: {place.text!r}", f"escreva graus entre -{limit} e {limit}")
    return degrees
