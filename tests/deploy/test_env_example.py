""".env.example names every variable of every settings class, with its default."""

import re

import pytest

from common.settings import Settings, misspelt
from tests.deploy.env_example import FILE, render, settings_classes

VARIABLE = re.compile(r"^#([A-Z0-9_]+)=", re.MULTILINE)


def test_the_file_is_what_the_settings_classes_say() -> None:
    """After a change of settings: `python -m tests.deploy.env_example`."""
    assert FILE.read_text(encoding="utf-8") == render()


def test_every_field_of_every_settings_class_is_in_it() -> None:
    """By the same names that the process reads."""
    fields = {name.upper() for settings in settings_classes() for name in settings.model_fields}

    assert fields <= set(VARIABLE.findall(FILE.read_text(encoding="utf-8")))


def test_no_variable_is_there_twice() -> None:
    """One place to change it."""
    names = VARIABLE.findall(FILE.read_text(encoding="utf-8"))

    assert len(names) == len(set(names))


def test_no_variable_of_one_process_looks_like_a_misspelt_one_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """All processes may share one .env."""
    for name in VARIABLE.findall(FILE.read_text(encoding="utf-8")):
        monkeypatch.setenv(name, "x")

    assert {settings.__name__: misspelt(settings.model_construct()) for settings in settings_classes()} == {
        settings.__name__: {} for settings in settings_classes()
    }


def test_every_field_is_explained() -> None:
    """A docstring line below each."""
    unexplained = [
        f"{settings.__name__}.{name}"
        for settings in settings_classes()
        for name, field in settings.model_fields.items()
        if not field.description
    ]

    assert unexplained == []
    assert Settings.model_fields["log_level"].description
