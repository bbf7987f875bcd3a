"""`pyloto simulate-llm` as its users meet it: a process that listens, says where, and stops on SIGTERM."""

import re
import signal
import subprocess
import sys
import urllib.request

import pytest
from typer.testing import CliRunner

from simulator.__main__ import app


def test_the_process_listens_and_stops_on_sigterm() -> None:
    """The first line names the base URL; SIGTERM ends it with 0 and no traceback."""
    command = [sys.executable, "-m", "simulator", "--port", "0", "--task-delay", "response=1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base_url = re.search(r"http\S+/v1", process.stdout.readline())
        assert base_url is not None

        with urllib.request.urlopen(base_url[0] + "/models", timeout=5) as response:
            assert response.status == 200
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=5)

        assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fault", "rate_limit"], "--fault: expected a pair"),
        (["--fault", "rate_limits=0.1"], "rate_limits"),
        (["--fault", "hang=2"], "at most 1"),
        (["--task-delay", "response=slow"], "--task-delay"),
    ],
)
def test_a_wrong_option_is_named(arguments: list[str], said: str) -> None:
    """Exit 2 with what is expected."""
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "300", "NO_COLOR": "1"})

    assert result.exit_code == 2
    assert said in result.output


def test_help_shows_examples() -> None:
    """A stranger can copy a line from it."""
    result = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})

    assert "pyloto simulate-llm --delay-ms 600" in result.output
    assert "invented_enum" in result.output
