"""Sub-commands that are imported only when they are called, and errors that end in one line instead of a traceback."""

# ruff: noqa: ANN401 - Typer gives the classes of its commands and contexts no public name

import importlib
import os
import sys
from collections.abc import Mapping
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup

EXIT_INPUT = 2
EXIT_FAILURE = 1
EXIT_BUG = 70
"""EX_SOFTWARE of sysexits.h: something nobody foresaw."""
TRACEBACK_VARIABLE = "PYLOTO_TRACEBACK"


class LazyCommand(TyperCommand):
    """Stands in the help for a command that is not imported yet; called, it hands over to the real one."""

    def __init__(self, name: str, target: str, summary: str) -> None:
        super().__init__(name, help=summary)
        self._target = target

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """The real command's context, so that its options are parsed and its help is shown."""
        return load(self._target).make_context(info_name, args, parent, **extra)


class LazyGroup(TyperGroup):
    """A group whose sub-class names its commands in `registry`: name → (module:attribute, one line of help)."""

    registry: ClassVar[Mapping[str, tuple[str, str]]] = {}

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, (target, summary) in self.registry.items():
            self.add_command(LazyCommand(name, target, summary), name)

    def invoke(self, ctx: Any) -> Any:
        """Run the sub-command; what it raises becomes one line and an exit code."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            code = _explained(error)
            if code is None:
                raise
            raise typer.Exit(code) from None


def load(target: str) -> Any:
    """The command at `module:attribute`: a Typer app as it is, a function as a command with its module's EPILOG."""
    module_name, _, attribute = target.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        print(f"pyloto: this command needs {error.name!r}, which is not installed here; run: make run", file=sys.stderr)
        raise typer.Exit(EXIT_FAILURE) from error
    found = getattr(module, attribute)
    if not isinstance(found, typer.Typer):
        single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        single.command(epilog=getattr(module, "EPILOG", None))(found)
        found = single
    return typer.main.get_command(found)


def _explained(error: Exception) -> int | None:
    """Print what went wrong; the exit code, or None for what Typer itself explains (usage errors, exits)."""
    from common import errors  # here, since it imports grpc, which the help need not wait for
    from common.process import EXIT_SETTING
    from guard.rulebook import InvalidRules

    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, errors.PylotoError):
        print(f"pyloto: {error}", file=sys.stderr)
        if isinstance(error, errors.InvalidSetting):
            return EXIT_SETTING
        return EXIT_INPUT if isinstance(error, errors.InvalidInput) else EXIT_FAILURE
    if isinstance(error, InvalidRules):
        print(f"pyloto: {error}", file=sys.stderr)
        return EXIT_SETTING
    if isinstance(error, BrokenPipeError) or type(error).__module__.startswith("typer."):
        return None
    if isinstance(error, OSError):
        print(f"pyloto: {error.strerror or error}{f': {error.filename}' if error.filename else ''}", file=sys.stderr)
        return EXIT_FAILURE
    if os.environ.get(TRACEBACK_VARIABLE):
        return None
    print(
        f"pyloto: a defect in pyloto itself: {type(error).__name__}: {error}\n"
        f"pyloto: run it again with {TRACEBACK_VARIABLE}=1 to see where, and report it",
        file=sys.stderr,
    )
    return EXIT_BUG
