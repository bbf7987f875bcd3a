"""What a message may be dressed with: the menus and the media catalogue."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from common.institution import Media, Menu, Option
from common.taxonomy import MessageKind, Vertente
from context_service.documents import Block, Section
from context_service.fields import Shape, fold, read_choice, read_fields
from context_service.items import MAX_BODY, MAX_DESCRIPTION, MAX_TITLE, NAME, read_items, read_outgoing
from context_service.problems import Ledger, Place

MAX_OPTIONS: Mapping[MessageKind, int] = {MessageKind.BUTTON: 3, MessageKind.LIST: 10}
MEDIA_KINDS = tuple(k for k in MessageKind if k not in (MessageKind.TEXT, MessageKind.BUTTON, MessageKind.LIST))
FILE_KINDS: Mapping[MessageKind, tuple[str, ...]] = {
    MessageKind.IMAGE: ("image/",),
    MessageKind.VIDEO: ("video/",),
    MessageKind.AUDIO: ("audio/",),
    MessageKind.DOCUMENT: ("application/", "text/"),
}
"""The kinds that send a file, with the beginnings that their media type may have."""


_MENU = Shape(required=("tipo",), optional=("botão",), lists=("opções",))
_MEDIA = Shape(required=("tipo", "vertente", "título"), optional=("legenda", "url", "formato", "latitude", "longitude"))


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
        return Menu(block.title.text, kind, read_outgoing(button, MAX_TITLE, "botão", ledger), tuple(options))

    return read_items(section, NAME, read, ledger)


def read_media(section: Section, ledger: Ledger) -> dict[str, Media]:
    """The catalogue of assets by id; it may be empty."""

    def read(block: Block) -> Media:
        fields = read_fields(block, _MEDIA, ledger)
        kind = read_choice(fields.text("tipo"), MEDIA_KINDS, ledger)
        limit = MAX_TITLE if kind is MessageKind.CTA_URL else MAX_BODY
        return Media(
            id=block.title.text,
            kind=kind,
            title=read_outgoing(fields.text("título"), limit, "título", ledger),
            caption=read_outgoing(fields.text("legenda"), MAX_BODY, "legenda", ledger),
            url=_url(fields.text("url"), kind, ledger),
            mime_type=_mime_type(fields.text("formato"), kind, ledger),
            latitude=_degrees(fields.text("latitude"), kind, 90, ledger),
            longitude=_degrees(fields.text("longitude"), kind, 180, ledger),
            vertente=read_choice(fields.text("vertente"), tuple(Vertente), ledger),
        )

    return read_items(section, NAME, read, ledger)


def _option(bullet: Place, meanings: dict[str, str], ledger: Ledger) -> Option | None:
    parts = [part.strip() for part in bullet.text.split("|")]
    if len(parts) != 4 or not (parts[0] and parts[1] and parts[3]):
        hint = "escreva '- código | Título | descrição | INTENÇÃO'; só a descrição pode ficar vazia"
        ledger.report(bullet, "opção incompleta", hint)
        return None
    code, title, description, intent = parts
    if NAME.fullmatch(code) is None:
        ledger.report(bullet, f"código inválido: {code!r}", "use letras minúsculas sem acento, números e '-'")
    if meanings.setdefault(code, intent) != intent:
        hint = f"o mesmo código leva sempre à mesma intenção: use {meanings[code]} ou outro código"
        ledger.report(bullet, f"o código {code!r} já leva a outra intenção", hint)
    ledger.intent_references.append(Place(bullet.file, bullet.line, intent))
    return Option(
        id=code,
        title=read_outgoing(Place(bullet.file, bullet.line, title), MAX_TITLE, "título", ledger),
        description=read_outgoing(Place(bullet.file, bullet.line, description), MAX_DESCRIPTION, "descrição", ledger),
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
