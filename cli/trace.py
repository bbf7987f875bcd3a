"""`pyloto trace`: what happened in a conversation, in order, and who decided and wrote what."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Annotated

import orjson
import typer
from rich.padding import Padding
from rich.text import Text

from cli import draw
from cli.fsm_client import open_fsm, state_name, vertente_name
from cli.stores import DEFAULT_MONGODB, Stores, open_stores
from cli.terminal import clock, moment, out, print_json
from common.errors import NotFound
from common.masking import mask_text
from common.turn import Provenance
from gateway.outbound import to_json
from gateway.turn_record import TurnRecord
from msgtype_service.store import StoredForm
from protos.fsm.v1 import fsm_pb2
from response_service.store import StoredReply

EPILOG = """Examples (`pyloto up` prints the two addresses):

pyloto trace demo-loja --fsm 127.0.0.1:50051 --mongodb mongodb://127.0.0.1:27017

pyloto trace whatsapp:5511999990000 --json | jq '.transitions[].to'

pyloto trace whatsapp:5511999990000 --unmask      with telephone numbers, e-mail addresses and the like in clear
"""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True, slots=True)
class TurnTrace:
    """A turn with what each service stored for it."""

    turn: TurnRecord
    published: bool
    reply: StoredReply | None
    form: StoredForm | None


@app.command(epilog=EPILOG)
def trace(
    conversation: Annotated[str, typer.Argument(help="The conversation's id.")],
    fsm: Annotated[
        str, typer.Option(metavar="HOST:PORT", envvar="FSM_TARGET", help="The FSM service; `pyloto up` shows where it is.")
    ] = "127.0.0.1:50051",
    mongodb: Annotated[str, typer.Option(metavar="URL", envvar="MONGODB_URL", help="The system's store.")] = DEFAULT_MONGODB,
    turns: Annotated[int, typer.Option(min=1, max=1000, help="Newest turns to show.")] = 50,
    unmask: Annotated[bool, typer.Option("--unmask", help="Show personal data in clear.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Show the timeline of a conversation's newest session, and the results that the services stored per turn."""
    session, traced = asyncio.run(_fetch(conversation, fsm, mongodb, turns))
    if as_json:
        whole = orjson.loads(orjson.dumps(_as_json(conversation, session, traced)))
        print_json({name: value if unmask else _masked(value, name) for name, value in whole.items()})
    else:
        _show(conversation, session, traced, unmask=unmask)


async def _fetch(
    conversation: str, fsm_target: str, mongodb_url: str, limit: int
) -> tuple[fsm_pb2.GetConversationResponse, list[TurnTrace]]:
    async with open_fsm(fsm_target) as fsm, open_stores(mongodb_url) as stores:
        try:
            session = await fsm.conversation(conversation)
        except NotFound as error:
            raise NotFound(f"there is no conversation {conversation!r} in the FSM service at {fsm_target}") from error
        newest = await stores.turns.newest(conversation, limit)
        traced = await asyncio.gather(*(_trace(turn, stores) for turn in reversed(newest)))
    return session, traced


async def _trace(turn: TurnRecord, stores: Stores) -> TurnTrace:
    published, reply, form = await asyncio.gather(
        stores.turns.is_published(turn), stores.replies.find(turn.turn_id), stores.forms.find(turn.turn_id)
    )
    return TurnTrace(turn, published, reply, form)


def _masked(value: object, key: str = "") -> object:
    """Every string without personal data; times stay readable."""
    if isinstance(value, str):
        return value if key.endswith("_ms") else mask_text(value)
    if isinstance(value, dict):
        return {name: _masked(item, name) for name, item in value.items()}
    return [_masked(item) for item in value] if isinstance(value, list) else value


def _as_json(conversation: str, session: fsm_pb2.GetConversationResponse, traced: list[TurnTrace]) -> dict[str, object]:
    return {
        "conversation": conversation,
        "session": session.session_id,
        "sequence": session.sequence,
        "state": state_name(session.state),
        "vertente": vertente_name(session.vertente),
        "outcome": session.outcome,
        "illegal_proposals": session.illegal_proposals,
        "transitions": [
            {
                "at_ms": move.at_ms,
                "from": state_name(move.from_state),
                "to": state_name(move.to_state),
                "trigger": move.trigger,
                "confidence": move.confidence,
                "turn_id": move.turn_id,
                "metadata": dict(move.metadata),
            }
            for move in session.history
        ],
        "turns": [_turn_as_json(each) for each in traced],
    }


