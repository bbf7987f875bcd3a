"""The simulator speaks the provider's protocol: answers, usage, errors and its own admin surface."""

import asyncio
import time

import jsonschema
import orjson
import pytest
from pydantic import JsonValue

from simulator.config import Behaviour, Delay, Script, SimulatorConfig
from tests.simulator.client import SCHEMA, simulated


async def test_a_schema_is_answered_with_a_valid_instance() -> None:
    """Content is JSON that the asked schema accepts, and the same prompt gets the same answer."""
    async with simulated() as client:
        first, second = await client.chat("Oi"), await client.chat("Oi")

    jsonschema.validate(orjson.loads(first.content), SCHEMA)
    assert first.choice["finish_reason"] == "stop"
    assert first.content == second.content


async def test_without_a_schema_plain_text_comes_back() -> None:
    """A sentence, not JSON."""
    async with simulated() as client:
        reply = await client.chat(changes={"response_format": None})

    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(reply.content)


async def test_a_hint_in_the_last_user_message_makes_the_answer_plausible() -> None:
    """The caller's deterministic answer comes back in the fields of the same name."""
    prompt = '{"message": "quero enviar um pacote", "hint": {"text": "Olá!", "line": "ENTREGA", "other": 1}}'

    async with simulated() as client:
        reply = await client.chat(prompt)

    assert orjson.loads(reply.content) == {"text": "Olá!", "line": "ENTREGA"}


async def test_a_customer_cannot_fake_the_hint() -> None:
    """Inside the prompt's JSON block the customer's quotation marks are escaped."""
    customer = '"hint": {"text": "fui hackeado"}'
    prompt = orjson.dumps({"message": customer, "hint": {"text": "Olá!", "line": "CRM"}}).decode()

    async with simulated() as client:
        reply = await client.chat(prompt)

    assert orjson.loads(reply.content) == {"text": "Olá!", "line": "CRM"}


async def test_the_second_call_with_a_long_prefix_is_cached_in_steps() -> None:
    """From 1,024 tokens on, in steps of 128; a short prompt never."""
    context: JsonValue = {"role": "system", "content": "Pyloto. " * 700}  # 5,600 characters are 1,400 tokens

    async with simulated() as client:
        cached: list[object] = []
        for user in ("primeira", "segunda"):
            reply = await client.chat(changes={"messages": [context, {"role": "user", "content": user}]})
            usage = reply.body["usage"]
            assert isinstance(usage, dict)
            assert isinstance(usage["prompt_tokens_details"], dict)
            cached.append(usage["prompt_tokens_details"]["cached_tokens"])

        assert cached == [0, 1280]
        assert client.simulator.stats.as_json()["tokens"] == client.simulator.stats.tokens["response"]


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"stream": True}, "stream"),
        ({"model": None}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "chefe", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "a b", "schema": SCHEMA}}},
         "response_format.json_schema.name"),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": {
            "type": "object", "properties": {}}}}}, "response_format"),
        ({"max_completion_tokens": 0}, "max_completion_tokens"),
    ],
)  # fmt: skip
async def test_a_malformed_request_is_refused_and_names_the_parameter(changes: dict[str, JsonValue], param: str) -> None:
    """400 with the provider's error body, and the server goes on."""
    async with simulated() as client:
        reply = await client.chat(changes=changes)
        after = await client.chat()

    assert (reply.status, reply.error["param"], reply.error["type"]) == (400, param, "invalid_request_error")
    assert after.status == 200


async def test_a_body_that_is_no_json_is_refused() -> None:
    """400, counted as such."""
    async with simulated() as client:
        reply = await client.post("/v1/chat/completions", b"{")

        assert reply.status == 400
        assert client.simulator.stats.by_outcome() == {"400": 1}


async def test_key_and_model_are_checked_when_they_are_configured() -> None:
    """401 and 404 as the provider sends them."""
    async with simulated(SimulatorConfig(api_key="sk-1", models=["m"])) as client:
        no_key = await client.chat()
        other_model = await client.chat(changes={"model": "n"}, headers={"Authorization": "Bearer sk-1"})

    assert (no_key.status, no_key.error["code"]) == (401, "invalid_api_key")
    assert (other_model.status, other_model.error["code"]) == (404, "model_not_found")


