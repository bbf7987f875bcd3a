"""The institution's context to protobuf and back, without loss."""

from common.institution import BusinessLine, CategoryNote, Constraint, Institution, Intent, Media, Menu, Option, Principle
from common.taxonomy import Category, MessageKind, Vertente
from common.turn import category_number, kind_number, member, vertente_number
from protos.context.v1 import context_pb2 as pb


def to_proto(value: Institution) -> pb.Institution:
    """The protobuf form."""
    return pb.Institution(
        version=value.version,
        assistant=value.assistant,
        about=value.about,
        origin=value.origin,
        posture=value.posture,
        categories=[pb.CategoryNote(category=category_number(note.category), text=note.text) for note in value.categories],
        handoff=value.handoff,
        conversation=value.conversation,
        phrase_menus=dict(value.phrase_menus),
        principles=[pb.Principle(number=item.number, title=item.title, text=item.text) for item in value.principles],
        lines=[
            pb.BusinessLine(
                vertente=vertente_number(line.vertente),
                name=line.name,
                summary=line.summary,
                audience=line.audience,
                offers=line.offers,
                limits=line.limits,
            )
            for line in value.lines
        ],
        intents=[_intent_to_proto(intent) for intent in value.intents.values()],
        constraints=[pb.Constraint(id=item.id, text=item.text, refusal=item.refusal) for item in value.constraints],
        menus=[_menu_to_proto(menu) for menu in value.menus.values()],
        media=[_media_to_proto(media) for media in value.media.values()],
        phrases=dict(value.phrases),
        prompt=value.prompt,
    )


def from_proto(message: pb.Institution) -> Institution:
    """The plain form."""
    intents = [_intent_from_proto(intent) for intent in message.intents]
    menus = [_menu_from_proto(menu) for menu in message.menus]
    media = [_media_from_proto(item) for item in message.media]
    return Institution(
        version=message.version,
        assistant=message.assistant,
        about=message.about,
        origin=message.origin,
        posture=message.posture,
        categories=tuple(
            CategoryNote(member(Category, note.category, "categories.category"), note.text) for note in message.categories
        ),
        handoff=tuple(message.handoff),
        conversation=tuple(message.conversation),
        phrase_menus=dict(message.phrase_menus),
        principles=tuple(Principle(item.number, item.title, item.text) for item in message.principles),
        lines=tuple(
            BusinessLine(
                vertente=member(Vertente, line.vertente, "lines.vertente"),
                name=line.name,
                summary=line.summary,
                audience=line.audience,
                offers=tuple(line.offers),
                limits=tuple(line.limits),
            )
            for line in message.lines
        ),
        intents={intent.id: intent for intent in intents},
        constraints=tuple(Constraint(item.id, item.text, item.refusal) for item in message.constraints),
        menus={menu.id: menu for menu in menus},
        media={item.id: item for item in media},
        phrases=dict(message.phrases),
        prompt=message.prompt,
    )


def _intent_to_proto(intent: Intent) -> pb.Intent:
    return pb.Intent(
        id=intent.id,
        category=category_number(intent.category),
        vertente=vertente_number(intent.vertente),
        description=intent.description,
        triggers=intent.triggers,
        answer=intent.answer,
        human=intent.human,
        menu=intent.menu,
    )


def _intent_from_proto(message: pb.Intent) -> Intent:
    return Intent(
        id=message.id,
        category=member(Category, message.category, "intents.category"),
        vertente=member(Vertente, message.vertente, "intents.vertente"),
        description=message.description,
        triggers=tuple(message.triggers),
        answer=message.answer,
        human=message.human,
        menu=message.menu,
    )


def _menu_to_proto(menu: Menu) -> pb.Menu:
    return pb.Menu(
        id=menu.id,
        kind=kind_number(menu.kind),
        button=menu.button,
        options=[
            pb.MenuOption(id=option.id, title=option.title, description=option.description, intent=option.intent)
            for option in menu.options
        ],
    )


def _menu_from_proto(message: pb.Menu) -> Menu:
    return Menu(
        id=message.id,
        kind=member(MessageKind, message.kind, "menus.kind"),
        button=message.button,
        options=tuple(Option(item.id, item.title, item.description, item.intent) for item in message.options),
    )


def _media_to_proto(media: Media) -> pb.Media:
    return pb.Media(
        id=media.id,
        kind=kind_number(media.kind),
        title=media.title,
        caption=media.caption,
        url=media.url,
        mime_type=media.mime_type,
        latitude=media.latitude,
        longitude=media.longitude,
        vertente=vertente_number(media.vertente),
    )


def _media_from_proto(message: pb.Media) -> Media:
    return Media(
        id=message.id,
        kind=member(MessageKind, message.kind, "media.kind"),
        title=message.title,
        caption=message.caption,
        url=message.url,
        mime_type=message.mime_type,
        latitude=message.latitude,
        longitude=message.longitude,
        vertente=member(Vertente, message.vertente, "media.vertente"),
    )
