"""The `pyloto` command: the list of its sub-commands, each imported only when it is called."""

from collections.abc import Mapping
from typing import ClassVar

import typer

from cli.lazy import LazyGroup

EPILOG = """Examples:

pyloto demo                                  watch a few conversations being answered

pyloto chat                                  write to the assistant yourself

pyloto up --amqp amqp://guest:guest@127.0.0.1:5672/   everything else embedded, on your RabbitMQ

pyloto COMMAND --help                        what a command takes, with examples
"""

COMMANDS = {
    "demo": ("cli.demo:app", "Start everything embedded and play a scripted conversation."),
    "chat": ("cli.chat:app", "Write to the assistant from the terminal."),
    "up": ("cli.up:app", "Start everything, keep it running, say where it is."),
    "send": ("cli.send:app", "Publish messages from JSON lines; print the answers."),
    "trace": ("cli.trace:app", "Show what happened in a conversation, and why."),
    "waiting": ("cli.waiting:app", "Who waits for a person, the longest first."),
    "resolve": ("cli.resolve:app", "End a hand-off: close the conversation or hand it back to the bot."),
    "review": ("cli.review:app", "Blocked, doubtful and handed-over turns, for product people."),
    "context": ("cli.context:app", "Check the institution's documents."),
    "dead-letters": ("cli.dead_letters:app", "List, show and replay messages that could not be handled."),
    "exam": ("cli.exam:exam", "Measure understanding and guard on labelled examples."),
    "bench": ("bench.command:bench", "Load and cost benchmarks."),
    "chaos": ("bench.chaos.command:chaos", "Kill, freeze and cut things while messages flow."),
    "simulate-llm": ("simulator.command:simulate_llm", "Run a simulated LLM with delays and faults."),
}
"""Name → where it is (a Typer app or a function; the module's EPILOG holds the examples), and one line for the help."""


class Commands(LazyGroup):
    """All of them."""

    registry: ClassVar[Mapping[str, tuple[str, str]]] = COMMANDS


app = typer.Typer(cls=Commands, epilog=EPILOG, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def pyloto() -> None:
    """Pyloto's customer attendance: a WhatsApp message in, one correct and safe answer out."""


def main() -> None:
    """The console script."""
    app(prog_name="pyloto")
