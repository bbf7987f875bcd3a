"""The check of an outgoing text: what the rules find in it, minus what its clauses take back."""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from common.taxonomy import Violation
from guard import opinion
from guard.clauses import Surroundings
from guard.normalise import Folded, fold_with_offsets
from guard.numbers import with_digits
from guard.rulebook import Rule, Rulebook, rulebook

# A further part of at most so many characters is a label; of a longer one, so many at its ends are read with the seam.
_LABEL = 80
_SEAM = 40

_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_OPINION = (
    "Soa como algo que só a equipe pode dizer, embora nenhuma regra o nomeie. "
    "Reescreva sem prometer, precificar nem fechar nada."
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation found: `[start, end)` is in the text that was given, `reason` is Portuguese."""

    violation: Violation
    rule: str
    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is certain (`findings`) and what only an LLM judge could clear (`doubts`: without a judge they block as well)."""

    findings: tuple[Finding, ...] = ()
    doubts: tuple[Finding, ...] = ()

    @property
    def blocked(self) -> bool:
        """Whether the text must not leave."""
        return bool(self.findings)

    @property
    def doubtful(self) -> bool:
        """Whether nothing is certain, but something is suspicious."""
        return bool(self.doubts) and not self.findings


def load() -> None:
    """Read the rules and the models now: most of a second that the first customer's turn would otherwise wait for."""
    # A rule holds here, so that everything is asked.
    check("A entrega custa R$ 10,00.")


def check(text: str, *, customer_text: str = "", doubts_matter: bool = True, rules_suffice: bool = False) -> Verdict:
    """What is wrong with one outgoing text.

    `customer_text`: the customer's words, whose figures a refusal may repeat. `doubts_matter=False`: the caller looks at the
    findings alone, so a text in which no rule holds needs no second opinion. `rules_suffice`: no second opinion clears what a
    rule finds.
    """
    if not doubts_matter and _without_hold(text):
        return Verdict()
    read = with_digits(fold_with_offsets(text))
    hits = rule_hits(read, customer_text)
    second = opinion.of(text, read, heard(hits))
    findings: list[Finding] = []
    doubts: list[Finding] = []
    for hit in hits:
        if hit.holds and (hit.rule.certain or rules_suffice or second.harmful):
            start, end = read.original_span(*hit.span)
            found = Finding(hit.rule.violation, hit.rule.id, start, end, hit.rule.reason)
            (doubts if hit.rule.doubt else findings).append(found)
    if not findings and not doubts and second.harmful and second.violation is not None:
        doubts.append(Finding(second.violation, "segunda_opiniao", 0, len(text), _OPINION))
    return Verdict(tuple(findings), tuple(doubts))


@lru_cache(maxsize=1_024)
def _without_hold(text: str) -> bool:
    """Whether no rule holds, whatever the customer wrote (it only excuses). Kept, since canonical texts recur."""
    return not any(hit.holds for hit in rule_hits(with_digits(fold_with_offsets(text))))


def check_parts(parts: Sequence[str], *, customer_text: str = "", doubts_matter: bool = True) -> Verdict:
    """The verdict on a composed message (body, header, footer, buttons, rows): each part by itself, and where they meet.

    A violation may be split over parts, so the short ones are read joined, after the end of the long one before them. Spans
    are in `"\n".join(parts)`.
    """
    findings: dict[tuple[str, int], Finding] = {}
    doubts: dict[tuple[str, int], Finding] = {}
    for at, verdict in _readings(parts, customer_text, doubts_matter):
        for found, kept in ((verdict.findings, findings), (verdict.doubts, doubts)):
            for f in found:
                moved = Finding(f.violation, f.rule, f.start + at, f.end + at, f.reason)
                kept.setdefault((moved.rule, moved.start), moved)
    return Verdict(tuple(findings.values()), tuple(doubts.values()))


def _readings(parts: Sequence[str], customer_text: str, doubts_matter: bool) -> Iterator[tuple[int, Verdict]]:
    """Where each reading begins in the joined parts, and what it found."""
    joined = "\n".join(parts)
    seams: list[int] = []
    """Where a block ends: a long part, or labels that follow one another."""
    labels: list[str] = []
    at = 0
    for part in parts:
        if at and len(part) <= _LABEL:
            yield at, _check_labels(part)
            if not labels:
                seams.append(at - 1)
            labels.append(part)
        else:
            yield at, check(part, customer_text=customer_text, doubts_matter=doubts_matter)
            if at:
                seams.append(at - 1)
            yield from _run(labels, at)
            labels = []
        at += len(part) + 1
    yield from _run(labels, at)
    for seam in seams:
        begin = max(seam - _SEAM, 0)
        line_end = joined.find("\n", seam + _SEAM)
        end = line_end if 0 <= line_end <= seam + _SEAM + _LABEL else seam + _SEAM + 1
        yield begin, check(joined[begin:end], customer_text=customer_text, doubts_matter=doubts_matter)


def _run(labels: Sequence[str], end: int) -> Iterator[tuple[int, Verdict]]:
    """Labels that follow one another, as one text that ends before `end`."""
    if len(labels) > 1:
        text = "\n".join(labels)
        yield end - 1 - len(text), _check_labels(text)


@lru_cache(maxsize=4_096)
def _check_labels(text: str) -> Verdict:
    """Titles and descriptions are from a catalogue: the same few, again and again, and too short for a second opinion."""
    return check(text, rules_suffice=True)


def violations(text: str) -> frozenset[Violation]:
    """The constraints that a text breaks, doubts included."""
    verdict = check(text)
    return frozenset(f.violation for f in (*verdict.findings, *verdict.doubts))


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule whose pattern occurs at `span` (folded positions); `holds` unless its surroundings take the violation away."""

    rule: Rule
    span: tuple[int, int]
    holds: bool

    @property
    def name(self) -> str:
        """The hit as a feature of the second opinion: `id` holds, `~id` was spared."""
        return self.rule.id if self.holds else f"~{self.rule.id}"


def heard(hits: Sequence[Hit]) -> list[opinion.RuleHit]:
    """The hits as the second opinion hears them."""
    return [opinion.RuleHit(hit.name, hit.span[0], hit.holds) for hit in hits]


def rule_hits(read: Folded, customer_text: str = "") -> list[Hit]:
    """What each rule says of a folded text: where it holds, else where it was spared; nothing when it does not occur."""
    book = rulebook()
    around: Surroundings | None = None  # most texts match nothing and need none
    hits: list[Hit] = []
    figures = frozenset[str]()
    for place, patterns in itertools.groupby(book.index.candidates(read.text), book.rule_of.__getitem__):
        rule = book.rules[place]
        spared: Hit | None = None
        for match in book.index.matches(patterns, read.text):
            if around is None:
                around = Surroundings(read.text, book.clause_break, book.idiom)
                figures = _figures(customer_text)
            if not _spared(rule, match, around, book, figures):
                hits.append(Hit(rule, match.span(), holds=True))
                break
            spared = spared or Hit(rule, match.span(), holds=False)
        else:
            if spared is not None:
                hits.append(spared)
    return hits


def _spared(rule: Rule, match: re.Match[str], around: Surroundings, book: Rulebook, figures: frozenset[str]) -> bool:
    """Whether the surroundings of a match take the violation away."""
    start, end = match.span()
    if around.spared(rule.spared_by, start, end):
        return True
    if rule.unless is not None and rule.unless.search(match.string, *around.sentence(start)):
        return True
    quoted = _FIGURE.findall(match.group()) if figures else []
    return bool(quoted) and figures.issuperset(quoted) and around.spared(book.quote, start, end)


def _figures(customer_text: str) -> frozenset[str]:
    """The numbers that the customer wrote, as digits."""
    return frozenset(_FIGURE.findall(with_digits(fold_with_offsets(customer_text)).text))
