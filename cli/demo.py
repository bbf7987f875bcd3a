"""`pyloto demo`: brings everything up, plays a few conversations, and shows how each turn was answered."""

import asyncio
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.padding import Padding
from rich.text import Text

from cli import draw
from cli.connection import Connected, Place, connect
from cli.demo_script import SCENES, Scene, Tap
from cli.exchange import Answer, Exchange, open_exchange
from cli.fsm_client import FsmClient, open_fsm, state_name, vertente_name
from cli.processes import Child, Program, free_port, scratch_folder
from cli.terminal import err, out, print_json, tell
from common.errors import NotFound
from gateway.outbound import to_json
from protos.conversation.v1 import conversation_pb2
from protos.conversation.v1 import messages_pb2 as pb
from protos.fsm.v1 import fsm_pb2

EPILOG = """Examples:

pyloto demo                         everything embedded, no key, no server

pyloto demo --simulate-llm          with a simulated LLM: shows who wrote each part

pyloto demo --llm https://api.example/v1      with a real one (LLM_API_KEY holds its key)

pyloto demo --json | jq .reply.text
"""

ANSWER_S = 6.0
_LOOK_AGAIN_S = 0.02
CHANNEL = "console"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True, slots=True)
class Told:
    """What the FSM service keeps about a turn: the states it walked through and what it decided."""

    path: tuple[str, ...]
    state: str
    vertente: str
    category: str
    intent: str
    confidence: float
    sources: dict[str, str]


