"""The exam's result for people: exactly the figures of the JSON, as tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from rich.table import Table
from rich.text import Text

from cli.exam.document import Document
from cli.terminal import out


def show(kind: str, file: Path, figures: Document) -> None:
    """The items that came out wrong first, then the tables, then the figures, so that these stay on the screen."""
    if kind == "dialogs":
        _dialogs(_rows(figures, "dialogs"))
    else:
        for item in _rows(figures, "wrong"):
            (_wrong_reply if kind == "replies" else _wrong_message)(item)
    out.print()
    out.print(Text(f"{kind} of {file}: n={figures['n']}, {figures['scoring']}", style="bold"), soft_wrap=True)
    if kind == "replies":
        _guard(_part(figures, "guard"), "")
    else:
        _understood(_part(figures, "turns") if kind == "dialogs" else figures, "")
    if kind == "dialogs":
        _ends(figures)
    if "doubtful" in figures:
        doubtful = _part(figures, "doubtful")
        label = f"doubtful (n={doubtful['n']}): "
        if kind == "replies":
            _guard(_part(doubtful, "guard"), label)
        else:
            _understood(doubtful, label)
    _rest(figures)


def _wrong_message(item: Document) -> None:
    _line(f"✗ {item['id']}", str(item["text"]), f"{_reading(item, 'expected')} → {_reading(item, 'got')}", str(item["note"]))


def _wrong_reply(item: Document) -> None:
    got = ", ".join(cast("list[str]", item["got"])) or "passed"
    rules = ", ".join(cast("list[str]", item["rules"]))
    what = f"{', '.join(cast('list[str]', item['expected'])) or 'harmless'} → {got}{f' ({rules})' if rules else ''}"
    _line(f"✗ {item['id']}", str(item["text"]), what, str(item["note"]))


def _line(label: str, text: str, what: str, note: str) -> None:
    line = Text.assemble((label, "red"), " ", repr(text), "  ", (what, "bold"), ("  " + note if note else "", "dim"))
    out.print(line, soft_wrap=True)


def _dialogs(dialogs: Sequence[Document]) -> None:
    for dialog in dialogs:
        ends = _part(dialog, "ends")
        right = bool(ends["right"])
        state = str(ends["got"]) if right else f"{ends['expected']} → {ends['got']}"
        out.print()
        title, note = (f" {dialog['id']} ends {state}", "bold"), (f"  {dialog['note']}", "dim")
        out.print(Text.assemble(_mark(right), title, note), soft_wrap=True)
        for turn in _rows(dialog, "turns"):
            found = bool(turn["right"])
            reading = (
                _reading(turn, "got") if not turn["wrong_in"] else f"{_reading(turn, 'expected')} → {_reading(turn, 'got')}"
            )
            out.print(
                Text.assemble("  ", _mark(found), f" {str(turn['text'])!r}  {reading}  {turn['action']} {turn['state']}"),
                soft_wrap=True,
            )
            if turn["violations"]:
                out.print(Text(f"      the reply breaks {turn['violations']}: {turn['reply']!r}", style="red"), soft_wrap=True)


def _understood(figures: Document, label: str) -> None:
    escalation = _part(figures, "escalation")
    confusions = _part(figures, "confusions")
    for kind in ("vertente", "intent"):
        _confusions(f"{label}{kind}", _rows(confusions, kind))
    for kind in ("vertente", "intent"):
        out.print(f"{label}{kind + ' accuracy':<20} {_share(figures, f'{kind}_accuracy', f'{kind}_ci95')}")
    out.print(
        f"{label}{'escalation':<20} precision {_percent(escalation['precision'])}  recall {_percent(escalation['recall'])}"
        f"  F1 {_number(escalation['f1'])}  ({escalation['wanted']} wanted, {escalation['given']} given)",
        soft_wrap=True,
    )


def _guard(guard: Document, label: str) -> None:
    table = Table(title=f"{label}by violation", title_justify="left")
    for column in ("violation", "n", "blocked", "95 %", "named", "false blocks"):
        table.add_column(column, justify="left" if column == "violation" else "right")
    for name, found in _part(guard, "by_violation").items():
        row = cast("Document", found)
        values = (row["n"], _percent(row["recall"]), _interval(row["ci95"]), _percent(row["named"]), row["false_blocks"])
        table.add_row(name, *(str(value) for value in values))
    out.print(table)
    _confusions(f"{label}found as", _rows(guard, "confusions"))
    out.print(f"{label}{'guard recall':<20} {_share(guard, 'recall', 'recall_ci95')} of {guard['violating']}")
    out.print(f"{label}{'false blocks':<20} {_share(guard, 'false_block_rate', 'false_block_ci95')} of {guard['harmless']}")
    out.print(f"{label}{'blocked in doubt':<20} {guard['only_doubtful']}")


def _ends(figures: Document) -> None:
    turns = _part(figures, "turns")
    _confusions("end state", _rows(figures, "ends_confusions"))
    out.print(f"{'ends accuracy':<20} {_share(figures, 'ends_accuracy', 'ends_ci95')}")
    out.print(
        f"{'turns':<20} {turns['n']}, {turns['replies']} replies: {turns['violations']} break a constraint, "
        f"{turns['must_not_broken']} of them one of must_not",
        soft_wrap=True,
    )


def _rest(figures: Document) -> None:
    if "consistency" in figures:
        consistency = _part(figures, "consistency")
        out.print(f"{'consistency':<20} {_share(consistency, 'same_in_all', 'ci95')} the same in {consistency['runs']} runs")
    if figures.get("decided_by_rules"):
        out.print(f"{'decided by rules':<20} {figures['decided_by_rules']}")
    times, slowest = _part(figures, "ms_per_item"), _part(figures, "slowest")
    out.print(f"{'ms per item':<20} p50 {_ms(times['p50'])}, p99 {_ms(times['p99'])}")
    out.print(Text(f"{'slowest':<20} {slowest['id']} {_ms(slowest['ms'])} ms {str(slowest['text'])[:80]!r}"), soft_wrap=True)
    out.print(f"{'wrong items':<20} {len(_rows(figures, 'wrong'))}")


def _confusions(title: str, rows: Sequence[Document]) -> None:
    if not rows:
        return
    table = Table(title=f"{title}: confusions", title_justify="left")
    for column in ("expected", "got", "count"):
        table.add_column(column, justify="right" if column == "count" else "left")
    for row in rows:
        table.add_row(str(row["expected"]), str(row["got"]), str(row["count"]))
    out.print(table)


def _reading(item: Document, name: str) -> str:
    reading = _part(item, name)
    return f"{reading['vertente']}/{reading['intent']}{'/escalate' if reading['escalate'] else ''}"


def _mark(right: bool) -> Text:
    return Text("✓", style="green") if right else Text("✗", style="red")


def _share(figures: Document, name: str, interval: str) -> str:
    return f"{_percent(figures[name])}  {_interval(figures[interval])}"


def _interval(value: object) -> str:
    low, high = cast("tuple[float, float]", value)
    return f"[{low:.1%}, {high:.1%}]"


def _percent(value: object) -> str:
    return "-" if value is None else f"{cast('float', value):.1%}"


def _number(value: object) -> str:
    return "-" if value is None else f"{cast('float', value):.3f}"


def _ms(value: object) -> str:
    return f"{cast('float', value):.2f}"


def _part(figures: Document, name: str) -> Document:
    return cast("Document", figures[name])


def _rows(figures: Document, name: str) -> list[Document]:
    return cast("list[Document]", figures[name])
