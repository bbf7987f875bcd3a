"""How the exam counts: shares with their intervals, escalation by precision and recall, confusions."""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from common.taxonomy import Category, Vertente

_Z = 1.959964
"""Of the normal distribution, for 95 %."""


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `of`."""

    hits: int
    of: int

    @property
    def value(self) -> float | None:
        """Between 0 and 1; None of nothing."""
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval at 95 % (E. B. Wilson, 1927): sensible for few items and for shares near 0 or 1."""
        if not self.of:
            return 0.0, 1.0
        share, z2 = self.hits / self.of, _Z * _Z
        middle = (share + z2 / (2 * self.of)) / (1 + z2 / self.of)
        half = _Z * math.sqrt(share * (1 - share) / self.of + z2 / (4 * self.of**2)) / (1 + z2 / self.of)
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood from one message or turn."""

    vertente: Vertente
    intent: Category
    escalate: bool


@dataclass(frozen=True, slots=True)
class Case:
    """One reading against its labels. Empty `other_*` means that nothing but the label is right."""

    where: str
    text: str
    expected: Reading
    got: Reading
    other_vertentes: Collection[Vertente] = ()
    other_intents: Collection[Category] = ()
    other_escalates: Collection[bool] = ()

    @property
    def vertente_right(self) -> bool:
        """Whether the line is the label or an accepted one."""
        return self.got.vertente is self.expected.vertente or self.got.vertente in self.other_vertentes

    @property
    def intent_right(self) -> bool:
        """The same for the category."""
        return self.got.intent is self.expected.intent or self.got.intent in self.other_intents

    @property
    def wanted(self) -> bool:
        """Whether a person should take over; either is right when both are accepted."""
        return self.got.escalate if self.got.escalate in self.other_escalates else self.expected.escalate

    @property
    def right(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.vertente_right and self.intent_right and self.wanted == self.got.escalate


@dataclass(slots=True)
class Understood:
    """The figures of many cases."""

    cases: Sequence[Case]
    vertente: Share = field(init=False)
    intent: Share = field(init=False)
    precision: Share = field(init=False)
    recall: Share = field(init=False)

    def __post_init__(self) -> None:
        cases = self.cases
        hits = sum(case.got.escalate and case.wanted for case in cases)
        self.vertente = Share(sum(case.vertente_right for case in cases), len(cases))
        self.intent = Share(sum(case.intent_right for case in cases), len(cases))
        self.precision = Share(hits, sum(case.got.escalate for case in cases))
        self.recall = Share(hits, sum(case.wanted for case in cases))

    @property
    def f1(self) -> float | None:
        """Of escalation; None when nobody was to be handed over and nobody was."""
        both = self.precision.of + self.recall.of
        return 2 * self.precision.hits / both if both else None

    @property
    def vertente_confusions(self) -> Counter[tuple[str, str]]:
        """(expected, got) of the wrong lines."""
        return Counter(
            (case.expected.vertente.value, case.got.vertente.value) for case in self.cases if not case.vertente_right
        )

    @property
    def intent_confusions(self) -> Counter[tuple[str, str]]:
        """(expected, got) of the wrong categories."""
        return Counter((case.expected.intent.value, case.got.intent.value) for case in self.cases if not case.intent_right)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that is not exceeded by `share` of them; 0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0
