"""What the benchmark prints and writes: a table for people, JSON for machines, a picture of latency against rate."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from bench.measure import CRITICAL_PATH_MS, Row


def rows_table(rows: Sequence[Row], title: str) -> Table:
    """One line per rate."""
    table = Table(title=title, title_justify="left")
    for column in (
        "rate/s",
        "sent",
        "answered",
        "silent",
        "lost",
        "dup.",
        "errors",
        "fallback",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "max ms",
        "over p50",
        "over p99",
        "CPU ms/msg",
        "LLM/msg",
        "cached",
    ):
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(
            f"{row.rate:g}",
            str(row.sent),
            str(row.answered),
            str(row.silent),
            str(row.lost),
            str(row.duplicated),
            str(row.errors),
            str(row.fallback),
            f"{row.p50_ms:.0f}",
            f"{row.p95_ms:.0f}",
            f"{row.p99_ms:.0f}",
            f"{row.max_ms:.0f}",
            f"{row.overhead_p50_ms:.0f}",
            f"{row.overhead_p99_ms:.0f}",
            f"{row.cpu_ms_per_message['total']:.1f}",
            f"{row.llm_calls_per_message:.2f}",
            f"{row.cached_prefix_share:.0%}",
        )
    return table


def processes_table(rows: Sequence[Row]) -> Table:
    """CPU per message and memory of each process, at the lowest and the highest rate."""
    table = Table(title="by process", title_justify="left")
    table.add_column("process")
    shown = (rows[0], rows[-1]) if len(rows) > 1 else (rows[0],)
    for row in shown:
        table.add_column(f"CPU ms/msg at {row.rate:g}/s", justify="right")
        table.add_column("MiB", justify="right")
    for name in rows[-1].cpu_ms_per_message:
        cells = []
        for row in shown:
            cells += [f"{row.cpu_ms_per_message.get(name, 0.0):.2f}", f"{row.rss_mib[name]:.0f}" if name in row.rss_mib else ""]
        table.add_row(name, *cells)
    return table


def to_json(rows: Sequence[Row], saturation_rate: float, floor: Sequence[Row], floor_saturation: float) -> bytes:
    """The figures for machines; `floor` only when it was measured."""
    document: dict[str, object] = {
        "critical_path_ms": CRITICAL_PATH_MS,
        "rates": [asdict(row) for row in rows],
        "saturation_rate": saturation_rate,
    }
    if floor:
        document["floor"] = {"rates": [asdict(row) for row in floor], "saturation_rate": floor_saturation}
        document["saturation_ratio"] = round(saturation_rate / floor_saturation, 3) if floor_saturation else 0.0
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


def plot(rows: Sequence[Row], path: Path, console: Console) -> None:
    """Latency against rate as a PNG; says so when matplotlib is not installed."""
    try:
        import matplotlib
    except ImportError:
        console.print("no picture: matplotlib is not installed (pip install 'pyloto[test]')")
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4.5))
    rates = [row.rate for row in rows]
    for label, values in (
        ("p50", [row.p50_ms for row in rows]),
        ("p95", [row.p95_ms for row in rows]),
        ("p99", [row.p99_ms for row in rows]),
    ):
        axes.plot(rates, values, marker="o", label=label)
    axes.axhline(CRITICAL_PATH_MS, linestyle="--", color="grey", label="critical path of the LLM")
    axes.axhline(3000, linestyle=":", color="red", label="promise")
    axes.set_xlabel("messages per second, open loop")
    axes.set_ylabel("publish to answer, ms")
    axes.set_ylim(bottom=0, top=max(3200.0, 1.05 * max(row.p99_ms for row in rows if row.sustained) if rows else 0.0))
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    console.print(f"picture: {path}")
