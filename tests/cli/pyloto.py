"""Runs the `pyloto` command as its users do: in this process for what needs no system, as a process for the rest."""

import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner, Result

from cli.main import app

PROGRAM = str(Path(sys.executable).with_name("pyloto"))


def invoke(*arguments: str, stdin: str | None = None) -> Result:
    """The result of a call in this process, on a wide terminal without colours."""
    return CliRunner().invoke(
        app, list(arguments), input=stdin, env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}, prog_name="pyloto"
    )


def run(*arguments: str, stdin: str = "", timeout_s: float = 60.0) -> subprocess.CompletedProcess[str]:
    """The ended process."""
    return subprocess.run([PROGRAM, *arguments], input=stdin, capture_output=True, text=True, timeout=timeout_s, check=False)
