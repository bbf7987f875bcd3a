"""`pyloto dead-letters`: messages that could not be handled; why, what they hold, and handling them again."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import orjson
import typer
from rich.table import Table
from rich.text import Text

from cli.connection import gateway_settings, rabbitmq
from cli.terminal import out, print_json, quiet_logs
from common.errors import InvalidInput, NotFound
from common.masking import mask, mask_text
from gateway.broker import DeadLetter

LIST_EPILOG = """Examples:

pyloto dead-letters list

pyloto dead-letters list --json | jq -r .id

pyloto dead-letters list --unmask      with message and conversation ids in clear
"""
SHOW_EPILOG = """Examples:

pyloto dead-letters show 3f2a9c0d1e4b5a67

pyloto dead-letters show 3f2a9c0d1e4b5a67 --unmask      with personal data in clear
"""
REPLAY_EPILOG = """Examples:

pyloto dead-letters replay 3f2a9c0d1e4b5a67

pyloto dead-letters replay --all
"""
DISCARD_EPILOG = """Examples:

pyloto dead-letters discard 3f2a9c0d1e4b5a67 --yes      after a look at it: pyloto dead-letters show 3f2a9c0d1e4b5a67
"""
MAX_LISTED = 10_000
SHOWN_BODY = 4_000

Amqp = Annotated[str, typer.Option("--amqp", metavar="URL", envvar="AMQP_URL", help="The system's RabbitMQ.")]
DEFAULT_AMQP = "amqp://guest:guest@127.0.0.1:5672/"

_SHOW = "pyloto dead-letters show"

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def dead_letters() -> None:
    """Messages that could not be handled; the oldest come first."""


@app.command("list", epilog=LIST_EPILOG)
def list_letters(
    amqp: Amqp = DEFAULT_AMQP,
    limit: Annotated[int, typer.Option(min=1, max=MAX_LISTED, help="Most to list.")] = 100,
    unmask: Annotated[bool, typer.Option("--unmask", help="Show personal data in clear.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per dead letter.")] = False,
) -> None:
    """List dead letters with the reason of each."""
    letters = asyncio.run(_fetch(amqp, limit))
    seen: Callable[[str], str] = str if unmask else mask_text
    if as_json:
        for letter in letters:
            print_json(_summary(letter, seen))
        return
    if not letters:
        out.print("No dead letters.")
        return
    for letter in letters:
        # The reason on a line of its own: it is what one reads, and a terminal may be narrow.
        message = seen(letter.message_id) or "without id"
        out.print(Text.assemble((letter.id, "bold"), f"  {_when(letter.dead_at)}  message {message}"))
        out.print(Text(f"    {seen(letter.reason)}"), soft_wrap=True)
    if len(letters) == limit:
        out.print(f"There may be more; list them with --limit {limit * 10}")


@app.command(epilog=SHOW_EPILOG)
def show(
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")],
    amqp: Amqp = DEFAULT_AMQP,
    unmask: Annotated[bool, typer.Option("--unmask", help="Show personal data in clear.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Show why one message died, its headers, and its body."""
    letter = _find(asyncio.run(_fetch(amqp, MAX_LISTED)), letter_id)
    seen: Callable[[str], str] = str if unmask else mask_text
    body = letter.body[:SHOWN_BODY].decode(errors="backslashreplace") if unmask else _masked(letter.body)
    headers = {name: seen(str(value)) for name, value in letter.headers.items()}
    if as_json:
        print_json({**_summary(letter, seen), "headers": headers, "body": body, "body_cut": len(letter.body) > SHOWN_BODY})
        return
    table = Table.grid(padding=(0, 2))
    for name, value in _summary(letter, seen).items():
        table.add_row(Text(name, style="bold"), Text(str(value)))
    for name, value in headers.items():
        table.add_row(Text(f"header {name}", style="bold"), Text(value))
    out.print(table)
    out.print()
    out.print(Text(body))
    if len(letter.body) > SHOWN_BODY:
        out.print(Text(f"… {len(letter.body) - SHOWN_BODY} bytes more", style="dim"))


@app.command(epilog=REPLAY_EPILOG)
def replay(
    letter_id: Annotated[str, typer.Argument(metavar="[ID]", help="As `list` shows it.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Every dead letter.")] = False,
    amqp: Amqp = DEFAULT_AMQP,
) -> None:
    """Publish dead letters to the inbound exchange again; what is still wrong dies again, under a new id."""
    if bool(letter_id) == everything:
        raise InvalidInput("ID", "give the id of one dead letter, or --all")
    replayed = asyncio.run(_replay(amqp, None if everything else letter_id))
    if not replayed and letter_id:
        raise _unknown(letter_id)
    out.print(f"{replayed} published again; what is still wrong dies again: pyloto dead-letters list")


@app.command(epilog=DISCARD_EPILOG)
def discard(
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")],
    yes: Annotated[bool, typer.Option("--yes", help="It is a customer's message, and it will be gone.")] = False,
    amqp: Amqp = DEFAULT_AMQP,
) -> None:
    """Remove a dead letter for ever, such as one that was published again in a mended form."""
    if not yes:
        raise InvalidInput("--yes", f"is required, since nothing brings it back; look at it first: {_SHOW} {letter_id}")
    if not asyncio.run(_discard(amqp, letter_id)):
        raise _unknown(letter_id)
    out.print(f"{letter_id} removed")


async def _fetch(amqp: str, limit: int) -> list[DeadLetter]:
    quiet_logs()
    async with rabbitmq(gateway_settings(amqp)) as broker:
        return sorted(await broker.dead_letters(limit), key=lambda letter: letter.dead_at)


async def _replay(amqp: str, letter_id: str | None) -> int:
    quiet_logs()
    async with rabbitmq(gateway_settings(amqp)) as broker:
        return await broker.replay(letter_id)


async def _discard(amqp: str, letter_id: str) -> int:
    quiet_logs()
    async with rabbitmq(gateway_settings(amqp)) as broker:
        return await broker.discard(letter_id)


def _find(letters: list[DeadLetter], letter_id: str) -> DeadLetter:
    for letter in letters:
        if letter.id == letter_id:
            return letter
    raise _unknown(letter_id)


def _masked(body: bytes) -> str:
    """A JSON object without the values of fields that hold a person's words, name or address; else without what has a shape."""
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        return mask_text(body[:SHOWN_BODY].decode(errors="backslashreplace"))
    return orjson.dumps(mask(fields)).decode()[:SHOWN_BODY]


def _unknown(letter_id: str) -> NotFound:
    return NotFound(f"there is no dead letter {letter_id!r}; see: pyloto dead-letters list")


def _summary(letter: DeadLetter, seen: Callable[[str], str]) -> dict[str, object]:
    return {
        "id": letter.id,
        "message_id": seen(letter.message_id),
        "conversation_id": seen(letter.routing_key),
        "reason": seen(letter.reason),
        "dead_at": letter.dead_at.isoformat(timespec="seconds"),
        "partition": letter.partition,
        "delivery_count": letter.delivery_count,
        "content_type": letter.content_type,
        "bytes": len(letter.body),
    }


def _when(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
