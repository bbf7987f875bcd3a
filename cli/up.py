"""`pyloto up`: everything that answers customers, started, watched and stopped from one terminal."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from cli.connection import gateway_settings, rabbitmq
from cli.system import System, Wanted, bring_up
from cli.terminal import err, out, print_json, quiet_logs, tell
from common.errors import InvalidSetting
from common.serving import stop_signal
from gateway.broker_rabbitmq import SPREAD_ADVICE

EPILOG = """Examples:

pyloto up                                               everything embedded; data is gone when it stops

pyloto up --data-dir ./pyloto-data                      the same, data and logs are kept

pyloto up --amqp amqp://guest:guest@127.0.0.1:5672/ --gateways 2 --replicas 2

pyloto up --amqp … --mongodb mongodb://db/ --llm http://127.0.0.1:8089/v1

FSM_LISTEN=127.0.0.1:50051 pyloto up                    a port of your choice; so for the other …_LISTEN

kill -9 PID of any row: it is started again, and nothing accepted is lost
"""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(epilog=EPILOG)
def up(
    amqp: Annotated[str, typer.Option(metavar="URL", help="Use this RabbitMQ instead of the broker in memory.")] = "",
    mongodb: Annotated[str, typer.Option(metavar="URL", help="Use this MongoDB instead of the embedded store.")] = "",
    llm: Annotated[str, typer.Option(metavar="URL", help="Use this OpenAI-compatible LLM (key in LLM_API_KEY).")] = "",
    data_dir: Annotated[
        Path | None, typer.Option(help="Where data and logs go; without it a scratch folder that is deleted at the end.")
    ] = None,
    gateways: Annotated[int, typer.Option(min=1, max=64, help="Gateway processes; more than one needs --amqp.")] = 1,
    replicas: Annotated[int, typer.Option(min=1, max=64, help="Processes of each of the three LLM services.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print what runs where as one JSON object.")] = False,
) -> None:
    """Start everything, keep it running, and say where it is; Ctrl-C or SIGTERM stops it in order."""
    if gateways > 1 and not amqp:
        raise typer.BadParameter("more than one gateway needs a broker they share: give --amqp URL", param_hint="--gateways")
    if amqp:
        gateway_settings(amqp)
    if mongodb and not mongodb.startswith(("mongodb://", "mongodb+srv://")):
        raise InvalidSetting("--mongodb: expected mongodb://host:port, or mongodb+srv://host")
    if llm and not llm.startswith(("http://", "https://")):
        raise InvalidSetting(f"--llm: expected a base URL such as http://127.0.0.1:8089/v1, got {llm!r}")
    wanted = Wanted(amqp_url=amqp, mongodb_url=mongodb, llm_url=llm, data_dir=data_dir, gateways=gateways, replicas=replicas)
    asyncio.run(_run(wanted, as_json=as_json))


async def _run(wanted: Wanted, *, as_json: bool) -> None:
    stopping = stop_signal()
    if wanted.amqp_url:
        await _check_broker(wanted.amqp_url)
    async with bring_up(wanted, tell) as system:
        _describe_json(system, wanted) if as_json else _describe(system, wanted)
        async with asyncio.TaskGroup() as tasks:
            supervisor = tasks.create_task(system.supervise(_warn))
            await stopping.wait()
            supervisor.cancel()
        tell("stopping: running turns are finished first")
    tell("stopped")


async def _check_broker(amqp_url: str) -> None:
    """A broker that is away, refuses us or lacks a plugin is said now, not by a gateway that does not come up."""
    quiet_logs()
    async with rabbitmq(gateway_settings(amqp_url)) as broker:
        if not broker.steady:
            _warn(f"warning: after a restart of this broker conversations change partitions; {SPREAD_ADVICE}")


def _warn(text: str) -> None:
    err.print(text, style="yellow", markup=False, soft_wrap=True)


def _rows(system: System, wanted: Wanted) -> list[tuple[str, str, str, str]]:
    """Name, pid, address and log file of what runs."""
    rows = [
        (child.name, str(child.pid), f"127.0.0.1:{child.program.port}", str(child.log_path))
        for child in system.children.values()
    ]
    if not wanted.amqp_url:
        rows.append(("gateway", f"{os.getpid()}", "in memory", str(system.folder / "gateway.log")))
    return rows


def _describe(system: System, wanted: Wanted) -> None:
    table = Table(title="Pyloto is up", title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("name", "pid", "address", "log file"):
        table.add_column(heading, overflow="fold")
    for name, pid, address, log in _rows(system, wanted):
        table.add_row(name, pid, address, Path(log).name)
    out.print(table)
    out.print(f"The log files are in {system.folder}", markup=False, soft_wrap=True)
    for line in _next_steps(system, wanted):
        out.print(line, soft_wrap=True)
    out.print("Ctrl-C stops everything in order.")


def _next_steps(system: System, wanted: Wanted) -> list[str]:
    """What can be done with it from another terminal."""
    mongodb = _shown(system.mongodb_url)
    reading = [
        _command(f"pyloto trace CONVERSATION --fsm {system.address('fsm')} --mongodb {mongodb}"),
        _command(f"pyloto review --mongodb {mongodb}"),
        _command(f"pyloto waiting --mongodb {mongodb}"),
        _command(f"pyloto resolve CONVERSATION --hand-back --attendant NAME --fsm {system.address('fsm')}"),
    ]
    if wanted.amqp_url:
        return [
            "Next, from another terminal, with the same URL as here:",
            _command("pyloto chat --amqp URL"),
            _command("pyloto send --amqp URL --wait messages.jsonl"),
            _command("pyloto dead-letters list --amqp URL"),
            *reading,
        ]
    return [
        "The broker in memory lives in this process; `pyloto chat` and `pyloto send` bring up a system of their own.",
        "To write to this one from elsewhere, start it with --amqp URL. From another terminal:",
        *reading,
    ]


def _command(text: str) -> str:
    return f"  [bold]{escape(text)}[/bold]"


def _shown(mongodb_url: str) -> str:
    """Without a password."""
    scheme, _, rest = mongodb_url.partition("://")
    return f"{scheme}://…@{rest.rpartition('@')[2]}" if "@" in rest else mongodb_url


def _describe_json(system: System, wanted: Wanted) -> None:
    keys = ("name", "pid", "address", "log")
    print_json(
        {
            "running": [dict(zip(keys, row, strict=True)) for row in _rows(system, wanted)],
            "fsm": system.address("fsm"),
            "mongodb": _shown(system.mongodb_url),
            "folder": str(system.folder),
        }
    )
