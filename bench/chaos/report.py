"""The ledger as a table for people, and what every scenario shows."""

from collections.abc import Sequence
from typing import Protocol

from rich.console import Console
from rich.table import Table

from bench.chaos.ledger import Ledger

_SHOWN = 20

_ROWS = (
    ("accepted", "messages whose publish the broker confirmed"),
    ("answered", "a reply"),
    ("escalated", "a hand-off to a person was published"),
    ("with_person", "  of which silent: a person has the conversation, the message was forwarded"),
    ("dead_lettered", "set aside with a reason"),
    ("lost", "none of these"),
    ("duplicates_before_dedupe", "replies published again with the same reply id"),
    ("duplicates", "messages answered under two reply ids"),
    ("out_of_order", "answered after a later message of the conversation"),
    ("illegal_transitions", "stored moves that the table lacks, or that do not join"),
    ("forks", "turns or writes that contradict one another"),
    ("unguarded", "replies with a price, an offer, a promise"),
    ("llm_calls", "calls that the provider answered"),
    ("llm_calls_per_message", "  per accepted message"),
    ("extra_llm_calls", "more than one for a turn and task"),
    ("extra_llm_calls_explained", "  of which a fault fell into them"),
    ("fallback", "replies with a part from the deterministic path"),
    ("late", "answers after more than 3 s"),
    ("late_explained", "  of which while store, broker or the gateway was broken, or flooded"),
    ("latest_s", "  the latest, seconds"),
    ("latest_unexplained_s", "  the latest without such a reason, seconds"),
)


class Outcome(Protocol):
    """What a scenario comes to."""

    @property
    def breaches(self) -> tuple[str, ...]:
        """A line for each way in which the promise was broken."""

    def show(self, console: Console) -> None:
        """For people."""

    def figures(self) -> dict[str, object]:
        """For machines: JSON values."""


def show_ledger(found: Ledger, title: str, console: Console) -> None:
    """The figures, and what was broken how often."""
    table = Table(title=title, title_justify="left")
    table.add_column("")
    table.add_column("count", justify="right")
    table.add_column("what")
    for name, what in _ROWS:
        table.add_row(name, f"{getattr(found, name):g}", what)
    console.print(table)
    if found.faults:
        console.print("faults: " + ", ".join(f"{name} ×{count}" for name, count in found.faults.items()), soft_wrap=True)


def show_breaches(breaches: Sequence[str], console: Console) -> None:
    """The first of them, and the verdict."""
    for breach in breaches[:_SHOWN]:
        console.print(f"BREACH {breach}", soft_wrap=True, markup=False)
    if len(breaches) > _SHOWN:
        console.print(f"… and {len(breaches) - _SHOWN} more")
    console.print("[green]the promise held[/green]" if not breaches else f"[red]{len(breaches)} breaches[/red]")
