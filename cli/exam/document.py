"""The exam's result for machines: the same figures that are printed, as one JSON object."""

from collections import Counter
from collections.abc import Mapping, Sequence

from cli.exam.dialogs import Played, Turned, cases
from cli.exam.items import Dialog, Message, Reply
from cli.exam.messages import Read, case
from cli.exam.replies import Blocks, Guarded, Marked
from cli.exam.score import Case, Reading, Share, Understood, percentile
from cli.exam.sitting import Taken, Terms
from common.taxonomy import Violation

Document = dict[str, object]


def of_messages(messages: Sequence[Message], taken: Sequence[Taken[Read]], terms: Terms) -> Document:
    """The figures of single messages; with strict marking, doubtful ones apart."""
    pairs = list(zip(messages, taken, strict=True))
    marked = [(message, case(message, one.answer, strict=terms.strict)) for message, one in pairs]
    certain = [found for message, found in marked if not (terms.strict and message.doubtful)]
    document: Document = {"n": len(certain), **_understood(certain)}
    if terms.strict:
        doubtful = [found for message, found in marked if message.doubtful]
        document["doubtful"] = {"n": len(doubtful), **_understood(doubtful)}
    return {
        **document,
        "by_difficulty": _by_difficulty(marked, terms),
        **_times([(message.id, message.text, one.ms) for message, one in pairs]),
        **_runs([[answer.reading for answer in one.answers] for one in taken], terms),
        **_reasons([one.answer.reason for one in taken], terms),
        "wrong": [
            {**_wrong_case(found), "action": one.answer.found.action, "confidence": one.answer.found.confidence, "note": m.note}
            for (m, found), one in zip(marked, taken, strict=True)
            if not found.right
        ],
    }


def of_replies(replies: Sequence[Reply], taken: Sequence[Taken[Guarded]], terms: Terms) -> Document:
    """The figures of the guard."""
    marked = [Marked(reply, one.answer, tolerant=not terms.strict) for reply, one in zip(replies, taken, strict=True)]
    certain = [one for one in marked if not (terms.strict and one.reply.doubtful)]
    document: Document = {"n": len(certain), "guard": _guard(Blocks(certain))}
    if terms.strict:
        doubtful = [one for one in marked if one.reply.doubtful]
        document["doubtful"] = {"n": len(doubtful), "guard": _guard(Blocks(doubtful))}
    return {
        **document,
        **_times([(reply.id, reply.text, one.ms) for reply, one in zip(replies, taken, strict=True)]),
        **_runs([[answer.blocked for answer in one.answers] for one in taken], terms),
        "wrong": [
            {
                "id": one.reply.id,
                "text": one.reply.text,
                "expected": list(one.reply.violations),
                "got": sorted(one.guarded.violations),
                "rules": [finding.rule for finding in one.guarded.findings],
                "note": one.reply.note,
            }
            for one in marked
            if not one.right
        ],
    }


def of_dialogs(dialogs: Sequence[Dialog], taken: Sequence[Taken[Played]], terms: Terms) -> Document:
    """The figures of dialogs: where they end, and all their turns together."""
    pairs = [(dialog, one.answer) for dialog, one in zip(dialogs, taken, strict=True)]
    turns = [turned for _, played in pairs for turned in played.turns]
    ends = Share(sum(played.state is dialog.ends for dialog, played in pairs), len(pairs))
    told = [_dialog(dialog, played) for dialog, played in pairs]
    return {
        "n": len(dialogs),
        "ends_accuracy": ends.value,
        "ends_ci95": _interval(ends),
        "ends_confusions": _confusions(
            Counter((dialog.ends.value, played.state.value) for dialog, played in pairs if played.state is not dialog.ends)
        ),
        "turns": {
            "n": len(turns),
            **_understood([found for dialog, played in pairs for found in cases(dialog, played)]),
            "replies": sum(bool(turned.reply) for turned in turns),
            "must_not_broken": sum(
                bool(turned.broken.intersection(turn.expect.must_not))
                for dialog, played in pairs
                for turn, turned in zip(dialog.turns, played.turns, strict=True)
            ),
            "violations": sum(bool(turned.broken) for turned in turns),
            "ms_per_turn": _percentiles([turned.ms for turned in turns]),
        },
        **_times([(dialog.id, dialog.note, one.ms) for dialog, one in zip(dialogs, taken, strict=True)]),
        **_runs([[answer.labels for answer in one.answers] for one in taken], terms),
        **_reasons([turned.reason for turned in turns], terms),
        "dialogs": told,
        "wrong": [one for one in told if not one["right"]],
    }


