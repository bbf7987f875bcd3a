"""What is logged while turns are answered: nothing that names a person, and the turn's id on every line."""

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from tests.integration.logged_turns import CONFIGS, CPF, EMAIL, NAME, PHONE

OF_NO_TURN = {"serving", "stopped", "context in use", "context loaded", "message set aside"}


@pytest.fixture(scope="module")
def log() -> list[str]:
    """The JSON lines of every component, for several conversations."""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "tests.integration.logged_turns"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_turns_were_logged(log: list[str]) -> None:
    """The other tests here look at something."""
    events = [orjson.loads(line)["event"] for line in log]

    assert events.count("turn answered") == 2 * len(CONFIGS)
    assert {"illegal proposal refused", "message set aside"} <= set(events)


@pytest.mark.parametrize("personal", [PHONE, "98765", CPF, "123456789", EMAIL, "ana.maria", NAME, "Quitéria", "zona sul"])
def test_no_line_holds_personal_data(log: list[str], personal: str) -> None:
    """In whichever field it came, and whatever went wrong."""
    assert [line for line in log if personal in line] == []


def test_each_line_of_a_turn_has_its_correlation_id(log: list[str]) -> None:
    """In the gateway, the services and the model's client alike."""
    lines = [orjson.loads(line) for line in log]

    without = [line for line in lines if not str(line.get("correlation_id", "")).startswith("turn-")]

    assert {line["event"] for line in without} <= OF_NO_TURN
