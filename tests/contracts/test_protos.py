"""The contracts: generated code is up to date, everything is explained, and buf's rules hold."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from protos import generate

FILES = sorted((generate.ROOT / "protos").rglob("*.proto"))
_NAMED = re.compile(r"^\s*(?:service|rpc|message|enum)\s+(\w+)|^\s*(?:repeated |optional )?[\w.<>, ]+\s+(\w+) = \d+")


def unexplained(text: str) -> list[str]:
    """Services, RPCs, messages, enums, fields and values without a comment in the line above or behind them."""
    lines = text.splitlines()
    named = [(number, match.group(1) or match.group(2)) for number, line in enumerate(lines) if (match := _NAMED.match(line))]
    return [name for number, name in named if "//" not in lines[number] and not lines[number - 1].lstrip().startswith("//")]


def test_there_are_contracts() -> None:
    """The other tests here look at something."""
    assert {path.stem for path in FILES} >= {"conversation", "messages", "fsm", "response", "msgtype", "context"}


def test_the_generated_code_is_up_to_date() -> None:
    """Whoever edits a .proto runs `python -m protos.generate`."""
    assert generate.stale() == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_everything_in_a_contract_has_a_comment(path: Path) -> None:
    """Effect, what empty means, which error."""
    assert unexplained(path.read_text(encoding="utf-8")) == []


def test_what_lacks_a_comment_is_found() -> None:
    """This check can fail."""
    service = "// A service.\nservice S {\n  rpc Bare(A) returns (B);\n}\n"
    message = "message M {\n  // Explained.\n  int32 a = 1;\n  map<string, string> b = 2;\n}\n"

    assert unexplained(service + message) == ["Bare", "M", "b"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_package_is_the_path(path: Path) -> None:
    """So that `from protos.fsm.v1 import fsm_pb2` is the whole truth."""
    package = ".".join(path.relative_to(generate.ROOT).parent.parts)

    assert f"package {package};" in path.read_text(encoding="utf-8")


def test_buf_finds_nothing() -> None:
    """The STANDARD rules."""
    buf = os.environ.get("BUF") or shutil.which("buf")
    if not buf:
        pytest.skip("buf is not installed: put it on PATH, or name it in BUF")

    done = subprocess.run([buf, "lint"], cwd=generate.ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
