"""One turn: what degrades it and what stops it, and that nothing leaves past the last door of the guard."""

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

import gateway as gateway_package
from cli.review_items import Item, blocked_last
from common.errors import DeadlineExceeded, InvalidInput, Unavailable
from common.taxonomy import Action, MessageKind, State
from gateway.compose import Asset, Choice, Form
from tests.gateway.setting import FOUND, Setting, gateway, until
from tests.institution import shipped

PRICE = "A entrega custa R$ 25,00"
SAFE = shipped().phrases["SAFE"]


async def test_without_the_response_service_the_canonical_text_is_said() -> None:
    """The customer gets the institution's own answer."""
    async with gateway() as setting:
        setting.services.word_failure = Unavailable("GenerateResponse: away")
        await setting.send("m1")

        reply = await setting.reply()

    assert reply["text"] == shipped().intents["PYLOTO_ENTREGA_O_QUE_E"].answer
    assert reply["fallback"] is True


async def test_without_the_message_type_service_plain_text_goes_out() -> None:
    """A form is a comfort, not a condition."""
    async with gateway() as setting:
        setting.services.form_failure = InvalidInput("kind", "is strange")
        await setting.send("m1")

        reply = await setting.reply()

    assert (reply["kind"], reply["text"]) == ("MESSAGE_KIND_TEXT", "resposta a m1")


async def test_the_turn_is_completed_with_what_was_said() -> None:
    """So that the next turn knows it, and the options that were shown."""
    async with gateway() as setting:
        setting.services.form = Form(MessageKind.BUTTON, (Choice("loja", "Tenho uma loja"), Choice("area", "Área atendida")))
        await setting.send("m1")
        reply = await setting.reply()

        await until(lambda: setting.services.completed)
        completed = setting.services.completed[0]

    assert completed.reply_text == "resposta a m1"
    assert completed.reply_id == reply["reply_id"]
    assert list(completed.option_ids) == ["loja", "area"]


async def test_the_customer_does_not_wait_for_the_end_of_the_turn_but_whoever_takes_over_does() -> None:
    """The reply leaves although the FSM service hangs; the hand-off, once the conversation is in the state that it tells."""
    async with gateway() as setting:
        setting.services.found = replace(FOUND, action=Action.HAND_OFF, escalation_reason="commercial")
        setting.services.completing.clear()
        await setting.send("m1")

        reply = await setting.reply()
        with pytest.raises(TimeoutError):
            await setting.escalations.next(timeout_s=0.05)
        assert setting.broker.acked == []

        setting.services.completing.set()
        hand_off = orjson.loads((await setting.escalations.next(timeout_s=5)).body)
        await until(lambda: setting.broker.acked)

    assert hand_off["turn_id"] == reply["turn_id"]


async def test_a_reply_is_not_sent_again_when_only_the_end_of_the_turn_failed() -> None:
    """It is completed by a later attempt, and the next message of the conversation waits for that."""
    async with gateway() as setting:
        setting.services.completion_failures = [Unavailable("CompleteTurn: away"), DeadlineExceeded("CompleteTurn: late")]
        await setting.send("m1")
        first = await setting.reply()
        await setting.send("m2")
        second = await setting.reply()

    assert (first["text"], second["text"]) == ("resposta a m1", "resposta a m2")
    assert [completed.reply_text for completed in setting.services.completed] == ["resposta a m1", "resposta a m2"]


async def test_a_hand_off_is_published_with_its_reply() -> None:
    """The customer is told, and a person gets the conversation."""
    async with gateway() as setting:
        setting.services.found = replace(FOUND, action=Action.HAND_OFF, escalation_reason="commercial")
        setting.services.resting = State.ESCALATING
        await setting.send("m1")

        reply = await setting.reply()
        hand_off = orjson.loads((await setting.escalations.next(timeout_s=5)).body)

    assert hand_off["turn_id"] == reply["turn_id"]
    assert hand_off["reason"] == "commercial"
    assert reply["state"] == "STATE_ESCALATING"


async def test_while_a_person_has_the_conversation_the_message_is_forwarded_and_nothing_said() -> None:
    """The bot is silent, and the turn is completed all the same."""
    async with gateway() as setting:
        setting.services.found = replace(FOUND, action=Action.STAY_SILENT, escalation_reason="forwarded")
        setting.services.resting = State.ESCALATING
        await setting.send("m1")

        forwarded = orjson.loads((await setting.escalations.next(timeout_s=5)).body)
        answered = orjson.loads((await setting.events.next(timeout_s=5)).body)

        assert forwarded["recent"][-1]["customer_text"] == "m1"
        assert (answered["type"], answered["reason"]) == ("turn_answered", "silent")
        assert setting.services.completed[0].reply_text == ""
        with pytest.raises(TimeoutError):
            await setting.replies.next(timeout_s=0.05)


def with_text(setting: Setting) -> None:
    """The response service says it."""
    setting.services.say = lambda _: PRICE


def with_long_text(setting: Setting) -> None:
    """It is in the second part of a long text."""
    setting.services.say = lambda _: "Olá. " * 1_000 + PRICE


def with_title(setting: Setting) -> None:
    """A button says it."""
    setting.services.form = Form(MessageKind.BUTTON, (Choice("a", "Só R$ 25,00"),))


