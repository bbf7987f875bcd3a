"""What the Dockerfile builds, read from it: services, their extras and the folders they get."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_CASE = re.compile(r'^\s+([a-z_|]+)\) extras="(?:\[([a-z,]*)\])?" ;;', re.MULTILINE)
_COPY = re.compile(r"^COPY (?!--from)(.+)$", re.MULTILINE)


def dockerfile() -> str:
    """Its text."""
    return (ROOT / "Dockerfile").read_text(encoding="utf-8")


def extras_by_service() -> dict[str, tuple[str, ...]]:
    """The extras of pyproject.toml that each value of SERVICE installs."""
    return {
        service: tuple(extra for extra in extras.split(",") if extra)
        for services, extras in _CASE.findall(dockerfile())
        for service in services.split("|")
    }


def copied() -> list[str]:
    """What is copied from the repository; `${SERVICE}` stands for the service's folder."""
    return [source for line in _COPY.findall(dockerfile()) for source in line.split()[:-1]]
