"""`pyloto context check`: what product people see before they publish an edit."""

import json
import shutil
from pathlib import Path

import pytest

from context_service.parse import DOCUMENTS
from tests.cli.pyloto import invoke


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """A copy that may be edited."""
    return Path(shutil.copytree(DOCUMENTS, tmp_path / "docs"))


def test_the_shipped_documents_are_fine() -> None:
    """With version and counts; the example addresses are warned about."""
    result = invoke("context", "check")

    assert result.exit_code == 0
    assert "OK: versão" in result.output
    assert "6 princípios, 4 vertentes" in result.output
    assert "pyloto.example" in result.stderr


def test_a_price_in_an_answer_is_named_with_its_line(documents: Path) -> None:
    """Exit 1, file and line, and why, in Portuguese."""
    file = documents / "contexto_llm" / "doc.md"
    lines = file.read_text(encoding="utf-8").splitlines()
    number = next(at for at, line in enumerate(lines, 1) if "Otto, a inteligência artificial da Pyloto" in line)
    lines[number - 1] += " O plano custa R$ 99 por mês."
    file.write_text("\n".join(lines), encoding="utf-8")

    result = invoke("context", "check", str(documents))

    assert result.exit_code == 1
    assert f"contexto_llm/doc.md:{number}: texto bloqueado" in result.output


def test_problems_for_machines(documents: Path) -> None:
    """The same as JSON."""
    (documents / "vertentes.md").unlink()

    result = invoke("context", "check", str(documents), "--json")

    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report["ok"] is False
    assert {"vertentes.md"} <= {problem["file"] for problem in report["problems"]}


def test_show_gives_the_answer_without_a_model() -> None:
    """And says when a person takes over."""
    result = invoke("context", "show", "preco")

    assert result.exit_code == 0
    assert "COMERCIAL" in result.output
    assert "uma pessoa assume" in result.output
