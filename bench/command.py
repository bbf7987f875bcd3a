"""`pyloto bench`: open-loop load on the whole system with real RabbitMQ, the store and the LLM simulator."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench import report
from bench.load import Ledger
from bench.measure import Row
from bench.rig import Rig, RigPlan, open_rig

EXAMPLES = """Examples:

  pyloto bench                                  20, 50, 100 messages/s, then upwards to saturation

  pyloto bench --rates 100 --duration 300       five minutes at 100 messages/s

  pyloto bench --floor                          the same, and the bare skeleton of the hops in the same run

  pyloto bench --gateways 2 --json bench.json --plot bench.png
"""
_STEP = 1.12
_SATURATION_S = 20.0


def bench(
    rates: Annotated[str, typer.Option(help="Messages per second, separated by commas.")] = "20,50,100",
    duration: Annotated[float, typer.Option(help="Seconds at each rate.")] = 30.0,
    saturation: Annotated[
        bool, typer.Option("--saturation/--no-saturation", help="Go on upwards until the rate is not held any more.")
    ] = True,
    floor: Annotated[bool, typer.Option(help="Measure the bare skeleton of the hops too, and the ratio to it.")] = False,
    gateways: Annotated[int, typer.Option(help="Gateway replicas.", min=1)] = 1,
    replicas: Annotated[int, typer.Option(help="Replicas of the FSM, response and message-type services.", min=1)] = 1,
    amqp: Annotated[str, typer.Option(help="RabbitMQ to use; without it a private node is started.")] = "",
    json: Annotated[Path | None, typer.Option(help="Write the figures as JSON.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Write latency against rate as a PNG.")] = None,
) -> None:
    """Load the whole system at fixed rates and report latency, loss, CPU, memory and LLM calls per message.

    Everything runs on this machine: load generator, RabbitMQ, store, simulator and services.
    """
    wanted = [float(rate) for rate in rates.split(",") if rate.strip()]
    plan = RigPlan(amqp_url=amqp, gateways=gateways, replicas=replicas)
    asyncio.run(_bench(plan, wanted, duration, saturation=saturation, floor=floor, json=json, picture=plot))


async def _bench(
    plan: RigPlan,
    rates: list[float],
    duration_s: float,
    *,
    saturation: bool,
    floor: bool,
    json: Path | None,
    picture: Path | None,
) -> None:
    console = Console(stderr=True)
    rows, saturation_rate = await _measure(plan, rates, duration_s, console, saturation=saturation)
    floor_rows: list[Row] = []
    floor_saturation = 0.0
    if floor:
        bare = RigPlan(amqp_url=plan.amqp_url, floor=True)
        floor_rows, floor_saturation = await _measure(bare, rates, duration_s, console, saturation=saturation)
    out = Console(width=None if sys.stdout.isatty() else 160)
    out.print(report.rows_table(rows, "the whole system"))
    out.print(report.processes_table(rows))
    if floor_rows:
        out.print(report.rows_table(floor_rows, "floor: the bare skeleton of the hops"))
        out.print(report.processes_table(floor_rows))
    if saturation:
        ratio = f"; floor {floor_saturation:.0f}/s, ratio {saturation_rate / floor_saturation:.2f}" if floor_saturation else ""
        out.print(f"saturation: {saturation_rate:.0f} messages/s held (p99 < 3 s, nothing lost, at most 1 % fallback){ratio}")
    if json:
        # The run is over: nothing waits for the loop any more.
        json.write_bytes(report.to_json(rows, saturation_rate, floor_rows, floor_saturation))  # noqa: ASYNC240
    if picture:
        report.plot(rows, picture, console)
    if any(row.lost or row.errors for row in rows):
        raise typer.Exit(1)


async def _measure(
    plan: RigPlan, rates: list[float], duration_s: float, console: Console, *, saturation: bool
) -> tuple[list[Row], float]:
    """The rows of the given rates, then of rising ones until one is not held; and the highest that was."""
    what = "floor" if plan.floor else "system"
    async with open_rig(plan, lambda text: console.print(f"[dim]{what}: {text}[/dim]")) as rig:
        rows = [await _run(rig, rate, duration_s, console) for rate in rates]
        rate = max(rates)
        while saturation and rows[-1].sustained:
            rate *= _STEP
            rows.append(await _run(rig, round(rate), _SATURATION_S, console))
        return rows, max((row.rate for row in rows if row.sustained), default=0.0)


async def _run(rig: Rig, rate: float, duration_s: float, console: Console) -> Row:
    with console.status(f"{rate:g} messages/s") as status:

        def tell(elapsed_s: float, ledger: Ledger) -> None:
            status.update(f"{rate:g} messages/s: {elapsed_s:.0f} of {duration_s:.0f} s, {ledger.lost} on their way")

        row = await rig.run(rate, duration_s, tell)
    console.print(f"{rate:g}/s: p50 {row.p50_ms:.0f} ms, p99 {row.p99_ms:.0f} ms, lost {row.lost}, fallback {row.fallback}")
    return row
