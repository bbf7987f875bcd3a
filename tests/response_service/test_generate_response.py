"""What is said: the model's words behind the guard, and the canonical text when they break a rule, fail, or come too late."""

import time
from dataclasses import replace

import pytest
from pydantic import JsonValue

from common.deadline import Deadline
from common.errors import InvalidInput, Unavailable
from common.taxonomy import Action, Category, Vertente
from common.turn import Determination, Turn
from protos.conversation.v1 import conversation_pb2 as pb
from protos.response.v1 import response_pb2
from simulator.config import Behaviour, Fault, Script, SimulatorConfig
from simulator.server import Simulator
from tests.institution import shipped
from tests.services import response_service
from tests.store import nowhere_url

TURN = Turn(
    turn_id="turn-1",
    conversation_id="ana",
    channel="console",
    customer_text="vocês fazem entrega?",
    determination=Determination(
        action=Action.ANSWER,
        vertente=Vertente.ENTREGA,
        category=Category.ENTREGAS,
        intent="PYLOTO_ENTREGA_O_QUE_E",
        confidence=0.9,
        reasoning="test",
    ),
    recent=(),
)
CANONICAL = shipped().intents["PYLOTO_ENTREGA_O_QUE_E"].answer
PRICE = "A entrega custa R$ 25,00 na sua região."


def saying(*texts: str | None) -> Simulator:
    """The model's replies, one after the other; None for a good one."""
    scripts = [Script(match="response", overlay=overlay(text), times=1) for text in texts]
    return Simulator(SimulatorConfig(scripts=scripts))


def overlay(text: str | None) -> dict[str, JsonValue]:
    """What replaces the generated text."""
    return {"text": text} if text else {}


async def test_without_a_model_the_canonical_text_is_said() -> None:
    """It is a real answer, and says where it came from."""
    async with response_service() as service:
        response = await service.generate(TURN)

    assert response.text == CANONICAL
    assert response.provenance.source == pb.SOURCE_FALLBACK
    assert response.provenance.fallback_reason == "no_model"
    assert response.provenance.context_version == shipped().version


async def test_the_models_words_are_said_when_the_guard_finds_nothing() -> None:
    """With model, tokens and prompt version."""
    async with response_service(saying("Sim, fazemos entregas locais para lojas e pessoas.")) as service:
        response = await service.generate(TURN)

    assert response.text == "Sim, fazemos entregas locais para lojas e pessoas."
    assert response.provenance.source == pb.SOURCE_MODEL
    assert response.provenance.prompt_version == "response-2"
    assert response.provenance.output_tokens > 0


async def test_a_violation_is_repaired_once() -> None:
    """The model is shown what the guard found."""
    simulator = saying(PRICE, "Sim, fazemos entregas locais para lojas e pessoas.")
    async with response_service(simulator) as service:
        response = await service.generate(TURN)

    assert response.text == "Sim, fazemos entregas locais para lojas e pessoas."
    assert response.provenance.source == pb.SOURCE_REPAIRED
    assert response.provenance.llm_calls == 2
    assert [blocked.violation for blocked in response.blocked] == ["PRICE"]


async def test_a_second_violation_gets_the_canonical_text() -> None:
    """There is no third call, and no word of the model leaves."""
    simulator = saying(PRICE, "Fica em torno de 30 reais.")
    async with response_service(simulator) as service:
        response = await service.generate(TURN)

    assert response.text == CANONICAL
    assert response.provenance.fallback_reason == "guard"
    assert simulator.stats.calls == 2


async def test_what_was_blocked_is_stored_for_review() -> None:
    """The text, the rule, and what the customer had said."""
    async with response_service(saying(PRICE, PRICE)) as service:
        await service.generate(TURN)

        stored = await service.store.newest_blocked(10)

    assert [item["_id"] for item in stored] == ["turn-1"]
    assert PRICE in str(stored[0]["blocked"])
    assert stored[0]["customer_text"] == TURN.customer_text


FAULTS = [Fault.HANG, Fault.RATE_LIMIT, Fault.SERVER_ERROR, Fault.CUT_JSON, Fault.REFUSAL, Fault.DISCONNECT, Fault.NOT_JSON]


@pytest.mark.parametrize("fault", FAULTS)
async def test_when_the_model_fails_the_canonical_text_is_said_in_time(fault: Fault) -> None:
    """Within the caller's deadline, whatever the failure."""
    config = SimulatorConfig(default=Behaviour(rates={fault: 1.0}, retry_after_ms=2_000))
    async with response_service(Simulator(config)) as service:
        started_s = time.monotonic()
        response = await service.generate(TURN, within_s=1.0)
        took_s = time.monotonic() - started_s

    assert response.text == CANONICAL
    assert response.provenance.fallback_reason in {"ModelUnavailable", "ModelMisbehaved"}
    assert took_s < 1.0


