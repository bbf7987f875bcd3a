"""`pyloto resolve`: what an attendant does at the end of a hand-off."""

import asyncio
from typing import Annotated

import typer

from cli.fsm_client import open_fsm, state_name
from cli.terminal import out, print_json
from common.errors import IllegalTransition, InvalidInput
from protos.fsm.v1 import fsm_pb2

EPILOG = """Examples:

pyloto resolve whatsapp:5511999990000 --close --attendant ana --note "proposta enviada"

pyloto resolve whatsapp:5511999990000 --hand-back --attendant ana
"""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(epilog=EPILOG)
def resolve(
    conversation: Annotated[str, typer.Argument(help="The conversation's id.")],
    attendant: Annotated[str, typer.Option(metavar="ID", help="Who decides: an id, no personal data.")],
    close: Annotated[bool, typer.Option("--close", help="The matter is settled: the conversation ends.")] = False,
    hand_back: Annotated[bool, typer.Option("--hand-back", help="The assistant goes on with the conversation.")] = False,
    note: Annotated[str, typer.Option(help="Why; kept in the conversation's history.")] = "",
    fsm: Annotated[
        str, typer.Option(metavar="HOST:PORT", envvar="FSM_TARGET", help="The FSM service; `pyloto up` shows where it is.")
    ] = "127.0.0.1:50051",
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """End a hand-off: close the conversation, or hand it back to the assistant."""
    if close == hand_back:
        raise InvalidInput("--close, --hand-back", "give exactly one of them")
    request = fsm_pb2.ResolveEscalationRequest(
        conversation_id=conversation,
        resolution=fsm_pb2.RESOLUTION_CLOSE if close else fsm_pb2.RESOLUTION_HAND_BACK,
        attendant_id=attendant,
        note=note,
    )
    try:
        resolved = asyncio.run(_resolve(fsm, request))
    except IllegalTransition as error:
        raise IllegalTransition(f"{error}; see: pyloto trace {conversation}") from error
    state = state_name(resolved.state)
    if as_json:
        print_json({"conversation": conversation, "session": resolved.session_id, "state": state})
    else:
        out.print(f"{conversation} is {state} now", markup=False)


async def _resolve(target: str, request: fsm_pb2.ResolveEscalationRequest) -> fsm_pb2.ResolveEscalationResponse:
    async with open_fsm(target) as fsm:
        return await fsm.resolve(request)
