"""What a customer types in the chat, and how a reply is drawn."""

from rich.console import Console

from cli import draw
from cli.chat import message_of
from cli.demo import message_for
from cli.demo_script import Tap
from protos.conversation.v1 import conversation_pb2
from protos.conversation.v1 import messages_pb2 as pb

MENU = pb.OutboundMessage(
    kind=conversation_pb2.MESSAGE_KIND_LIST,
    text="Como posso ajudar?",
    button_label="Ver opções",
    options=[
        pb.ReplyOption(id="entregas", title="Entregas", description="Coletas e entregas [locais]"),
        pb.ReplyOption(id="crm", title="CRM"),
    ],
)


def drawn(message: pb.OutboundMessage) -> str:
    """As a terminal without colours shows it."""
    console = Console(width=100, no_color=True)
    with console.capture() as captured:
        console.print(draw.reply(message))
    return captured.get()


def test_a_number_taps_the_option_that_was_shown() -> None:
    """With its id, and its title as the text."""
    message = message_of("2", "c1", MENU)

    assert (message.kind, message.option_id, message.text) == (pb.INBOUND_KIND_OPTION, "crm", "CRM")


def test_a_number_without_an_option_stays_text() -> None:
    """Such as a quantity that the assistant asked for."""
    assert message_of("3", "c1", MENU).text == "3"
    assert message_of("2", "c1", None).kind == pb.INBOUND_KIND_UNSPECIFIED


def test_the_demo_taps_by_number_too() -> None:
    """And falls back to the number as text where nothing was offered."""
    assert message_for("d", Tap(1), MENU, 2).option_id == "entregas"
    assert message_for("d", Tap(1), None, 2).text == "1"


def test_a_list_is_drawn_with_numbers_and_descriptions() -> None:
    """Square brackets are text, not markup."""
    picture = drawn(MENU)

    for part in ("Otto · LIST", "Ver opções", "1 Entregas", "[locais]", "2 CRM"):
        assert part in picture


def test_buttons_are_drawn_side_by_side() -> None:
    """Both titles on one line."""
    buttons = pb.OutboundMessage(
        kind=conversation_pb2.MESSAGE_KIND_BUTTON,
        text="Qual?",
        options=[pb.ReplyOption(id="a", title="Tenho uma loja"), pb.ReplyOption(id="b", title="Área [atendida]")],
    )

    assert any("1 Tenho uma loja" in line and "2 Área [atendida]" in line for line in drawn(buttons).splitlines())


def test_further_texts_and_media_are_drawn() -> None:
    """Nothing that the customer gets is left out."""
    message = pb.OutboundMessage(
        kind=conversation_pb2.MESSAGE_KIND_DOCUMENT,
        text="Segue a apresentação",
        further_texts=["e a continuação"],
        media=pb.ReplyMedia(id="m", url="https://example.org/a.pdf", title="a.pdf", mime_type="application/pdf"),
    )

    for part in ("Segue a apresentação", "e a continuação", "https://example.org/a.pdf", "application/pdf"):
        assert part in drawn(message)