@app.command(epilog=EPILOG)
def demo(
    simulate_llm: Annotated[bool, typer.Option("--simulate-llm", help="Run the LLM simulator too and use it.")] = False,
    llm: Annotated[str, typer.Option(metavar="URL", help="Use this OpenAI-compatible LLM (key in LLM_API_KEY).")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per turn, for machines.")] = False,
) -> None:
    """Start everything embedded, play a scripted Portuguese conversation, and show how each turn was answered."""
    if simulate_llm and llm:
        raise typer.BadParameter("--simulate-llm and --llm exclude each other")
    failures = asyncio.run(_play(simulate_llm=simulate_llm, llm=llm, as_json=as_json))
    for failure in failures:
        err.print(f"pyloto demo: {failure}", markup=False)
    if failures:
        raise typer.Exit(1)


async def _play(*, simulate_llm: bool, llm: str, as_json: bool) -> list[str]:
    """All scenes; returns what went wrong, in words."""
    started_s = time.monotonic()
    async with AsyncExitStack() as stack:
        if simulate_llm:
            llm = await stack.enter_async_context(_simulator())
        connected = await stack.enter_async_context(connect(Place(llm_url=llm, quiet=as_json)))
        exchange = await stack.enter_async_context(open_exchange(connected.broker))
        fsm = await stack.enter_async_context(open_fsm(connected.fsm))
        if not as_json:
            tell(f"everything runs after {time.monotonic() - started_s:.1f} s")
        failures = []
        for scene in SCENES:
            failures += await _play_scene(scene, exchange, fsm, as_json=as_json)
        if not as_json:
            _farewell(failures, connected)
    return failures


@asynccontextmanager
async def _simulator() -> AsyncIterator[str]:
    """The simulator as a process of its own; its base URL."""
    port = free_port()
    with scratch_folder() as folder:
        arguments = (sys.executable, "-m", "simulator", "--port", str(port), "--delay-ms", "150", "--sigma", "0.3")
        child = Child(Program("simulator", arguments, {}, port, announces=False), Path(folder))
        await child.start()
        try:
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            await child.stop(patience_s=2.0)


async def _play_scene(scene: Scene, exchange: Exchange, fsm: FsmClient, *, as_json: bool) -> list[str]:
    failures: list[str] = []
    if not as_json:
        out.print()
        out.rule(Text(scene.title, style="bold"), align="left")
    reply: pb.OutboundMessage | None = None
    for number, turn in enumerate(scene.turns, 1):
        message = message_for(scene.id, turn, reply, number)
        await exchange.publish(message)
        try:
            answer = await exchange.next(ANSWER_S)
        except TimeoutError:
            failures.append(f"{scene.id}, turn {number}: no answer within {ANSWER_S:g} s to {message.text!r}")
            continue
        reply = answer.reply
        if reply is None:
            failures.append(f"{scene.id}, turn {number}: the assistant stayed silent to {message.text!r}")
        told = await _told(fsm, scene.id, reply.turn_id if reply else "")
        _show_json(scene, message, answer, told) if as_json else _show(turn, message, answer, told)
    return failures


def message_for(conversation_id: str, turn: str | Tap, last: pb.OutboundMessage | None, number: int) -> pb.InboundMessage:
    """The customer's message; a tap takes the option of the last reply, or its number as text when there is none."""
    message = pb.InboundMessage(
        message_id=f"{conversation_id}-{number}", conversation_id=conversation_id, channel=CHANNEL, sender_id=conversation_id
    )
    if isinstance(turn, str):
        message.text = turn
    elif last is not None and turn.number <= len(last.options):
        option = last.options[turn.number - 1]
        message.kind, message.option_id, message.text = pb.INBOUND_KIND_OPTION, option.id, option.title
    else:
        message.text = str(turn.number)
    return message


async def _told(fsm: FsmClient, conversation_id: str, turn_id: str) -> Told:
    try:
        conversation = await _at_rest(fsm, conversation_id)
    except NotFound:
        return Told((), "", "", "", "", 0.0, {})
    moves = [move for move in conversation.history if move.turn_id == turn_id]
    understood = next((move for move in moves if move.trigger == "understood"), fsm_pb2.Transition())
    path = (state_name(moves[0].from_state), *(state_name(move.to_state) for move in moves)) if moves else ()
    tasks = {"understood": "fsm", "generated": "response", "selected": "msgtype"}
    return Told(
        path=path,
        state=state_name(conversation.state),
        vertente=vertente_name(conversation.vertente),
        category=understood.metadata.get("category", ""),
        intent=understood.metadata.get("intent", ""),
        confidence=understood.confidence,
        sources={tasks[move.trigger]: move.metadata.get("source", "") for move in moves if move.trigger in tasks},
    )


async def _at_rest(fsm: FsmClient, conversation_id: str) -> fsm_pb2.GetConversationResponse:
    """The conversation once its turn is completed, which is a moment after the reply."""
    latest_s = time.monotonic() + ANSWER_S
    while True:
        conversation = await fsm.conversation(conversation_id)
        if conversation.state != conversation_pb2.STATE_PROCESSING or time.monotonic() > latest_s:
            return conversation
        await asyncio.sleep(_LOOK_AGAIN_S)


def _show(turn: str | Tap, message: pb.InboundMessage, answer: Answer, told: Told) -> None:
    out.print()
    said = Text.assemble(("Cliente ", "bold green"), message.text)
    if isinstance(turn, Tap):
        said.append(f"   (tap on option {turn.number})", style="dim")
    out.print(said)
    out.print(draw.reply(answer.reply) if answer.reply else draw.silence())
    out.print(Padding(Text(" → ".join(told.path or (told.state,)), style="magenta"), (0, 0, 0, 2)))
    understood = f"  line {told.vertente} · {told.category}{f'/{told.intent}' if told.intent else ''}"
    understood += f" · confidence {told.confidence:.2f} · {answer.after_ms} ms"
    out.print(Text(understood, style="dim"))
    if any(source != "FALLBACK" for source in told.sources.values()):
        out.print(Text("  written by: " + ", ".join(f"{task} {who}" for task, who in told.sources.items()), style="dim"))


def _show_json(scene: Scene, message: pb.InboundMessage, answer: Answer, told: Told) -> None:
    """One turn as a line of JSON."""
    print_json(
        {
            "conversation": scene.id,
            "message": message.text,
            "option": message.option_id,
            **asdict(told),
            "ms": answer.after_ms,
            "reply": orjson.loads(to_json(answer.reply)) if answer.reply else None,
        }
    )


def _farewell(failures: list[str], connected: Connected) -> None:
    out.print()
    if not failures:
        turns = sum(len(scene.turns) for scene in SCENES)
        out.print(Text(f"{turns} of {turns} turns answered.", style="green"))
        command = "pyloto" if shutil.which("pyloto") else str(Path(sys.executable).with_name("pyloto"))
        out.print(f"Next: [bold]{command} chat[/bold] to write yourself, [bold]{command} up[/bold] to keep everything running.")
    elif connected.folder is not None:
        for log in sorted(connected.folder.glob("*.log")):
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            for line in [line for line in lines if '"level":"error"' in line][-3:]:
                err.print(f"{log.name}: {line}", markup=False)
