"""What the commands share towards the terminal: two consoles, quiet logs, and JSON for machines."""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

import structlog
from rich.console import Console

out = Console(highlight=False, soft_wrap=False)
"""Results: colours on a terminal only."""
err = Console(stderr=True, highlight=False)
"""Progress, hints and errors."""


def tell(text: str) -> None:
    """One line about what is going on; not part of the result."""
    err.print(text, style="dim", markup=False, soft_wrap=True)


def print_json(value: Mapping[str, object]) -> None:
    """One line of JSON on stdout, at once, for a reader at the other end of a pipe."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def quiet_logs() -> None:
    """Keep the libraries' log lines off the terminal: what a command has to say it says itself."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.CRITICAL, stream=sys.stderr)


def clock(at_ms: int) -> str:
    """Local time of day with milliseconds."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().strftime("%H:%M:%S.%f")[:-3]


def moment(at_ms: int) -> str:
    """Local date and time."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
