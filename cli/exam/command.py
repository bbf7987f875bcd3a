"""The command: reads the file, holds the exam with the services' own code, prints and writes the figures."""

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer

from cli.exam import document, printing
from cli.exam.dialogs import play_dialogs
from cli.exam.items import Dialog, Message, Reply, read_items
from cli.exam.messages import read_messages
from cli.exam.replies import guard_replies
from cli.exam.sitting import Terms
from cli.terminal import quiet_logs, tell

EPILOG = """Examples:

pyloto exam messages fsm_service/understanding/examples/heldout.jsonl

pyloto exam replies guard/examples/heldout.jsonl --json guard.json

pyloto exam dialogs fsm_service/understanding/examples/heldout_dialogs.jsonl

pyloto exam messages FILE --strict                  only the label counts; doubtful items apart

pyloto exam messages FILE --llm https://api.example/v1 --runs 3     with an LLM (LLM_API_KEY holds its key)

Each line of FILE is one JSON object:

{"id": "m1", "text": "vcs entregam?", "vertente": "ENTREGA", "intent": "ENTREGAS", "escalate": false, "note": ""}

{"id": "r1", "text": "Custa 10 reais.", "violations": ["PRICE"], "note": ""}

{"id": "d1", "turns": [{"user": "oi", "expect": {"vertente": "NENHUMA", "intent": "SAUDACAO", "escalate": false,
"must_not": []}}], "ends": "AWAITING_USER"}
"""


class Kind(StrEnum):
    """What is examined."""

    MESSAGES = "messages"
    REPLIES = "replies"
    DIALOGS = "dialogs"


def exam(
    kind: Annotated[Kind, typer.Argument(help="What the lines of FILE are.", show_default=False)],
    file: Annotated[Path, typer.Argument(help="JSON lines.", exists=True, dir_okay=False, show_default=False)],
    llm: Annotated[str, typer.Option(metavar="URL", help="Use this OpenAI-compatible LLM (key in LLM_API_KEY).")] = "",
    json_path: Annotated[Path | None, typer.Option("--json", metavar="OUT", help="Write the figures there as JSON.")] = None,
    strict: Annotated[
        bool,
        typer.Option("--strict/--tolerant", help="Tolerant also accepts the note's alt_*; strict tells doubtful items apart."),
    ] = False,
    runs: Annotated[int, typer.Option(min=1, help="Ask each item so often and say how often all answers agree.")] = 1,
    deadline: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="Time for one item or turn.")] = 10.0,
) -> None:
    """Measure understanding, guard or whole conversations on labelled examples, with the services' own code."""
    terms = Terms(llm_url=llm, runs=runs, deadline_s=deadline, strict=strict)
    quiet_logs()
    figures = asyncio.run(_hold(kind, file, terms))
    printing.show(kind, file, figures)
    if json_path is not None:
        json_path.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2) + b"\n")
        tell(f"figures: {json_path}")


async def _hold(kind: Kind, file: Path, terms: Terms) -> document.Document:
    """The figures, with what they are figures of in front."""
    head: document.Document = {"kind": kind, "file": file.name, "scoring": "strict" if terms.strict else "tolerant"}
    if kind is Kind.MESSAGES:
        messages = read_items(file, Message)
        return {**head, **document.of_messages(messages, await read_messages(messages, terms), terms)}
    if kind is Kind.REPLIES:
        replies = read_items(file, Reply)
        return {**head, **document.of_replies(replies, await guard_replies(replies, terms), terms)}
    dialogs = read_items(file, Dialog)
    return {**head, **document.of_dialogs(dialogs, await play_dialogs(dialogs, terms), terms)}
