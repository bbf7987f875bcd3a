"""`pyloto chaos`: breaks the running system in every way it may break, and draws up the ledger of each message."""

import asyncio
import shutil
import tempfile
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.chaos import report
from bench.chaos.ledger import Ledger
from bench.chaos.stage import Delays, raised
from bench.chaos.storm import Storm, storm
from bench.chaos.traffic import Sent

EPILOG = """Examples:

pyloto chaos --messages 1500                       the short form, about two minutes

pyloto chaos --messages 10000 --seed 7 --json ledger.json

pyloto chaos --messages 300 --rate 10 --delay-scale 0.2 --keep

Exit code 1 when the promise was broken; the breaches are listed. The same seed gives the same conversations and the same
order of faults.
"""


class Scenario(StrEnum):
    """What to play."""

    STORM = "storm"


def chaos(
    messages: Annotated[int, typer.Option(min=1, help="How many messages to send.")] = 1500,
    seed: Annotated[int, typer.Option(help="Repeats the same conversations and the same order of faults.")] = 1,
    rate: Annotated[float, typer.Option(min=0.1, help="Messages per second.")] = 30.0,
    json: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the ledger as JSON to this file.")] = None,
    delay_scale: Annotated[float, typer.Option(min=0, help="Times the LLM's delays of 400, 900 and 300 ms.")] = 1.0,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the folder with logs and data.")] = False,
) -> None:
    """Kill, freeze, cut and slow down everything in turn while messages flow; check that nothing is lost or done twice."""
    console = Console()
    folder = Path(tempfile.mkdtemp(prefix="pyloto-chaos-"))
    started_s = time.monotonic()

    def tell(line: str) -> None:
        console.print(f"{time.monotonic() - started_s:6.1f} s  {line}", highlight=False, markup=False)

    async def play() -> tuple[Ledger, Sent]:
        async with raised(folder, Delays().scaled(delay_scale), tell) as stage:
            return await storm(stage, Storm(messages, rate, seed), tell)

    try:
        found, sent = asyncio.run(play())
    finally:
        if keep:
            tell(f"logs and data: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    report.show(found, f"pyloto chaos --messages {messages} --seed {seed} --rate {rate:g}", console)
    if json is not None:
        more = {"seed": seed, "rate": rate, "repeated_publishes": sent.repeats, "refused": len(sent.refused)}
        report.write(found, more, json)
    if found.breaches:
        raise typer.Exit(1)
