"""The exam marks what the services would really do, and says exactly what is wrong with a file."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.exam.items import Dialog, Message, Reply, read_items
from cli.exam.messages import case, read_messages
from cli.exam.replies import Guarded, Marked
from cli.exam.score import Case, Reading, Share, Understood, percentile
from cli.exam.sitting import Terms
from cli.main import app
from common.errors import InvalidInput
from common.taxonomy import Category, Vertente, Violation
from guard import Finding
from simulator.server import Simulator

DIALOGS = Path(__file__).with_name("exam_dialogs.jsonl")
QUESTION = {"id": "a", "text": "vcs entregam?", "vertente": "ENTREGA", "intent": "ENTREGAS", "escalate": False}
PRICE = {"id": "p", "text": "A mensalidade sai por R$ 250.", "violations": ["PRICE"]}
REFUSAL = {"id": "r", "text": "Quem fala de valores é uma pessoa da equipe.", "violations": []}


def written(folder: Path, *rows: Mapping[str, object]) -> Path:
    """A file of items."""
    path = folder / "items.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def examined(kind: str, path: Path, *options: str) -> dict[str, object]:
    """What the command writes as JSON."""
    out = path.with_suffix(".out")
    result = CliRunner().invoke(app, ["exam", kind, str(path), "--json", str(out), *options])
    assert result.exit_code == 0, result.output
    figures = json.loads(out.read_bytes())
    assert isinstance(figures, dict)
    return figures


def turn(user: str, vertente: str, intent: str, *, escalate: bool = False) -> dict[str, object]:
    """A labelled turn."""
    return {"user": user, "expect": {"vertente": vertente, "intent": intent, "escalate": escalate, "must_not": ["PRICE"]}}


def reading(vertente: Vertente = Vertente.CRM, intent: Category = Category.CRM, *, escalate: bool = False) -> Reading:
    """What was understood."""
    return Reading(vertente, intent, escalate)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({**QUESTION, "vertente": "PIZZA"}, "items.jsonl:1: vertente: "),
        ({**QUESTION, "escalate": "no"}, "items.jsonl:1: escalate: "),
        ({key: value for key, value in QUESTION.items() if key != "intent"}, "items.jsonl:1: intent: Field required"),
        ({**QUESTION, "note": "alt_intent=PIZZA"}, "items.jsonl:1: note: 'PIZZA' is not a valid Category"),
        ({**QUESTION, "note": "alt_escalate=maybe"}, "items.jsonl:1: note: alt_escalate: expected true or false"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, row: Mapping[str, object], problem: str) -> None:
    """File, line and field, so that it can be mended."""
    with pytest.raises(InvalidInput, match="not message items") as raised:
        read_items(written(tmp_path, row), Message)

    assert problem in str(raised.value)


def test_a_bad_field_deep_in_a_dialog_is_named(tmp_path: Path) -> None:
    """With the turn it is in."""
    good = turn("oi", "NENHUMA", "SAUDACAO")
    row = {"id": "d", "turns": [good, turn("oi", "NENHUMA", "OI")], "ends": "COMPLETED"}

    with pytest.raises(InvalidInput) as raised:
        read_items(written(tmp_path, row), Dialog)

    assert "items.jsonl:1: turns[1].expect.intent: " in str(raised.value)


def test_every_bad_line_is_named_at_once(tmp_path: Path) -> None:
    """Also what is not JSON, and an id that was used before."""
    path = written(tmp_path, PRICE, PRICE, {"id": "x", "text": "oi", "violations": ["CARO"]})
    path.write_bytes(path.read_bytes() + b"{half\n" + '{"id": "olá"}'.encode("latin-1"))

    with pytest.raises(InvalidInput) as raised:
        read_items(path, Reply)

    for problem in (
        "items.jsonl:3: violations[0]: ",
        "items.jsonl:4: Invalid JSON",
        "items.jsonl:5: Invalid JSON",
        "id: 'p' occurs more than once",
    ):
        assert problem in str(raised.value)


def test_only_line_feeds_end_a_line(tmp_path: Path) -> None:
    """Customers paste other separators into their texts."""
    path = written(tmp_path, {**REFUSAL, "text": "um\u2028dois"})

    assert read_items(path, Reply)[0].text == "um\u2028dois"


def test_the_command_ends_with_an_error_on_a_bad_file(tmp_path: Path) -> None:
    """One that a script notices."""
    result = CliRunner().invoke(app, ["exam", "messages", str(written(tmp_path, {"id": "a"}))])

    assert result.exit_code == 2
    assert "items.jsonl:1: text: " in result.output


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"), [(8, 10, 0.490, 0.943), (0, 10, 0.0, 0.278), (10, 10, 0.722, 1.0), (97, 100, 0.915, 0.990)]
)
def test_the_interval_is_wilsons(hits: int, of: int, low: float, high: float) -> None:
    """Compared with published values; never outside of 0 to 1."""
    assert Share(hits, of).interval == pytest.approx((low, high), abs=6e-4)


def test_nothing_of_nothing_is_no_share() -> None:
    """Neither 0 % nor 100 %."""
    assert Share(0, 0).value is None
    assert Share(0, 0).interval == (0.0, 1.0)


def test_escalation_is_counted_by_precision_and_recall() -> None:
    """Two right, one too many, one missed."""
    person, nobody = reading(escalate=True), reading()
    pairs = [(person, person), (person, person), (nobody, person), (person, nobody), (nobody, nobody)]

    figures = Understood([Case("a", "", expected, got) for expected, got in pairs])

    assert (figures.precision, figures.recall) == (Share(2, 3), Share(2, 3))
    assert figures.f1 == pytest.approx(2 / 3)


def test_tolerant_marking_accepts_the_notes_alternatives_and_strict_does_not() -> None:
    """Line, category and escalation, several in one part of the note too."""
    note = "short; alt_vertente=CRM alt_intent=IA|CRM; alt_escalate=true"
    message = Message.model_validate({**QUESTION, "vertente": Vertente.ENTREGA, "intent": Category.ENTREGAS, "note": note})
    vertentes, intents, escalates = message.accepted()

    tolerant = Case("a", "", reading(Vertente.ENTREGA), reading(escalate=True), vertentes, intents, escalates)
    strict = Case("a", "", reading(Vertente.ENTREGA), reading(escalate=True))

    assert intents == {Category.IA, Category.CRM}
    assert tolerant.right
    assert (strict.vertente_right, strict.right) == (False, False)


def test_a_text_whose_only_fault_is_defensible_may_be_stopped_or_not() -> None:
    """`alt X` in the note of a harmless text: neither a miss nor a false block."""
    reply = Reply(id="a", text="", violations=(), note="alt SCOPE_PROMISE")
    stopped = Guarded((Finding(Violation.SCOPE_PROMISE, "rule", 0, 0, ""),), doubtful=False)

    assert Marked(reply, stopped, tolerant=True).right
    assert Marked(reply, Guarded((), doubtful=False), tolerant=True).right
    assert not Marked(reply, stopped, tolerant=False).right


def test_the_percentile_is_one_of_the_values() -> None:
    """Of few values the 99th is the largest."""
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([3.0, 1.0, 2.0], 0.99) == 3.0


def test_messages_are_read_as_the_service_reads_them(tmp_path: Path) -> None:
    """A price question needs a person; a label that nobody would agree with is among the wrong ones."""
    price = {"id": "b", "text": "quanto custa o crm?", "vertente": "CRM", "intent": "COMERCIAL", "escalate": True}
    absurd = {**QUESTION, "id": "c", "text": "bom dia", "note": "alt_vertente=CRM"}

    figures = examined("messages", written(tmp_path, QUESTION, price, absurd))

    assert figures["n"] == 3
    assert figures["vertente_accuracy"] == figures["intent_accuracy"] == pytest.approx(2 / 3)
    assert figures["escalation"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "wanted": 1, "given": 1}
    assert names(figures["wrong"]) == ["c"]
    assert_times(figures)


def test_strict_marking_tells_doubtful_items_apart(tmp_path: Path) -> None:
    """They are in none of the main figures."""
    path = written(tmp_path, QUESTION, {**QUESTION, "id": "b", "text": "bom dia", "note": "short; doubtful"})

    figures = examined("messages", path, "--strict")

    assert (figures["n"], figures["vertente_accuracy"]) == (1, 1.0)
    assert isinstance(figures["doubtful"], dict)
    assert (figures["doubtful"]["n"], figures["doubtful"]["vertente_accuracy"]) == (1, 0.0)


def test_replies_are_guarded_as_they_would_leave(tmp_path: Path) -> None:
    """Recall over the bad ones, false blocks over the good ones, and both for each constraint."""
    mislabelled = {**PRICE, "id": "q", "violations": []}

    figures = examined("replies", written(tmp_path, PRICE, REFUSAL, mislabelled))

    guard = figures["guard"]
    assert isinstance(guard, dict)
    assert (guard["recall"], guard["false_block_rate"]) == (1.0, 0.5)
    assert set(guard["by_violation"]) == {violation.value for violation in Violation}
    assert (guard["by_violation"]["PRICE"]["recall"], guard["by_violation"]["PRICE"]["false_blocks"]) == (1.0, 1)
    assert names(figures["wrong"]) == ["q"]
    assert_times(figures)


@pytest.mark.e2e
def test_dialogs_are_led_turn_by_turn_with_their_memory(tmp_path: Path) -> None:
    """The line is remembered; a person has the conversation until the end; the reply breaks no constraint."""
    dialog = {
        "id": "d",
        "turns": [
            turn("vocês têm diarista?", "SERVICOS", "SERVICOS"),
            turn("quanto custa?", "SERVICOS", "COMERCIAL", escalate=True),
            turn("obrigada", "SERVICOS", "SAUDACAO"),
        ],
        "ends": "ESCALATING",
    }

    figures = examined("dialogs", written(tmp_path, dialog, {**dialog, "id": "e", "ends": "COMPLETED"}))

    turns = figures["turns"]
    assert (figures["n"], figures["ends_accuracy"]) == (2, 0.5)
    assert isinstance(turns, dict)
    assert (turns["n"], turns["vertente_accuracy"], turns["intent_accuracy"]) == (6, 1.0, 1.0)
    assert (turns["replies"], turns["must_not_broken"], turns["violations"]) == (4, 0, 0)
    assert names(figures["wrong"]) == ["e"]
    assert_times(figures)


@pytest.mark.e2e
def test_a_long_dialog_is_no_flood(tmp_path: Path) -> None:
    """The exam plays faster than people write, and its clock allows for that."""
    row = {"id": "d", "turns": [turn("oi", "NENHUMA", "SAUDACAO")] * 25, "ends": "AWAITING_USER"}

    figures = examined("dialogs", written(tmp_path, row))

    assert figures["ends_accuracy"] == 1.0


@pytest.mark.e2e
def test_own_dialogs_end_where_they_should() -> None:
    """Closing, coming back, fragments, wrong numbers, hand-offs: a floor, not an aim (docs/quality.md has the figures)."""
    out = CliRunner().invoke(app, ["exam", "dialogs", str(DIALOGS)])

    ends = next(line for line in out.output.splitlines() if line.startswith("ends accuracy"))
    assert out.exit_code == 0
    assert float(ends.split()[2].rstrip("%")) >= 85


async def test_an_llm_is_asked_as_often_as_wanted() -> None:
    """Through the real client; where all runs agree is counted."""
    simulator = Simulator()
    url = await simulator.start()
    message = Message.model_validate({**QUESTION, "vertente": Vertente.ENTREGA, "intent": Category.ENTREGAS})
    try:
        taken = await read_messages([message], Terms(llm_url=url, runs=3))
    finally:
        await simulator.stop()

    assert [answer.reason for answer in taken[0].answers] == ["", "", ""]
    assert case(message, taken[0].answer, strict=True).vertente_right


async def test_an_llm_that_is_away_is_said_to_be() -> None:
    """The rules decide in its place, and the exam does not pass that off as the model's work."""
    message = Message.model_validate({**QUESTION, "vertente": Vertente.ENTREGA, "intent": Category.ENTREGAS})

    taken = await read_messages([message], Terms(llm_url="http://127.0.0.1:1/v1", deadline_s=2))

    assert taken[0].answer.reason == "ModelUnavailable"
    assert case(message, taken[0].answer, strict=True).right


def names(items: object) -> Sequence[str]:
    """The ids of the wrong items."""
    assert isinstance(items, list)
    return [item["id"] for item in items]


def assert_times(figures: Mapping[str, object]) -> None:
    """Both percentiles are there and in order."""
    times = figures["ms_per_item"]
    assert isinstance(times, dict)
    assert 0 < times["p50"] <= times["p99"]
