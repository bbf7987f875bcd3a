"""The program of docs/calling-a-service.md, run as it stands there, on the embedded system."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.pyloto import PROGRAM

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 30.0


def test_the_program_of_the_guide_asks_one_whole_turn(tmp_path: Path) -> None:
    """It prints the state in which the conversation rests, and what was said."""
    guide = (ROOT / "docs/calling-a-service.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    (tmp_path / "ask.py").write_text(str(code), encoding="utf-8")

    with subprocess.Popen([PROGRAM, "up", "--json"], stdout=subprocess.PIPE, text=True) as system:
        assert system.stdout is not None
        addresses = {part["name"]: part["address"] for part in json.loads(system.stdout.readline())["running"]}
        asked = subprocess.run(
            [sys.executable, tmp_path / "ask.py", addresses["fsm"], addresses["response"], "vocês fazem entrega pra loja?"],
            env={"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )
        system.send_signal(signal.SIGTERM)

    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.startswith("STATE_AWAITING_USER Sim, isso é com a Pyloto Entrega")
