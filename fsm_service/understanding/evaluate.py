"""Measures the understanding on labelled files: `python -m fsm_service.understanding.evaluate [FILE ...]`.

Without FILE it measures the held-out examples. Prints strict and tolerant accuracy for line and category, escalation
precision/recall/F1, end states of dialogs, confusions and the items that came out wrong.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from common.taxonomy import Category, State, Vertente
from fsm_service.fallback import EMPTY, Memory, Understanding, resting_state, understand
from fsm_service.understanding.dataset import EXAMPLES, Dialog, Labelled, is_dialog_file, read_dialogs, read_messages

REMEMBERED_TEXTS = 6
HELD_OUT = (EXAMPLES / "heldout.jsonl", EXAMPLES / "heldout_dialogs.jsonl")


@dataclass(slots=True)
class Tally:
    """Counts over the items or turns of one file."""

    total: int = 0
    line_strict: int = 0
    line: int = 0
    category_strict: int = 0
    category: int = 0
    hits: int = 0
    false_alarms: int = 0
    misses: int = 0
    intents: int = 0
    intents_right: int = 0
    confusions: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def add(self, where: str, text: str, expected: Labelled, got: Understanding) -> None:
        """Counts one understood message."""
        self.total += 1
        line_strict = got.vertente is expected.vertente
        line = line_strict or got.vertente in expected.other_vertentes
        category_strict = got.category is expected.category
        category = category_strict or got.category in expected.other_categories
        wanted = expected.escalate
        if expected.other_escalate is not None and got.escalate is expected.other_escalate:
            wanted = got.escalate
        self.line_strict += line_strict
        self.line += line
        self.category_strict += category_strict
        self.category += category
        self.hits += wanted and got.escalate
        self.false_alarms += got.escalate and not wanted
        self.misses += wanted and not got.escalate
        if expected.intent and category_strict:
            self.intents += 1
            self.intents_right += got.intent == expected.intent
        if not line:
            self.confusions[f"line {expected.vertente.value} -> {got.vertente.value}"] += 1
        if not category:
            self.confusions[f"category {expected.category.value} -> {got.category.value}"] += 1
        if not (line and category and wanted is got.escalate):
            self.wrong.append(
                f"{where} {text!r}: {expected.vertente.value}/{expected.category.value}/{expected.escalate} -> "
                f"{got.vertente.value}/{got.category.value}/{got.escalate} ({got.confidence:.2f})"
            )

    @property
    def f1(self) -> float:
        """F1 of escalation."""
        return 2 * self.hits / max(1, 2 * self.hits + self.false_alarms + self.misses)


def labelled(turn_id: str, text: str, vertente: Vertente, category: Category, escalate: bool) -> Labelled:
    """A dialog's turn as a labelled message, without alternatives."""
    return Labelled(turn_id, text, vertente, category, escalate, "", (), (), (), None)


def play(dialog: Dialog) -> tuple[list[Understanding], State]:
    """Each turn understood with the memory of the turns before it, and the state in which the conversation rests."""
    memory, state, found = EMPTY, State.INIT, list[Understanding]()
    for turn in dialog.turns:
        got = understand(turn.text, memory)
        state = resting_state(got, memory)
        found.append(got)
        memory = after(memory, turn.text, got)
    return found, state


def after(memory: Memory, text: str, got: Understanding) -> Memory:
    """The memory that the next message meets."""
    return Memory(
        vertente=got.vertente,
        category=got.category,
        last_customer_texts=(*memory.last_customer_texts, text)[-REMEMBERED_TEXTS:],
        last_reply="",
        escalated=memory.escalated or got.escalate,
        clarifications=0,
    )


def measure_messages(items: Sequence[Labelled]) -> Tally:
    """The tally of single messages."""
    tally = Tally()
    for item in items:
        tally.add(item.id, item.text, item, understand(item.text))
    return tally


def measure_dialogs(dialogs: Sequence[Dialog]) -> tuple[Tally, int, list[str]]:
    """The tally of all turns, how many dialogs end in the right state, and the ones that do not."""
    tally, right, wrong = Tally(), 0, list[str]()
    for dialog in dialogs:
        found, state = play(dialog)
        for index, (turn, got) in enumerate(zip(dialog.turns, found, strict=True), start=1):
            where = f"{dialog.id}.{index}"
            tally.add(where, turn.text, labelled(where, turn.text, turn.vertente, turn.category, turn.escalate), got)
        right += state is dialog.ends
        if state is not dialog.ends:
            wrong.append(f"{dialog.id}: ends {dialog.ends.value} -> {state.value}")
    return tally, right, wrong


def report(name: str, tally: Tally, show: bool) -> str:
    """The figures of one file as text."""
    precision = tally.hits / max(1, tally.hits + tally.false_alarms)
    recall = tally.hits / max(1, tally.hits + tally.misses)
    lines = [
        f"{name}: n={tally.total}",
        f"  line      tolerant {tally.line / tally.total:.1%}  strict {tally.line_strict / tally.total:.1%}",
        f"  category  tolerant {tally.category / tally.total:.1%}  strict {tally.category_strict / tally.total:.1%}",
        f"  escalate  F1 {tally.f1:.3f}  precision {precision:.3f}  recall {recall:.3f}",
    ]
    if tally.intents:
        lines.append(f"  intent id {tally.intents_right / tally.intents:.1%} of {tally.intents} with the right category")
    lines += [f"  {count:3d} {confusion}" for confusion, count in tally.confusions.most_common(12)]
    if show:
        lines += [f"  wrong {item}" for item in tally.wrong]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the figures of each file."""
    parser = argparse.ArgumentParser(prog="python -m fsm_service.understanding.evaluate", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="messages or dialogs in the exam's JSONL format")
    parser.add_argument("--brief", action="store_true", help="do not list the wrong items")
    options = parser.parse_args(arguments)
    for path in options.files or HELD_OUT:
        began = time.perf_counter()
        if is_dialog_file(path):
            dialogs = read_dialogs(path)
            tally, right, wrong = measure_dialogs(dialogs)
            text = report(path.name, tally, not options.brief)
            text += f"\n  ends      {right / len(dialogs):.1%} of {len(dialogs)}"
            text += "".join(f"\n  {item}" for item in wrong)
        else:
            tally = measure_messages(read_messages(path))
            text = report(path.name, tally, not options.brief)
        each_ms = (time.perf_counter() - began) * 1000 / max(1, tally.total)
        sys.stdout.write(f"{text}\n  {each_ms:.2f} ms per message\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
