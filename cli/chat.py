"""`pyloto chat`: a customer's conversation from the terminal, replies drawn as on a telephone."""

import asyncio
import sys
import uuid
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from cli import draw
from cli.connection import Place, connect
from cli.exchange import Exchange, open_exchange
from cli.messages import new_message_id
from cli.stdin_lines import stdin_lines
from cli.terminal import out, tell
from common.turn import MAX_TEXT
from protos.conversation.v1 import messages_pb2 as pb

EPILOG = """Examples:

pyloto chat                                             on a system of its own

pyloto chat --amqp amqp://guest:guest@127.0.0.1:5672/   on the running one

printf 'oi\\n1\\n/quit\\n' | pyloto chat                  the typed number picks an option
"""

ANSWER_S = 10.0
CHANNEL = "console"
_WELCOME = "Escreva como um cliente. Um número escolhe a opção; /nova começa outra conversa; /quit sai."

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(epilog=EPILOG)
def chat(
    amqp: Annotated[str, typer.Option(metavar="URL", help="RabbitMQ of a running system; without it, one is embedded.")] = "",
    llm: Annotated[str, typer.Option(metavar="URL", help="LLM of the embedded system (key in LLM_API_KEY).")] = "",
    data_dir: Annotated[Path | None, typer.Option(help="Where the embedded system keeps data and logs.")] = None,
    conversation: Annotated[str, typer.Option(metavar="ID", help="Go on with this conversation.")] = "",
) -> None:
    """Write to the assistant from the terminal; /quit, Ctrl-D or Ctrl-C ends it."""
    unanswered = asyncio.run(_chat(Place(amqp_url=amqp, llm_url=llm, data_dir=data_dir), conversation or _new_conversation()))
    if unanswered:
        raise typer.Exit(1)


async def _chat(place: Place, conversation_id: str) -> int:
    """Returns how many messages got no answer."""
    unanswered = 0
    last: pb.OutboundMessage | None = None
    async with AsyncExitStack() as stack:
        connected = await stack.enter_async_context(connect(place))
        exchange = await stack.enter_async_context(open_exchange(connected.broker))
        tell(f"conversation {conversation_id}")
        out.print(Text(_WELCOME, style="dim"))
        _prompt()
        async for line in stdin_lines():
            said = line.strip()
            if not sys.stdin.isatty():
                out.print(Text(said))
            if said in {"/quit", "/sair"}:
                break
            if said == "/nova":
                conversation_id, last = _new_conversation(), None
                tell(f"conversation {conversation_id}")
            elif len(said) > MAX_TEXT:
                out.print(Text(f"Mensagem longa demais: no máximo {MAX_TEXT} caracteres.", style="yellow"))
            elif said:
                last, answered = await _say(exchange, message_of(said, conversation_id, last), last)
                unanswered += not answered
            _prompt()
    out.print()
    return unanswered


async def _say(
    exchange: Exchange, message: pb.InboundMessage, last: pb.OutboundMessage | None
) -> tuple[pb.OutboundMessage | None, bool]:
    """Publish, draw what comes back; the reply whose options the next number picks, and whether anything came."""
    await exchange.publish(message)
    try:
        answer = await exchange.next(ANSWER_S)
    except TimeoutError:
        out.print(Text(f"Sem resposta em {ANSWER_S:g} s.", style="red"))
        tell("is the gateway running? `pyloto up --amqp URL` starts everything on the same broker")
        return last, False
    if answer.reply is None:
        out.print(draw.silence())
        return last, True
    out.print(draw.reply(answer.reply))
    return answer.reply, True


def message_of(said: str, conversation_id: str, last: pb.OutboundMessage | None) -> pb.InboundMessage:
    """The customer's message; the number of an option of the last reply is a tap on it."""
    message = pb.InboundMessage(
        message_id=new_message_id(), conversation_id=conversation_id, channel=CHANNEL, sender_id=conversation_id, text=said
    )
    options = last.options if last is not None else ()
    if said.isdecimal() and 1 <= int(said) <= len(options):
        option = options[int(said) - 1]
        message.kind, message.option_id, message.text = pb.INBOUND_KIND_OPTION, option.id, option.title
    return message


def _prompt() -> None:
    out.print(Text("você> ", style="bold green"), end="")
    out.file.flush()


def _new_conversation() -> str:
    return f"chat-{uuid.uuid4().hex[:8]}"
