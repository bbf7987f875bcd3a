"""What a stranger meets first: the list of commands, each one's help, and errors that say what to do."""

import subprocess
import sys

import pytest
import typer

from cli import lazy
from cli.main import COMMANDS
from tests.cli.pyloto import invoke

OWN = ["demo", "chat", "up", "send", "trace", "resolve", "review", "simulate-llm"]
NESTED = [
    ["context", "check"],
    ["context", "show"],
    ["dead-letters", "list"],
    ["dead-letters", "show"],
    ["dead-letters", "replay"],
    ["dead-letters", "discard"],
]


def test_the_list_names_every_command_with_one_line() -> None:
    """Also those that live in other packages."""
    result = invoke("--help")

    assert result.exit_code == 0
    for name, (_, summary) in COMMANDS.items():
        assert name in result.output
        assert summary in result.output


@pytest.mark.parametrize("command", [*([name] for name in OWN), *NESTED], ids=" ".join)
def test_each_command_shows_examples(command: list[str]) -> None:
    """A line to copy, with the command's own name in it."""
    result = invoke(*command, "--help")

    assert result.exit_code == 0
    assert "Examples" in result.output
    assert f"pyloto {' '.join(command)}" in result.output.partition("Examples")[2]


def test_the_list_is_shown_without_importing_the_commands() -> None:
    """So `pyloto --help` does not wait for gRPC, MongoDB or the LLM's client."""
    script = (
        "import sys; from cli.main import app\n"
        "try: app(['--help'])\nexcept SystemExit: pass\n"
        "print([name for name in ('grpc', 'motor', 'openai', 'aio_pika', 'pydantic') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"


def test_a_mistyped_command_is_answered_with_the_near_one() -> None:
    """Exit 2, and what was probably meant."""
    result = invoke("dead-leters")

    assert result.exit_code == 2
    assert "dead-letters" in result.output


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["up", "--amqp", "localhost:5672"], 78, "--amqp: expected amqp://"),
        (["up", "--mongodb", "localhost"], 78, "--mongodb: expected mongodb://"),
        (["up", "--llm", "localhost"], 78, "--llm: expected a base URL"),
        (["up", "--gateways", "2"], 2, "--amqp URL"),
        (["demo", "--simulate-llm", "--llm", "http://x"], 2, "exclude each other"),
        (["chat", "--amqp", "http://x"], 78, "--amqp: expected amqp://"),
        (["dead-letters", "replay"], 2, "give the id of one dead letter, or --all"),
        (["dead-letters", "discard", "x"], 2, "--yes: is required"),
        (["dead-letters", "replay", "x", "--all"], 2, "give the id of one dead letter, or --all"),
        (["dead-letters", "list", "--amqp", "x"], 78, "--amqp"),
        (["resolve", "c1", "--attendant", "ana"], 2, "exactly one of them"),
        (
            ["resolve", "c1", "--close", "--attendant", "ana", "--fsm", "127.0.0.1:1"],
            1,
            "no FSM service answers at 127.0.0.1:1",
        ),
        (["trace", "c1", "--mongodb", "x"], 78, "--mongodb: expected mongodb://"),
        (["review", "--mongodb", "mongodb://127.0.0.1:1"], 1, "is --mongodb right?"),
        (["context", "show", "PRECOS"], 2, "'PRECO'"),
        (["send", "nowhere.jsonl"], 2, "nowhere.jsonl"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_value_ends_in_one_line(arguments: list[str], code: int, said: str) -> None:
    """With the option's name and what is expected, never a traceback."""
    result = invoke(*arguments)

    assert result.exit_code == code
    assert said in result.output
    assert "Traceback" not in result.output


def test_a_password_in_a_wrong_url_is_not_shown() -> None:
    """A URL of the wrong kind is named by its scheme alone."""
    result = invoke("chat", "--amqp", "http://user:geheim@host/")

    assert result.exit_code == 78
    assert "geheim" not in result.output


def test_a_command_of_a_package_that_is_not_there_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """An image holds only what it needs."""
    with pytest.raises(typer.Exit) as ended:
        lazy.load("no_such_package.command:run")

    assert ended.value.exit_code == 1
    assert "'no_such_package'" in capsys.readouterr().err
