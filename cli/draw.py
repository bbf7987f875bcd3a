"""Draws a reply as the customer would see it: text, buttons side by side, a list as numbered rows, an asset as a card."""

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from protos.conversation.v1 import conversation_pb2, messages_pb2


def reply(message: messages_pb2.OutboundMessage) -> RenderableType:
    """The reply in a frame, options numbered so that a number picks one."""
    parts: list[RenderableType] = [Text(message.text)]
    if message.HasField("media"):
        parts.append(_asset(message.media))
    if message.options:
        parts.append(_options(message))
    parts.extend(Text(f"\n{text}") for text in message.further_texts)
    return Panel(Group(*parts), title=f"Otto · {kind(message)}", title_align="left", border_style="cyan", width=78)


def silence() -> RenderableType:
    """What stands where a reply would: a person has the conversation."""
    return Text("(o assistente fica em silêncio: a conversa está com uma pessoa, que recebeu a mensagem)", style="yellow")


def kind(message: messages_pb2.OutboundMessage) -> str:
    """The form's name, such as BUTTON."""
    return conversation_pb2.MessageKind.Name(message.kind).removeprefix("MESSAGE_KIND_")


def _options(message: messages_pb2.OutboundMessage) -> RenderableType:
    if message.kind == conversation_pb2.MESSAGE_KIND_BUTTON:
        return Columns([Panel.fit(f"{number} {escape(option.title)}") for number, option in enumerate(message.options, 1)])
    rows = Table.grid(padding=(0, 1))
    rows.add_column(justify="right")
    for number, option in enumerate(message.options, 1):
        rows.add_row(f"{number}", Text(option.title, style="bold"), Text(option.description, style="dim"))
    return Panel(rows, title=f"≡ {message.button_label or 'Opções'}", title_align="left", padding=(0, 1))


def _asset(media: messages_pb2.ReplyMedia) -> RenderableType:
    where = media.url or (f"{media.latitude:.5f}, {media.longitude:.5f}" if media.latitude or media.longitude else media.id)
    return Panel(Text(f"{media.title}\n{where}".strip()), title=media.mime_type or "anexo", title_align="left", padding=(0, 1))