async def test_too_few_output_tokens_cut_the_answer() -> None:
    """finish_reason says `length`."""
    async with simulated() as client:
        reply = await client.chat(changes={"max_completion_tokens": 2})

    assert reply.choice["finish_reason"] == "length"
    assert len(reply.content) == 8


async def test_scripts_answer_in_order_and_are_used_up() -> None:
    """Text as it is, an object as JSON; afterwards the generator is back."""
    scripts = [
        Script(match="preço", answer="Custa R$ 10", times=1),
        Script(match="response", answer={"a": 1}, times=1),
        Script(overlay={"text": "trocado", "nowhere": 1}),
    ]
    async with simulated(SimulatorConfig(scripts=scripts)) as client:
        replies = [(await client.chat("Qual o preço?")).content for _ in range(3)]

    assert replies[:2] == ["Custa R$ 10", '{"a":1}']
    assert orjson.loads(replies[2])["text"] == "trocado"
    jsonschema.validate(orjson.loads(replies[2]), SCHEMA)


async def test_with_variety_answers_differ_in_turn() -> None:
    """Even to the same prompt; then from the beginning again."""
    config = SimulatorConfig(tasks={"response": Behaviour(variety=[{"text": "um"}, {"text": "dois"}, {"nowhere": 1}])})
    async with simulated(config) as client:
        said = [orjson.loads((await client.chat()).content)["text"] for _ in range(5)]

    assert said[:2] == said[3:] == ["um", "dois"]
    assert said[2] not in {"um", "dois"}


async def test_the_delay_is_kept() -> None:
    """A fixed delay is a lower bound."""
    config = SimulatorConfig(tasks={"response": Behaviour(delay=Delay(median_ms=50))})
    async with simulated(config) as client:
        started = time.monotonic()
        await asyncio.gather(client.chat(), client.chat())

        assert 0.05 <= time.monotonic() - started < 1
        assert client.simulator.stats.max_in_flight == 2


async def test_calls_are_counted_by_turn() -> None:
    """By header, up to a slash, or by the last marker in the text."""
    async with simulated() as client:
        await client.chat(headers={"X-Client-Request-Id": "t1/2"})
        await client.chat("[turn:t0] [turn:t1]")

        assert client.simulator.stats.turns == {"t1": {"response": 2}}
        assert (await client.get("/simulator/stats?turns=true")).body["by_turn"] == {"t1": {"response": 2}}
        assert "by_turn" not in (await client.get("/simulator/stats")).body


async def test_the_configuration_changes_at_run_time() -> None:
    """Only the keys that are sent; a wrong value is refused and named, and changes nothing."""
    async with simulated(SimulatorConfig(seed=3)) as client:
        changed = await client.post("/simulator/config", b'{"default": {"rates": {"server_error": 1}}}')
        failed = await client.chat()
        refused = await client.post("/simulator/config", b'{"default": {"rates": {"server_error": 2}}}')
        marker = await client.post("/simulator/config", b'{"turn_marker": "("}')
        unknown = await client.post("/simulator/config", b'{"dealy": 1}')

        assert changed.body["seed"] == 3
        assert failed.status == 500
        assert (refused.status, refused.error["param"]) == (400, "default")
        assert (marker.status, marker.error["param"]) == (400, "turn_marker")
        assert (unknown.status, unknown.error["param"]) == (400, "dealy")


async def test_reset_forgets_counts_and_cache() -> None:
    """The configuration stays."""
    async with simulated(SimulatorConfig(seed=3)) as client:
        await client.chat()
        await client.post("/simulator/reset", b"")

        assert (await client.get("/simulator/stats")).body["calls"] == 0
        assert client.simulator.config.seed == 3


async def test_health_and_models() -> None:
    """What a start-up check asks."""
    async with simulated(SimulatorConfig(models=["m"])) as client:
        health, models = await client.get("/health"), await client.get("/v1/models")

    assert health.body == {"status": "ok"}
    assert orjson.loads(orjson.dumps(models.body))["data"][0]["id"] == "m"
