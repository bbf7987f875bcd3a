"""The system under faults, for real: the command's short form and its two scenarios, by their own ledgers."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rabbitmq import private_node

pytestmark = pytest.mark.chaos

NONE = ("lost", "duplicates", "out_of_order", "illegal_transitions", "forks", "unguarded")


def run(folder: Path, *options: str) -> dict[str, object]:
    """The command's figures; fails with its whole output when the promise was broken."""
    private_node()  # skips where there is no RabbitMQ to start
    figures = folder / "figures.json"
    command = [sys.executable, "-m", "bench.chaos", *options, "--json", str(figures)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(figures.read_text())
    assert isinstance(found, dict)
    return found


def test_whatever_is_broken_each_message_comes_to_its_one_end(tmp_path: Path) -> None:
    """The short form: nothing lost, answered twice, out of order, forked, said unguarded, or late without a reason."""
    found = run(tmp_path, "--messages", "1500")

    assert {name: found[name] for name in NONE} == dict.fromkeys(NONE, 0)
    assert (
        found["accepted"]
        == 1500
        == int(str(found["answered"])) + int(str(found["escalated"])) + int(str(found["dead_lettered"]))
    )
    assert found["extra_llm_calls"] == found["extra_llm_calls_explained"]
    assert found["late"] == found["late_explained"]
    assert found["kills"]


def test_without_a_usable_model_every_answer_is_in_time(tmp_path: Path) -> None:
    """Hung, slow, talking rubbish, failing; and the circuits close by themselves afterwards."""
    found = run(tmp_path, "--scenario", "deadline", "--messages", "240", "--rate", "10")

    assert found["lost"] == 0
    assert found["breakers_closed"]


def test_a_rolling_restart_costs_nothing(tmp_path: Path) -> None:
    """Every process by SIGTERM under load, then the broker: no error, no loss, in order."""
    found = run(tmp_path, "--scenario", "rollout", "--rate", "10")

    assert {name: found[name] for name in NONE} == dict.fromkeys(NONE, 0)
    assert found["resumed"] == 0
    assert found["consumers_returned"]


def test_more_than_can_be_answered_waits_and_is_answered(tmp_path: Path) -> None:
    """Queues that are short enough to fill: the publishers are refused, repeat, and everything is answered once, in order."""
    found = run(tmp_path, "--scenario", "backpressure", "--seconds", "25", "--queue-limit", "40")

    assert {name: found[name] for name in NONE} == dict.fromkeys(NONE, 0)
    assert int(str(found["refusals"])) > 0
    assert found["drained_s"] is not None
    assert found["silent"] == []
