"""`pyloto chaos`: breaks the running system in every way it may break, and draws up the ledger of each message."""

import asyncio
import logging
import shutil
import signal
import sys
import tempfile
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import structlog
import typer
from rich.console import Console

from bench.chaos.backpressure import Pressure, backpressure
from bench.chaos.deadline import PHASES, deadline
from bench.chaos.report import Outcome
from bench.chaos.rollout import rollout
from bench.chaos.stage import Delays, raised
from bench.chaos.storm import Storm, storm
from gateway.topology import Topology

EPILOG = """Examples:

pyloto chaos --messages 1500                       the short form, about two minutes

pyloto chaos --messages 10000 --seed 7 --json ledger.json

pyloto chaos --messages 300 --rate 10 --delay-scale 0.2 --keep

pyloto chaos --scenario deadline                   the LLM hangs, crawls, talks rubbish and fails

pyloto chaos --scenario rollout --rate 20          every process restarted under load, then the broker

pyloto chaos --scenario backpressure               twice what is held, for a minute; then it drains

pyloto chaos --scenario backpressure --seconds 30 --queue-limit 60

Exit code 1 when the promise was broken; the breaches are listed. The same seed gives the same conversations and the same
order of faults.
"""


_WIDTH = 110
"""Of the tables where the output is no terminal."""


class Scenario(StrEnum):
    """What to play."""

    STORM = "storm"
    DEADLINE = "deadline"
    ROLLOUT = "rollout"
    BACKPRESSURE = "backpressure"


_RATES = {Scenario.BACKPRESSURE: 200.0}
"""About twice what two cores hold; `docs/performance.md` says how much that is."""
_RATE = 30.0


def chaos(
    scenario: Annotated[
        Scenario,
        typer.Option(
            help="storm: everything breaks in turn. deadline: the LLM fails. rollout: rolling restart."
            " backpressure: more is published than can be answered."
        ),
    ] = Scenario.STORM,
    messages: Annotated[int, typer.Option(min=1, help="How many messages to send, for storm and deadline.")] = 1500,
    seed: Annotated[int, typer.Option(help="Repeats the same conversations and the same order of faults.")] = 1,
    rate: Annotated[
        float | None, typer.Option(min=0.1, help="Messages per second; 30, for backpressure 200.", show_default=False)
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, help="How long backpressure publishes.")] = 60.0,
    queue_limit: Annotated[
        int, typer.Option(min=1, help="Messages that each of the 16 partitions takes before it refuses.")
    ] = Topology().partition_max_length,
    json: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the ledger as JSON to this file.")] = None,
    delay_scale: Annotated[float, typer.Option(min=0, help="Times the LLM's delays of 400, 900 and 300 ms.")] = 1.0,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the folder with logs and data.")] = False,
) -> None:
    """Kill, freeze, cut and slow down everything in turn while messages flow; check that nothing is lost or done twice."""
    rate = rate or _RATES.get(scenario, _RATE)
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    folder = Path(tempfile.mkdtemp(prefix="pyloto-chaos-"))
    started_s = time.monotonic()
    # What the client library says about the connections that we cut ourselves.
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))

    def tell(line: str) -> None:
        console.print(f"{time.monotonic() - started_s:6.1f} s  {line}", highlight=False, markup=False, soft_wrap=True)

    async def play() -> Outcome:
        # Whoever ends this ends what it has started too, the broker above all.
        playing = asyncio.current_task()
        assert playing is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, playing.cancel)
        topology = Topology(partition_max_length=queue_limit)
        async with raised(folder, Delays().scaled(delay_scale), tell, topology=topology) as stage:
            match scenario:
                case Scenario.STORM:
                    return await storm(stage, Storm(messages, rate, seed), tell)
                case Scenario.DEADLINE:
                    return await deadline(stage, max(messages // len(PHASES), 1), rate, seed, tell)
                case Scenario.ROLLOUT:
                    return await rollout(stage, rate, seed, tell)
                case Scenario.BACKPRESSURE:
                    return await backpressure(stage, Pressure(rate, seconds, seed), tell)

    try:
        outcome = asyncio.run(play())
    except asyncio.CancelledError:
        tell("stopped by SIGTERM: everything is taken down, there is no ledger")
        raise typer.Exit(128 + signal.SIGTERM) from None
    finally:
        if keep:
            tell(f"logs and data: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    outcome.show(console)
    if json is not None:
        settings = {"scenario": scenario, "seed": seed, "rate": rate, "took_s": round(time.monotonic() - started_s, 1)}
        json.write_bytes(
            orjson.dumps({**settings, **outcome.figures()}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        )
    if outcome.breaches:
        raise typer.Exit(1)