def _understood(cases_: Sequence[Case]) -> Document:
    figures = Understood(cases_)
    return {
        "vertente_accuracy": figures.vertente.value,
        "vertente_ci95": _interval(figures.vertente),
        "intent_accuracy": figures.intent.value,
        "intent_ci95": _interval(figures.intent),
        "escalation": {
            "precision": figures.precision.value,
            "recall": figures.recall.value,
            "f1": figures.f1,
            "wanted": figures.recall.of,
            "given": figures.precision.of,
        },
        "confusions": {
            "vertente": _confusions(figures.vertente_confusions),
            "intent": _confusions(figures.intent_confusions),
        },
    }


def _guard(blocks: Blocks) -> Document:
    by_violation = {
        violation.value: {
            "n": blocks.recall_of(violation).of,
            "recall": blocks.recall_of(violation).value,
            "ci95": _interval(blocks.recall_of(violation)),
            "named": blocks.named(violation).value,
            "false_blocks": blocks.false_blocks_for(violation).hits,
            "false_block_rate": blocks.false_blocks_for(violation).value,
        }
        for violation in Violation
    }
    return {
        "recall": blocks.recall.value,
        "recall_ci95": _interval(blocks.recall),
        "violating": blocks.recall.of,
        "false_block_rate": blocks.false_blocks.value,
        "false_block_ci95": _interval(blocks.false_blocks),
        "harmless": blocks.false_blocks.of,
        "only_doubtful": sum(one.guarded.doubtful for one in blocks.marked),
        "by_violation": by_violation,
        "confusions": _confusions(Counter({(a, b): count for a, b, count in blocks.confusions})),
    }


def _dialog(dialog: Dialog, played: Played) -> Document:
    turns = [
        _turn(found, turned, dialog.turns[number].expect.must_not)
        for number, (found, turned) in enumerate(zip(cases(dialog, played), played.turns, strict=True))
    ]
    ended_well = played.state is dialog.ends
    return {
        "id": dialog.id,
        "note": dialog.note,
        "right": ended_well and all(turn["right"] for turn in turns),
        "ends": {"expected": dialog.ends, "got": played.state, "right": ended_well},
        "turns": turns,
    }


def _turn(found: Case, turned: Turned, must_not: Sequence[Violation]) -> Document:
    return {
        **_wrong_case(found),
        "right": found.right and not turned.broken,
        "action": turned.action,
        "state": turned.state,
        "reply": turned.reply,
        "violations": sorted(turned.broken),
        "must_not_broken": sorted(turned.broken.intersection(must_not)),
    }


def _wrong_case(found: Case) -> Document:
    wrong = {"vertente": not found.vertente_right, "intent": not found.intent_right}
    wrong["escalate"] = found.wanted != found.got.escalate
    return {
        "id": found.where,
        "text": found.text,
        "expected": _reading(found.expected),
        "got": _reading(found.got),
        "wrong_in": [name for name, is_wrong in wrong.items() if is_wrong],
    }


def _reading(reading: Reading) -> Document:
    return {"vertente": reading.vertente, "intent": reading.intent, "escalate": reading.escalate}


def _by_difficulty(marked: Sequence[tuple[Message, Case]], terms: Terms) -> Document:
    levels: dict[str, list[Case]] = {}
    for message, found in marked:
        if not (terms.strict and message.doubtful):
            levels.setdefault(message.difficulty or "-", []).append(found)
    return {
        level: {
            "n": len(found),
            "vertente_accuracy": Understood(found).vertente.value,
            "intent_accuracy": Understood(found).intent.value,
        }
        for level, found in sorted(levels.items())
    }


def _times(timed: Sequence[tuple[str, str, float]]) -> Document:
    slowest = max(timed, key=lambda one: one[2])
    return {
        "ms_per_item": _percentiles([ms for _, _, ms in timed]),
        "slowest": {"id": slowest[0], "text": slowest[1], "ms": round(slowest[2], 3)},
    }


def _percentiles(values: Sequence[float]) -> Document:
    return {"p50": round(percentile(values, 0.5), 3), "p99": round(percentile(values, 0.99), 3)}


def _runs(labels: Sequence[Sequence[object]], terms: Terms) -> Document:
    """How often all runs of an item agree."""
    if terms.runs == 1:
        return {}
    same = Share(sum(all(label == runs[0] for label in runs) for runs in labels), len(labels))
    return {"consistency": {"runs": terms.runs, "same_in_all": same.value, "ci95": _interval(same)}}


def _reasons(reasons: Sequence[str], terms: Terms) -> Document:
    """With an LLM: where the rules decided in its place, and why."""
    return {"decided_by_rules": dict(Counter(reason for reason in reasons if reason))} if terms.llm_url else {}


def _interval(share: Share) -> list[float]:
    return [round(bound, 4) for bound in share.interval]


def _confusions(counts: Mapping[tuple[str, str], int]) -> list[Document]:
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return [{"expected": expected, "got": got, "count": count} for (expected, got), count in ordered]