def _turn_as_json(each: TurnTrace) -> dict[str, object]:
    turn, answer = each.turn, each.turn.answer
    return {
        "turn_id": turn.turn_id,
        "opened_at_ms": turn.opened_at_ms,
        "message_ids": list(turn.message_ids),
        "text": turn.text,
        "option_id": turn.option_id,
        "attachment": turn.attachment,
        "published": each.published,
        "outbound": orjson.loads(to_json(answer.outbound)) if answer and answer.outbound else None,
        "escalation": orjson.loads(to_json(answer.escalation)) if answer and answer.escalation else None,
        "events": [event.type for event in answer.events] if answer else [],
        "reply": asdict(each.reply) if each.reply else None,
        "form": asdict(each.form) if each.form else None,
    }


def _show(conversation: str, session: fsm_pb2.GetConversationResponse, traced: list[TurnTrace], *, unmask: bool) -> None:
    seen: Callable[[str], str] = str if unmask else mask_text
    title = f"{seen(conversation)} · session {session.sequence} · {state_name(session.state)}"
    title += f" · {vertente_name(session.vertente)}{f' · {session.outcome}' if session.outcome else ''}"
    out.print(Text(title, style="bold"))
    out.print(Text(f"opened {moment(session.opened_at_ms)}, illegal proposals {session.illegal_proposals}", style="dim"))
    moves: dict[str, list[fsm_pb2.Transition]] = {}
    for move in session.history:
        moves.setdefault(move.turn_id, []).append(move)
    entries: list[tuple[int, TurnTrace | None, list[fsm_pb2.Transition]]] = [
        (each.turn.opened_at_ms, each, moves.pop(each.turn.turn_id, [])) for each in traced
    ]
    # What is left are moves of turns that the store does not show any more, and, without a turn, what people did.
    entries += [(move.at_ms, None, [move]) for rest in moves.values() for move in rest]
    for _, traced_turn, of_turn in sorted(entries, key=lambda entry: entry[0]):
        out.print()
        if traced_turn is not None:
            turn = traced_turn.turn
            said = seen(f"{turn.attachment} {turn.text}".strip()) or f"({turn.option_id or 'nothing that can be read'})"
            out.print(Text.assemble((f"{clock(traced_turn.turn.opened_at_ms)} ", "dim"), (said, "green")))
        for line in _moves(of_turn, seen):
            out.print(Padding(line, (0, 0, 0, 2)))
        for line in _results(traced_turn, seen) if traced_turn else ():
            out.print(Padding(line, (0, 0, 0, 4)))


def _moves(moves: list[fsm_pb2.Transition], seen: Callable[[str], str]) -> Iterator[Text]:
    for move in moves:
        details = seen(" ".join(f"{name}={value}" for name, value in sorted(move.metadata.items()) if value))
        yield Text.assemble(
            (f"{clock(move.at_ms)} ", "dim"),
            (f"{state_name(move.from_state)} → {state_name(move.to_state)} ", "magenta"),
            f"{move.trigger} {move.confidence:.2f} ",
            (details, "dim"),
        )


def _results(each: TurnTrace, seen: Callable[[str], str]) -> Iterator[Text]:
    """What was said, in which form, and how each came to be."""
    answer = each.turn.answer
    if answer is None:
        yield Text("not answered yet", style="red")
        return
    if answer.outbound is None:
        with_person = answer.escalation is not None  # what the customer wrote was forwarded
        yield Text("silent: " + ("a person has the conversation" if with_person else "the sender is blocked"), style="yellow")
    else:
        choices = " | ".join(option.title for option in answer.outbound.options)
        yield Text(
            f"{draw.kind(answer.outbound)}: {seen(answer.outbound.text)}{f' [{choices}]' if choices else ''}", style="cyan"
        )
    if each.reply is not None:
        yield Text(f"text: {_provenance(each.reply.provenance)}", style="dim")
        for blocked in each.reply.blocked:
            yield Text(f"blocked {blocked.violation} ({blocked.rule}): {seen(blocked.text)}", style="red")
    if each.form is not None:
        yield Text(f"form: {_provenance(each.form.provenance)}", style="dim")
    if answer.escalation is not None:
        yield Text(f"handed over ({answer.escalation.reason}): {seen(answer.escalation.summary)}", style="yellow")
    if not each.published:
        yield Text("not confirmed by the broker yet", style="red")


def _provenance(of: Provenance) -> str:
    parts = [of.source.value, f"{of.latency_ms} ms", f"context {of.context_version}"]
    if of.model:
        parts += [
            of.model,
            f"prompt {of.prompt_version}",
            f"{of.input_tokens} in ({of.cached_tokens} cached), {of.output_tokens} out",
        ]
    if of.fallback_reason:
        parts.append(of.fallback_reason)
    return ", ".join(parts)