def with_description(setting: Setting) -> None:
    """A row's second line says it."""
    setting.services.form = Form(MessageKind.LIST, (Choice("a", "Entrega", PRICE),), "Ver opções")


def with_button_label(setting: Setting) -> None:
    """The list's own button says it."""
    setting.services.form = Form(MessageKind.LIST, (Choice("a", "Entrega"),), "Só R$ 25,00")


def with_many_options(setting: Setting) -> None:
    """Options that became numbered text say it."""
    setting.services.form = Form(MessageKind.LIST, tuple(Choice(str(n), f"Por R$ {n},00") for n in range(20, 32)))


def with_asset(setting: Setting) -> None:
    """The title of an asset says it."""
    setting.services.form = Form(MessageKind.CTA_URL, asset=Asset("a", "https://pyloto.com.br", title="Só R$ 25,00"))


def with_caption(setting: Setting) -> None:
    """The text beside a picture says it."""
    setting.services.say = lambda _: PRICE
    setting.services.form = Form(MessageKind.IMAGE, asset=Asset("a", "https://pyloto.com.br/a.jpg"))


def with_text_after_audio(setting: Setting) -> None:
    """The message after an audio says it."""
    setting.services.say = lambda _: PRICE
    setting.services.form = Form(MessageKind.AUDIO, asset=Asset("a", "https://pyloto.com.br/a.ogg"))


def split_over_text_and_title(setting: Setting) -> None:
    """Only text and button together say it."""
    setting.services.say = lambda _: "O valor da entrega é"
    setting.services.form = Form(MessageKind.BUTTON, (Choice("a", "R$ 25,00"),))


@pytest.mark.parametrize(
    "violate",
    [
        with_text,
        with_long_text,
        with_title,
        with_description,
        with_button_label,
        with_many_options,
        with_asset,
        with_caption,
        with_text_after_audio,
        split_over_text_and_title,
    ],
)
async def test_a_price_from_a_service_never_leaves(violate: Callable[[Setting], None]) -> None:
    """Whichever field it comes in, the safe text leaves in its place, and an event says so."""
    async with gateway() as setting:
        violate(setting)
        await setting.send("m1")

        published = await setting.replies.next(timeout_s=5)
        events = [orjson.loads((await setting.events.next(timeout_s=5)).body) for _ in range(3)]

    reply = orjson.loads(published.body)
    assert reply["text"] == SAFE
    assert (reply["options"], reply["further_texts"]) == ([], [])
    assert b"25,00" not in published.body
    assert [event["reason"] for event in events if event["type"] == "guard_blocked"] == ["PRICE"]


async def test_what_the_last_door_stopped_is_kept_for_review() -> None:
    """The text, the finding, and the documents that were in use."""
    async with gateway() as setting:
        with_text(setting)
        await setting.send("m1")
        await setting.reply()

        [item] = await collect_blocked(setting)

    assert "25,00" in item.blocked_text
    assert (item.violations, item.reply_text) == (("PRICE",), SAFE)


async def collect_blocked(setting: Setting) -> list[Item]:
    """As `pyloto review` finds them."""
    return [item for turn in await setting.store.newest_of_all(10) for item in blocked_last(turn)]


async def test_what_the_guard_replaced_is_also_what_is_remembered() -> None:
    """The next turn, a repetition and the attendant see the safe text, not the violation."""
    async with gateway() as setting:
        with_text(setting)
        setting.services.found = replace(FOUND, action=Action.HAND_OFF, escalation_reason="commercial")
        await setting.send("m1")
        await setting.reply()
        hand_off = await setting.escalations.next(timeout_s=5)
        await setting.send("m1")
        repeated = await setting.replies.next(timeout_s=5)

    assert setting.services.completed[0].reply_text == SAFE
    assert b"25,00" not in hand_off.body
    assert b"25,00" not in repeated.body


def test_no_path_to_the_outbound_exchange_avoids_the_last_door() -> None:
    """In the gateway one function addresses that exchange, one calls it, and what it sends was made behind the guard."""
    functions = _functions(Path(str(gateway_package.__path__[0])))

    addressing = {name for name, body in functions.items() if "topology.outbound" in _attributes(body)}
    sending = {name for name, body in functions.items() if "outbound.reply_publication" in _attributes(body)}
    making = {name for name, body in functions.items() if "outbound.outbound_message" in _attributes(body)}
    answering = {name for name, body in functions.items() if "self._fixed" in _attributes(body)}

    assert addressing == {"outbound.reply_publication"}
    assert sending == {"answer_turn._reply"}
    assert making == {"answer_turn._fixed"}
    assert answering == {"answer_turn._compute"}
    order = _calls(functions["answer_turn._compute"])
    assert order.index("compose") < order.index("self._guard_last") < order.index("self._fixed")


def _functions(package: Path) -> dict[str, ast.AST]:
    """Every function of a package, by module and name."""
    return {
        f"{path.stem}.{node.name}": node
        for path in package.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def _attributes(function: ast.AST) -> set[str]:
    return {ast.unparse(node) for node in ast.walk(function) if isinstance(node, ast.Attribute)}


def _calls(function: ast.AST) -> list[str]:
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    return [ast.unparse(call.func) for call in sorted(calls, key=lambda call: (call.lineno, call.end_lineno or 0))]
