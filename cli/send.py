"""`pyloto send`: JSON lines in, published in order per conversation; with --wait the answers come out as JSON lines."""

import asyncio
import sys
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.status import Status

from cli.connection import Place, connect
from cli.exchange import Answer, Exchange, open_exchange
from cli.messages import parse_line
from cli.terminal import err, print_json
from common.errors import BrokerUnavailable, InvalidInput
from gateway.outbound import to_json
from protos.conversation.v1 import messages_pb2 as pb

EPILOG = """Examples:

echo '{"conversation": "c1", "text": "vocês fazem entrega?"}' | pyloto send --wait

pyloto send --amqp amqp://guest:guest@127.0.0.1:5672/ --wait messages.jsonl > answers.jsonl

A line is an InboundMessage (protos/conversation/v1/messages.proto) or the short form: conversation, text, and if wanted
channel, id, option, sender.

Exit code: 0 all published (and answered); 1 something was not; 2 a line was wrong, the others were sent.
"""

EXIT_UNANSWERED = 1
EXIT_BAD_LINE = 2
_CONCURRENT = 64
_RETRY_S = 0.3

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(epilog=EPILOG)
def send(
    file: Annotated[Path | None, typer.Argument(help="JSON lines; - or nothing for stdin.")] = None,
    amqp: Annotated[str, typer.Option(metavar="URL", help="RabbitMQ of a running system; without it, one is embedded.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the answers and print each as a JSON line.")] = False,
    timeout: Annotated[float, typer.Option(min=0.1, help="Longest wait without any progress, in seconds.")] = 30.0,
) -> None:
    """Publish messages to the broker, concurrently, but in order per conversation."""
    raw = _read(file)
    lines = [(number, line) for number, line in enumerate(raw.split(b"\n"), 1) if line.strip()]
    if not lines:
        raise InvalidInput("stdin" if file is None else str(file), "holds no messages; see pyloto send --help")
    raise typer.Exit(asyncio.run(_send(lines, amqp, wait=wait or not amqp, timeout_s=timeout, show=wait)))


def _read(file: Path | None) -> bytes:
    if file is None or str(file) == "-":  # Typer's own check of files does not know the dash
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{str(file)!r}: {error.strerror}", param_hint="file") from error


@dataclass(slots=True)
class _Progress:
    """What has happened so far, for the terminal and for the idle timeout."""

    total: int
    status: Status | None
    published: int = 0
    answered: int = 0
    failed: int = 0
    moved_at_s: float = field(default_factory=time.monotonic)

    def moved(self, *, published: int = 0, answered: int = 0) -> None:
        self.published += published
        self.answered += answered
        self.moved_at_s = time.monotonic()
        if self.status is not None:
            self.status.update(f"{self.published} of {self.total} published, {self.answered} answered")


async def _send(lines: list[tuple[int, bytes]], amqp: str, *, wait: bool, timeout_s: float, show: bool) -> int:
    """The exit code. An embedded system is always waited for: what it has not answered would be gone with it."""
    async with AsyncExitStack() as stack:
        connected = await stack.enter_async_context(connect(Place(amqp_url=amqp, quiet=not err.is_terminal)))
        messages, bad = _parse(lines, connected.channels)
        exchange = await stack.enter_async_context(open_exchange(connected.broker))
        status = stack.enter_context(err.status("publishing")) if err.is_terminal else None
        progress = _Progress(len(messages), status)
        waiting = asyncio.create_task(_answers(exchange, progress, timeout_s, show=show)) if wait else None
        failed = await _publish_all(messages, exchange, progress, timeout_s)
        if waiting is not None:
            await waiting
    unanswered = exchange.unanswered if wait else []
    for message_id in failed:
        err.print(f"pyloto send: message {message_id!r} was not published", markup=False)
    if lost := [message_id for message_id in unanswered if message_id not in failed]:
        shown = ", ".join(lost[:5]) + (" …" if len(lost) > 5 else "")
        err.print(f"pyloto send: {len(lost)} of {len(messages)} messages have no answer: {shown}", markup=False)
    if bad:
        return EXIT_BAD_LINE
    return EXIT_UNANSWERED if failed or unanswered else 0


def _parse(lines: list[tuple[int, bytes]], channels: frozenset[str]) -> tuple[list[pb.InboundMessage], int]:
    messages, bad = [], 0
    for number, line in lines:
        try:
            messages.append(parse_line(line, channels))
        except InvalidInput as error:
            bad += 1
            err.print(f"line {number}: {error}", markup=False, soft_wrap=True)
    return messages, bad


async def _publish_all(
    messages: Iterable[pb.InboundMessage], exchange: Exchange, progress: _Progress, timeout_s: float
) -> set[str]:
    """Each conversation one after the other, conversations side by side; ids of what could not be published."""
    conversations: dict[str, list[pb.InboundMessage]] = {}
    for message in messages:
        conversations.setdefault(message.conversation_id, []).append(message)
    slots = asyncio.Semaphore(_CONCURRENT)
    failed: set[str] = set()

    async def conversation(waiting: list[pb.InboundMessage]) -> None:
        for position, message in enumerate(waiting):
            async with slots:
                if not await _published(message, exchange, timeout_s):
                    # What comes after it must not overtake it.
                    failed.update(later.message_id for later in waiting[position:])
                    progress.failed = len(failed)
                    return
            progress.moved(published=1)

    async with asyncio.TaskGroup() as tasks:
        for waiting in conversations.values():
            tasks.create_task(conversation(waiting))
    return failed


async def _published(message: pb.InboundMessage, exchange: Exchange, timeout_s: float) -> bool:
    """Repeated until it is confirmed: the gateway knows the message id and answers it once."""
    give_up_at_s = time.monotonic() + timeout_s
    while True:
        try:
            await exchange.publish(message)
        except BrokerUnavailable as error:
            if time.monotonic() > give_up_at_s:
                err.print(f"pyloto send: {error}", markup=False)
                return False
            await asyncio.sleep(_RETRY_S)
        else:
            return True


async def _answers(exchange: Exchange, progress: _Progress, timeout_s: float, *, show: bool) -> None:
    """Print answers until every message has one, or nothing has moved for `timeout_s`."""
    while progress.published + progress.failed < progress.total or exchange.pending:
        left_s = progress.moved_at_s + timeout_s - time.monotonic()
        if left_s <= 0:
            return
        try:
            answer = await exchange.next(min(left_s, 0.5))
        except TimeoutError:
            continue
        progress.moved(answered=len(answer.message_ids))
        if show:
            print_json(_as_json(answer))


def _as_json(answer: Answer) -> dict[str, object]:
    """The OutboundMessage with the time it took; for a turn without a reply, what stayed unanswered and why."""
    if answer.reply is not None:
        return {**orjson.loads(to_json(answer.reply)), "after_ms": answer.after_ms}
    silent = "a person has the conversation"
    return {
        "conversation_id": answer.conversation_id,
        "in_reply_to": list(answer.message_ids),
        "silent": silent,
        "after_ms": answer.after_ms,
    }