async def test_a_model_that_hangs_at_the_repair_costs_no_more_than_the_deadline() -> None:
    """The violation is known, the time is over: the canonical text."""
    scripts = [Script(match="response", overlay={"text": PRICE}, times=1), Script(fault=Fault.HANG)]
    async with response_service(Simulator(SimulatorConfig(scripts=scripts))) as service:
        response = await service.generate(TURN, within_s=0.8)

    assert response.text == CANONICAL
    assert [blocked.violation for blocked in response.blocked] == ["PRICE"]


async def test_a_repeated_turn_gets_the_stored_text_and_costs_nothing() -> None:
    """Also when it says that it is the first attempt, and is not."""
    simulator = Simulator()
    async with response_service(simulator) as service:
        first = await service.generate(TURN)
        second = await service.generate(TURN)
        third = await service.generate(replace(TURN, first_attempt=True))

    assert simulator.stats.calls == 1
    assert (first.repeated_call, second.repeated_call) == (False, True)
    assert first.text == second.text == third.text


@pytest.mark.parametrize(("action", "phrase"), [(Action.REFUSE, "INJECTION"), (Action.DISMISS, "SPAM")])
async def test_an_attack_is_answered_by_a_fixed_text(action: Action, phrase: str) -> None:
    """The model never sees it."""
    simulator = Simulator()
    found = replace(TURN.determination, action=action, phrase=phrase, intent="")
    async with response_service(simulator) as service:
        response = await service.generate(replace(TURN, determination=found))

    assert response.text == shipped().phrases[phrase]
    assert simulator.stats.calls == 0


@pytest.mark.parametrize(
    ("field", "turn"),
    [
        ("turn.determination", pb.Turn(turn_id="t", conversation_id="c", channel="console")),
        ("turn.turn_id", pb.Turn(conversation_id="c", channel="console", determination=pb.Determination())),
        (
            "turn.customer_text",
            pb.Turn(
                turn_id="t", conversation_id="c", channel="x", customer_text="x" * 16_385, determination=pb.Determination()
            ),
        ),
        ("turn.turn_id", pb.Turn(conversation_id="c", channel="console")),
        ("turn.determination.action", pb.Turn(turn_id="t", conversation_id="c", channel="x", determination=pb.Determination())),
    ],
)
async def test_bad_input_names_the_field(field: str, turn: pb.Turn) -> None:
    """By its path in the request."""
    async with response_service() as service:
        request = response_pb2.GenerateResponseRequest(turn=turn)

        with pytest.raises(InvalidInput) as refused:
            await service.caller.call(
                service.stub.GenerateResponse, request, deadline=Deadline.after(5), name="GenerateResponse"
            )

    assert refused.value.field == field


async def test_without_its_store_a_first_attempt_is_answered_and_pays_once() -> None:
    """The gateway saves the text before it leaves; here it is kept in memory for a repeated call."""
    simulator = Simulator()
    async with response_service(simulator, mongodb_url=nowhere_url(), mongodb_timeout_s=0.1) as service:
        first, second = [await service.generate(replace(TURN, first_attempt=True)) for _ in range(2)]

    assert first.text == second.text
    assert simulator.stats.calls == 1


async def test_without_its_store_a_repeated_turn_has_to_wait() -> None:
    """Another replica may have said something already."""
    async with response_service(Simulator(), mongodb_url=nowhere_url(), mongodb_timeout_s=0.1) as service:
        with pytest.raises(Unavailable, match="replies"):
            await service.generate(replace(TURN, first_attempt=False))


async def test_without_its_store_nothing_that_was_blocked_is_passed_over() -> None:
    """It is written nowhere else."""
    async with response_service(saying(PRICE, None), mongodb_url=nowhere_url(), mongodb_timeout_s=0.1) as service:
        with pytest.raises(Unavailable, match="blocked"):
            await service.generate(replace(TURN, first_attempt=True))


async def test_a_graceful_stop_waits_for_what_is_being_written() -> None:
    """What was said at the last moment is found afterwards."""
    async with response_service(Simulator()) as service:
        response = await service.generate(replace(TURN, first_attempt=True))
        await service.drain()

        stored = await service.store.find(TURN.turn_id)

    assert stored is not None
    assert stored.text == response.text
