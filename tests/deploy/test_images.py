"""Each image holds its service's dependencies and code and no others, and its service starts with them."""

import importlib.metadata
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deploy.images import ROOT, copied, dockerfile, extras_by_service

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

IMPORT_ALONE = """
import importlib, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in ABSENT:
            raise ModuleNotFoundError(f"{top!r} is not in this image", name=name)

ABSENT = frozenset(sys.argv[2].split(","))
sys.meta_path.insert(0, Absent())
importlib.import_module(sys.argv[1] + ".__main__")
"""


def requirements(extras: tuple[str, ...]) -> list[str]:
    """What pyproject.toml asks for, for a set of extras."""
    return [*PROJECT["dependencies"], *(each for extra in extras for each in PROJECT["optional-dependencies"][extra])]


def distributions(extras: tuple[str, ...]) -> set[str]:
    """The distributions that pip would install, by following what each one requires."""
    found: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(each) for each in requirements(extras)]
    while waiting:
        wanted = waiting.pop()
        key = (canonicalize_name(wanted.name), frozenset(wanted.extras))
        if key in found:
            continue
        found.add(key)
        for line in importlib.metadata.requires(wanted.name) or ():
            needed = Requirement(line)
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in ("", *wanted.extras)):
                waiting.append(needed)
    return {name for name, _ in found}


def absent_modules(service: str, extras: tuple[str, ...]) -> set[str]:
    """Top-level modules that are installed here and would not be in the image: foreign ones, and packages of ours."""
    present = distributions(extras)
    foreign = {
        module
        for module, owners in importlib.metadata.packages_distributions().items()
        if not any(canonicalize_name(owner) in present | {"pyloto"} for owner in owners)
    }
    ours = {path.parent.name for path in ROOT.glob("*/__init__.py")} | {"tests"}
    return foreign | (ours - {source.replace("${SERVICE}", service) for source in copied()})


@pytest.mark.parametrize("service", extras_by_service())
def test_a_service_starts_with_what_its_image_holds(service: str) -> None:
    """Its main module is imported where everything else cannot be."""
    absent = absent_modules(service, extras_by_service()[service])
    assert "pytest" in absent

    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALONE, service, ",".join(sorted(absent))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-1500:]


def test_the_services_of_the_dockerfile_are_the_packages_that_can_be_run() -> None:
    """The five services and the simulator."""
    runnable = {path.parent.name for path in ROOT.glob("*/__main__.py")} - {"cli", "bench"}

    assert set(extras_by_service()) == runnable


def test_what_the_dockerfile_copies_exists_and_is_let_through() -> None:
    """And .dockerignore keeps everything else out of the build."""
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    sources = {each.replace("${SERVICE}", service) for each in copied() for service in extras_by_service()}

    assert all((ROOT / source).exists() for source in sources)
    assert sources == allowed


def test_the_images_are_pinned_run_unprivileged_and_are_checked() -> None:
    """Python as stated, versions from the lock file, a user without rights, a health check, no tools for development."""
    text = dockerfile()

    assert {line.split()[1] for line in text.splitlines() if line.startswith("FROM ")} == {"python:3.11-slim"}
    assert "-c requirements.lock" in text
    assert "ca-certificates" in text
    assert "\nUSER 10001\n" in text
    assert "common.health_probe" in text
    assert {extra for extras in extras_by_service().values() for extra in extras} <= {"gateway", "llm", "cli"}
