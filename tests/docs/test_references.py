"""Whatever a page names exists: files, functions, links, commands' modules and variables."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from cli.lazy import load
from cli.main import COMMANDS
from tests.deploy.env_example import FILE as ENV_EXAMPLE

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = sorted(path.parent for path in ROOT.glob("*/__init__.py"))
PAGES = sorted(
    [*ROOT.glob("docs/**/*.md"), *(each / "README.md" for each in PACKAGES), ROOT / "README.md", ROOT / "CHANGELOG.md"]
)

NAMED = re.compile(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|proto|toml|yaml|yml|json|md|sh))::?([\w.]*)`")
FILE = re.compile(r"`((?:[\w.-]+/)+[\w.-]*)`")
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)(?:#[^)]*)?\)")
VARIABLE = re.compile(r"`((?:GATEWAY|FSM|RESPONSE|MSGTYPE|CONTEXT|LLM|MONGODB|AMQP|GRPC|METRICS|OTEL|LOG)_[A-Z0-9_]+)[`=]")
COMMAND = re.compile(r"(?:^|`|\| )pyloto ([a-z][a-z-]+)([^`\n]*)", re.MULTILINE)
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
MODULE = re.compile(r"python -m ([a-z_]+(?:\.[a-z_]+)*)")

# Names that a guide invents for its example.
INVENTED = ("sentiment_service/", "protos/sentiment/", "tests/sentiment_service/")


@cache
def defined(path: Path) -> frozenset[str]:
    """Functions, classes, methods and module constants of a file, methods as Class.method."""
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {
                f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
            }
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return frozenset(names)


def pages() -> list[object]:
    """Every page, by its path."""
    return [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES]


@pytest.mark.parametrize("page", pages())
def test_every_function_that_is_named_exists(page: Path) -> None:
    """As `path::name`."""
    missing = [
        f"{path}::{name}"
        for path, name in NAMED.findall(page.read_text(encoding="utf-8"))
        if name and name not in defined(ROOT / path)
    ]

    assert missing == []


@pytest.mark.parametrize("page", pages())
def test_every_path_that_is_named_exists(page: Path) -> None:
    """From the root of the repository, from the page's folder, or from the documents' folder."""
    text = page.read_text(encoding="utf-8")
    paths = {path for path, _ in NAMED.findall(text)} | set(FILE.findall(text))

    missing = [path for path in paths if not path.startswith(INVENTED) and not _exists(path, page)]
    assert missing == []


@pytest.mark.parametrize("page", pages())
def test_every_link_leads_somewhere(page: Path) -> None:
    """Inside the repository."""
    links = LINK.findall(page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", pages())
def test_every_variable_and_module_that_is_named_exists(page: Path) -> None:
    """A reader would set it, or run it, in vain."""
    text = page.read_text(encoding="utf-8")
    known = set(re.findall(r"^#([A-Z0-9_]+)=", ENV_EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE))

    variables = [name for name in VARIABLE.findall(text) if name.removesuffix("_FILE") not in known and name not in known]
    modules = [name for name in MODULE.findall(text) if name != "venv" and not _is_module(name)]
    assert (variables, modules) == ([], [])


@pytest.mark.parametrize("page", pages())
def test_every_command_that_is_named_exists(page: Path) -> None:
    """With `pyloto` in front of it, and every option that stands behind it."""
    unknown = []
    for command, rest in COMMAND.findall(page.read_text(encoding="utf-8")):
        if command not in COMMANDS:
            unknown.append(command)
            continue
        unknown += [f"{command} {option}" for option in OPTION.findall(rest) if option not in options_of(command)]

    assert unknown == []


@cache
def options_of(command: str) -> frozenset[str]:
    """Every option of a command and of its sub-commands."""
    top = load(COMMANDS[command][0])
    each_command = [top, *getattr(top, "commands", {}).values()]
    params = [param for each in each_command for param in each.params]
    return frozenset({"--help", *(option for param in params for option in (*param.opts, *param.secondary_opts))})


def _exists(path: str, page: Path) -> bool:
    # The institution's documents are named from their own folder.
    return any((folder / path).exists() for folder in (ROOT, page.parent, ROOT / "context_service/institutional"))


def _is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").exists() or (path / "__main__.py").exists()
