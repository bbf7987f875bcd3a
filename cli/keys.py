"""Single key presses from a terminal; from a pipe, one character after the other."""

import sys
from types import TracebackType
from typing import Self, TextIO


class Keys:
    """`read` returns a lower-case key, or an empty string at the end of the input. The terminal is restored at the end."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdin
        self._before: list[object] | None = None

    def __enter__(self) -> Self:
        if self._stream.isatty():
            import termios
            import tty

            self._before = termios.tcgetattr(self._stream)
            tty.setcbreak(self._stream)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._before is not None:
            import termios

            termios.tcsetattr(self._stream, termios.TCSADRAIN, self._before)  # type: ignore[arg-type]  # what tcgetattr gave

    def read(self) -> str:
        """The next key that is not white space."""
        while key := self._stream.read(1):
            if not key.isspace():
                return key.lower()
        return ""
