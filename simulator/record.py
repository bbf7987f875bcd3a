"""A file with one line per finished call, which survives the simulator being killed; the counts in memory do not."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One finished call; `outcome` as in `Stats.outcomes`, times in seconds since the epoch."""

    turn: str
    task: str
    outcome: str
    from_s: float
    to_s: float


class CallRecord:
    """Appends to the file; each line is with the operating system before the next call ends."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def add(self, turn: str, task: str, outcome: str, from_s: float) -> None:
        """A call that came in at `from_s` is over."""
        line = {"turn": turn, "task": task, "outcome": outcome, "from_s": from_s, "to_s": time.time()}
        os.write(self._file, orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


def recorded_calls(path: Path) -> Iterator[RecordedCall]:
    """The calls in the file, in the order in which they ended."""
    with path.open("rb") as lines:
        for line in lines:
            yield RecordedCall(**orjson.loads(line))
