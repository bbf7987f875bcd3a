"""The ledger as a table for people and as JSON for machines."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import orjson
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
    ("late_explained", "  of which while store, broker or the gateway was broken"),
    ("latest_s", "  the latest, seconds"),
    ("latest_unexplained_s", "  the latest without such a reason, seconds"),
)


def show(found: Ledger, title: str, console: Console) -> None:
    """The table, what was broken how often, and the breaches."""
    table = Table(title=title, title_justify="left")
    for name, justify in (("", "left"), ("count", "right"), ("what", "left")):
        table.add_column(name, justify="right" if justify == "right" else "left")
    for name, what in _ROWS:
        table.add_row(name, f"{getattr(found, name):g}", what)
    console.print(table)
    if found.faults:
        console.print("faults: " + ", ".join(f"{name} ×{count}" for name, count in found.faults.items()), soft_wrap=True)
    for breach in found.breaches[:_SHOWN]:
        console.print(f"[red]BREACH[/red] {breach}", soft_wrap=True)
    if len(found.breaches) > _SHOWN:
        console.print(f"… and {len(found.breaches) - _SHOWN} more")
    console.print("[green]the promise held[/green]" if not found.breaches else f"[red]{len(found.breaches)} breaches[/red]")


def write(found: Ledger, more: Mapping[str, object], path: Path) -> None:
    """The ledger's fields and `more` as one JSON object."""
    path.write_bytes(orjson.dumps({**asdict(found), **more}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
