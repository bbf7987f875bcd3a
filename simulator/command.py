"""`pyloto simulate-llm`: the simulator as a process of its own."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from simulator.config import Fault, SimulatorConfig
from simulator.record import CallRecord
from simulator.server import serve

EPILOG = """Examples:

pyloto simulate-llm

pyloto simulate-llm --delay-ms 400 --task-delay response=900 --task-delay message_type=300

pyloto simulate-llm --delay-ms 600 --sigma 0.4 --fault rate_limit=0.05 --fault hang=0.01 --seed 7

pyloto simulate-llm --config simulator.json

curl -s -X POST localhost:8089/simulator/config -d '{"default": {"rates": {"server_error": 1}}}'

curl -s 'localhost:8089/simulator/stats?turns=true'

Task names are the names of the JSON schemas. Faults: """ + ", ".join(Fault)


def simulate_llm(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one and prints it.")] = 8089,
    delay_ms: Annotated[float, typer.Option(help="Delay of each call: the median, in milliseconds.")] = 0.0,
    sigma: Annotated[float, typer.Option(help="Spread of the log-normal delay; 0 for a fixed one.")] = 0.0,
    task_delay: Annotated[list[str] | None, typer.Option(metavar="TASK=MS", help="Delay of one task; may be repeated.")] = None,
    fault: Annotated[
        list[str] | None, typer.Option(metavar="FAULT=RATE", help="Share of calls with a fault; may be repeated.")
    ] = None,
    retry_after_ms: Annotated[int, typer.Option(help="What a 429 asks for, in milliseconds.")] = 1000,
    seed: Annotated[int, typer.Option(help="Repeats the same answers, delays and faults.")] = 0,
    api_key: Annotated[str, typer.Option(help="Refuse calls that do not carry this key.")] = "",
    plausible: Annotated[bool, typer.Option(help='Copy the values of a "hint" object in the prompt.')] = True,
    config: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="JSON file with the whole configuration; replaces the options."),
    ] = None,
    record: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Append one JSON line per finished call to this file.")
    ] = None,
) -> None:
    """Simulate an OpenAI-compatible LLM: any strict JSON schema gets a valid answer, with delays and faults as asked."""
    try:
        if config is not None:
            settings = SimulatorConfig.model_validate_json(config.read_bytes())
        else:
            rates = _pairs(fault, "--fault", "rate_limit=0.05")
            base = {"retry_after_ms": retry_after_ms, "rates": rates}
            settings = SimulatorConfig.model_validate(
                {
                    "seed": seed,
                    "api_key": api_key,
                    "plausible": plausible,
                    "default": base | {"delay": {"median_ms": delay_ms, "sigma": sigma}},
                    "tasks": {
                        task: base | {"delay": {"median_ms": median_ms, "sigma": sigma}}
                        for task, median_ms in _pairs(task_delay, "--task-delay", "response=900").items()
                    },
                }
            )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise typer.BadParameter(f"{where}: {first['msg']}") from error
    try:
        asyncio.run(serve(settings, host, port, CallRecord(record) if record else None))
    except OSError as error:
        raise typer.BadParameter(f"cannot listen on {host}:{port}: {error}") from error


def _pairs(values: list[str] | None, option: str, example: str) -> dict[str, float]:
    pairs: dict[str, float] = {}
    for value in values or []:
        name, _, number = value.rpartition("=")
        try:
            pairs[name] = float(number)
        except ValueError:
            name = ""
        if not name:
            raise typer.BadParameter(f"{option}: expected a pair such as {example}, got {value!r}")
    return pairs
