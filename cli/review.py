"""`pyloto review`: what was blocked, in doubt or handed over, for product people; one key makes a labelled example of it."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from cli.keys import Keys
from cli.review_items import Item, Kind, collect
from cli.review_labels import MESSAGES, REPLIES, Example, LabelledFiles, Move, label_message, label_reply
from cli.stores import DEFAULT_MONGODB, open_stores
from cli.terminal import moment, out, print_json
from common.masking import mask_text
from gateway.outbound import REASONS

EPILOG = """Examples (`pyloto up` prints the address):

pyloto review --mongodb mongodb://127.0.0.1:27017

pyloto review --only blocked --limit 20

pyloto review --json | jq -r .customer_text

The examples go to revisao/messages.jsonl and revisao/replies.jsonl. Check them:

pyloto exam messages revisao/messages.jsonl
"""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_HEADINGS = {Kind.BLOCKED: "BLOQUEADO", Kind.DOUBTFUL: "EM DÚVIDA", Kind.ESCALATED: "REPASSADO"}


@app.command(epilog=EPILOG)
def review(
    mongodb: Annotated[str, typer.Option(metavar="URL", envvar="MONGODB_URL", help="The system's store.")] = DEFAULT_MONGODB,
    only: Annotated[Kind | None, typer.Option(help="Only one kind of turn.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=5000, help="Newest turns to look through.")] = 200,
    below: Annotated[float, typer.Option(min=0, max=1, help="Confidence below which a turn is doubtful.")] = 0.6,
    folder: Annotated[Path, typer.Option("--out", file_okay=False, help="Where the labelled examples go.")] = Path("revisao"),
    as_json: Annotated[bool, typer.Option("--json", help="List only, one JSON object per turn.")] = False,
    unmask: Annotated[
        bool,
        typer.Option(
            "--unmask",
            help="Show personal data in clear. Examples hold no long number and no e-mail; strike out names and streets.",
        ),
    ] = False,
) -> None:
    """Go through blocked, doubtful and handed-over turns; one key each turns them into labelled examples (in Portuguese)."""
    items = [item for item in asyncio.run(_fetch(mongodb, limit, below)) if only in {None, item.kind}]
    if not unmask:
        items = [item.changed(mask_text) for item in items]
    if as_json:
        for item in items:
            print_json(item.as_json())
        return
    files = LabelledFiles(folder)
    fresh = [item for item in items if item.example_id not in files.known_ids]
    if not fresh:
        out.print(f"Nada a revisar ({len(items)} já revisados)." if items else "Nada a revisar.")
        return
    out.print(f"{len(fresh)} para revisar.")
    with Keys() as keys:
        written = label_all(fresh, keys, files)
    out.print(f"\n{written} exemplos gravados em {folder}/.", markup=False)


async def _fetch(mongodb_url: str, limit: int, below: float) -> list[Item]:
    async with open_stores(mongodb_url) as stores:
        return await collect(stores, limit, below)


def label_all(items: list[Item], keys: Keys, files: LabelledFiles) -> int:
    """Ask for each; returns how many examples were written."""
    written: dict[int, str] = {}
    at = 0
    while at < len(items):
        item = items[at]
        name = REPLIES if item.kind is Kind.BLOCKED else MESSAGES
        _show(item, at + 1, len(items))
        answer = label_reply(item, keys) if item.kind is Kind.BLOCKED else label_message(item, keys)
        if answer is Move.STOP:
            break
        if answer is Move.BACK:
            at = max(at - 1, 0)
            if at in written:
                files.take_back(written.pop(at))
            continue
        if isinstance(answer, Example):
            files.append(name, answer)
            written[at] = name
        at += 1
    return len(written)


def _show(item: Item, number: int, total: int) -> None:
    out.print()
    out.rule(Text(f"{number}/{total} · {_HEADINGS[item.kind]} · {moment(item.at_ms)}", style="bold"), align="left")
    out.print(Text.assemble(("Cliente: ", "bold"), (item.customer_text or "(sem texto)", "green")))
    if item.kind is Kind.BLOCKED:
        out.print(Text.assemble(("Texto bloqueado: ", "bold"), (item.blocked_text, "red")))
        out.print(Text.assemble(("Motivo: ", "bold"), f"{item.reason} ({', '.join(item.violations)})"))
        return
    out.print(Text.assemble(("Resposta: ", "bold"), item.reply_text or "(silêncio)"))
    intent = f"/{item.intent}" if item.intent else ""
    decided = f"vertente {item.vertente} · {item.category}{intent} · confiança {item.confidence:.2f}"
    out.print(
        Text.assemble(
            ("Entendido: ", "bold"),
            decided,
            (f" · repassado: {REASONS.get(item.reason, item.reason)}" if item.escalate else "", "yellow"),
        )
    )
