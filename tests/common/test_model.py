"""One structured call: each way in which a provider fails or a model misbehaves, with the calls that it may cost."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog
from aiohttp import web
from pydantic import JsonValue, SecretStr

from common.breaker import BreakerState
from common.deadline import Deadline
from common.errors import DeadlineExceeded, ModelMisbehaved, ModelUnavailable
from common.model import CallOutcome, ModelSettings, OpenAIModel, Task
from common.taxonomy import Source
from simulator.config import Behaviour, Delay, Fault, Script, SimulatorConfig
from tests.common.model_setup import TASK, Line, Reply, Seen, always, asking, scripted

HINT = '{"hint": {"text": "Olá!", "line": "CRM", "confidence": 0.8}}'


@asynccontextmanager
async def _model_of(
    handler: Callable[[web.Request], Awaitable[web.Response]],
) -> AsyncIterator[tuple[OpenAIModel, Seen]]:
    """A model on a server that the simulator cannot play."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    seen = Seen()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    model = OpenAIModel(ModelSettings(llm_base_url=url, llm_api_key=SecretStr("k")), seen)
    try:
        yield model, seen
    finally:
        await model.close()
        await runner.cleanup()


async def test_an_answer_is_typed_and_accounted() -> None:
    """The value is the answer type, and the tokens are the provider's."""
    async with asking() as setup:
        answer = await setup.ask(HINT)

        assert answer.value == Reply(text="Olá!", line=Line.CRM, confidence=0.8)
        assert (answer.source, answer.attempts, answer.model) == (Source.MODEL, 1, "gpt-4o-mini")
        assert answer.input_tokens > 0
        assert answer.output_tokens > 0
        assert setup.seen.outcomes == [CallOutcome.OK]
        assert setup.seen.usages[0].prompt_tokens == answer.input_tokens


async def test_the_stable_prefix_is_cached() -> None:
    """From the second call on most input tokens are cached ones."""
    async with asking() as setup:
        prefix = "Contexto da Pyloto. " * 400
        first = await setup.ask("Oi", prefix=prefix)
        second = await setup.ask("Tudo bem?", prefix=prefix)

        assert first.cached_tokens == 0
        assert second.cached_tokens > 0.9 * second.input_tokens


async def test_the_call_carries_the_turn_it_belongs_to() -> None:
    """The correlation id of the logs, so that calls can be counted by turn."""
    async with asking() as setup:
        with structlog.contextvars.bound_contextvars(correlation_id="turno-1\r\n/x"):
            await setup.ask()

        assert list(setup.simulator.stats.turns) == ["turno-1x"]


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault.RATE_LIMIT, CallOutcome.RATE_LIMITED),
        (Fault.SERVER_ERROR, CallOutcome.SERVER_ERROR),
        (Fault.DISCONNECT, CallOutcome.CONNECTION),
    ],
)
async def test_a_passing_failure_is_retried(fault: Fault, outcome: CallOutcome) -> None:
    """Two failures, then the answer: three calls."""
    async with asking(scripted(fault, fault)) as setup:
        answer = await setup.ask()

        assert (answer.attempts, answer.source, setup.calls) == (3, Source.MODEL, 3)
        assert setup.seen.outcomes == [outcome, outcome, CallOutcome.OK]


@pytest.mark.parametrize("fault", [Fault.RATE_LIMIT, Fault.SERVER_ERROR, Fault.DISCONNECT])
async def test_a_lasting_failure_ends_after_the_last_attempt(fault: Fault) -> None:
    """Three calls and no more."""
    async with asking(always(fault)) as setup:
        with pytest.raises(ModelUnavailable):
            await setup.ask()

        assert setup.calls == 3


async def test_a_wait_that_the_provider_wants_is_kept() -> None:
    """Retry-After-ms, when it fits."""
    async with asking(scripted(Fault.RATE_LIMIT, retry_after_ms=120)) as setup:
        started_s = time.monotonic()
        await setup.ask()

        assert time.monotonic() - started_s >= 0.12


async def test_a_wait_beyond_the_deadline_ends_at_once() -> None:
    """No attempt is made that the provider has said it will refuse."""
    async with asking(scripted(Fault.RATE_LIMIT, retry_after_ms=60_000)) as setup:
        started_s = time.monotonic()
        with pytest.raises(ModelUnavailable, match="429"):
            await setup.ask(within_s=5)

        assert time.monotonic() - started_s < 1
        assert setup.calls == 1


@pytest.mark.parametrize(
    ("config", "settings"),
    [
        (always(Fault.QUOTA), {}),
        (SimulatorConfig(api_key="sk-other"), {}),
        (SimulatorConfig(models=["another"]), {}),
    ],
)
async def test_a_failure_that_no_waiting_cures_is_not_retried(config: SimulatorConfig, settings: dict[str, float]) -> None:
    """Used-up quota, wrong key, unknown model: one call, and a log line that says what to do."""
    with structlog.testing.capture_logs() as logs:
        async with asking(config, **settings) as setup:
            with pytest.raises(ModelUnavailable):
                await setup.ask()

            assert setup.calls == 1

    assert logs[0]["log_level"] == "error"
    assert logs[0]["advice"]


async def test_a_hung_provider_costs_no_more_than_the_deadline() -> None:
    """The call ends in time, and its slot and connection are free."""
    async with asking(always(Fault.HANG)) as setup:
        started_s = time.monotonic()
        with pytest.raises(ModelUnavailable, match="no answer within"):
            await setup.ask(within_s=0.3)

        assert 0.25 < time.monotonic() - started_s < 0.6
        assert setup.seen.outcomes == [CallOutcome.TIMEOUT]


async def test_a_deadline_that_has_passed_makes_no_call() -> None:
    """No call starts that cannot finish."""
    async with asking() as setup:
        with pytest.raises(DeadlineExceeded):
            await setup.ask(within_s=0.05)

        assert setup.calls == 0


@pytest.mark.parametrize("fault", [Fault.CUT_JSON, Fault.SCHEMA_MISS, Fault.NOT_JSON, Fault.INVENTED_ENUM])
async def test_an_invalid_answer_is_repaired_once(fault: Fault) -> None:
    """The second answer counts, and says that it was the second."""
    async with asking(scripted(fault)) as setup:
        answer = await setup.ask(HINT)

        assert (answer.source, answer.attempts, setup.calls) == (Source.REPAIRED, 2, 2)
        assert setup.seen.outcomes == [CallOutcome.INVALID, CallOutcome.OK]


@pytest.mark.parametrize("fault", [Fault.CUT_JSON, Fault.SCHEMA_MISS, Fault.NOT_JSON, Fault.INVENTED_ENUM])
async def test_a_second_invalid_answer_is_the_last(fault: Fault) -> None:
    """Two calls, then the caller's deterministic path."""
    async with asking(always(fault)) as setup:
        with pytest.raises(ModelMisbehaved):
            await setup.ask()

        assert setup.calls == 2


async def test_the_repair_names_what_was_wrong() -> None:
    """The model is shown the field, and its own answer is in the prompt."""
    wrong: dict[str, JsonValue] = {"text": "Olá!", "line": "CRM", "confidence": 7}
    scripts = [
        Script(match="confidence: Input should be less than or equal to 1", answer=wrong | {"confidence": 1}),
        Script(answer=wrong, times=1),
    ]
    async with asking(SimulatorConfig(scripts=scripts)) as setup:
        answer = await setup.ask()

        assert (answer.source, answer.value.confidence) == (Source.REPAIRED, 1)


async def test_a_repair_that_fails_is_misbehaviour() -> None:
    """The first answer was invalid; that the provider then failed does not change it."""
    async with asking(scripted(Fault.NOT_JSON, *[Fault.SERVER_ERROR] * 3)) as setup:
        with pytest.raises(ModelMisbehaved, match="could not be repaired"):
            await setup.ask()

        assert setup.calls == 4


async def test_a_refusal_is_not_repaired() -> None:
    """One call."""
    async with asking(always(Fault.REFUSAL)) as setup:
        with pytest.raises(ModelMisbehaved, match="refused"):
            await setup.ask()

        assert (setup.calls, setup.seen.outcomes) == (1, [CallOutcome.REFUSAL])


async def test_refusals_do_not_open_the_circuit() -> None:
    """They depend on what a customer writes: one of them must not be able to cut the others off."""
    async with asking(always(Fault.REFUSAL)) as setup:
        for _ in range(30):
            with pytest.raises(ModelMisbehaved):
                await setup.ask()

        assert (setup.calls, setup.seen.states) == (30, [])


@pytest.mark.parametrize(("status", "calls"), [(400, 10), (422, 10), (401, 5), (403, 5), (404, 5)])
async def test_only_rejections_that_hit_every_call_open_the_circuit(status: int, calls: int) -> None:
    """A wrong key does; a request that is wrong may be one customer's, and must not cut the others off."""
    served = 0

    async def reject(_: web.Request) -> web.Response:
        nonlocal served
        served += 1
        return web.json_response({"error": {"message": "no", "code": "x", "param": "messages"}}, status=status)

    async with _model_of(reject) as (model, _):
        for _ in range(10):
            with pytest.raises(ModelUnavailable):
                await model.ask(TASK, prefix="p", user="u", deadline=Deadline.after(5))

    assert served == calls


async def test_the_circuit_opens_and_closes_by_itself() -> None:
    """Five failures, then no calls, then one probe and back to normal."""
    async with asking(always(Fault.SERVER_ERROR), llm_max_attempts=1, llm_breaker_open_s=0.2) as setup:
        for _ in range(8):
            with pytest.raises(ModelUnavailable):
                await setup.ask()
        assert setup.calls == 5

        setup.simulator.config = SimulatorConfig()
        with pytest.raises(ModelUnavailable, match="circuit open"):
            await setup.ask()
        await asyncio.sleep(0.21)  # the circuit's own time has to pass
        await setup.ask()

        assert setup.seen.states == [BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED]


async def test_hung_calls_open_the_circuit() -> None:
    """Later customers do not wait for what does not answer."""
    async with asking(always(Fault.HANG), llm_timeout_s=0.15, llm_max_attempts=1) as setup:
        results = await asyncio.gather(*(setup.ask() for _ in range(5)), return_exceptions=True)
        started_s = time.monotonic()
        with pytest.raises(ModelUnavailable, match="circuit open"):
            await setup.ask()

        assert all(isinstance(result, ModelUnavailable) for result in results)
        assert time.monotonic() - started_s < 0.1


async def test_calls_that_had_hardly_more_time_than_they_usually_take_do_not_open_the_circuit() -> None:
    """When it is us who are slow the provider is not to blame, and the next customer, who has time, gets its answer."""
    async with asking(SimulatorConfig(default=Behaviour(delay=Delay(median_ms=700))), llm_max_attempts=1) as setup:
        await setup.ask()
        hurried = (setup.ask(within_s=0.6) for _ in range(6))
        results = await asyncio.gather(*hurried, return_exceptions=True)

        assert all(isinstance(result, ModelUnavailable) for result in results)
        assert (await setup.ask()).source is Source.MODEL
        assert setup.seen.states == []


async def test_each_task_has_its_own_circuit() -> None:
    """What fails for one task goes on for another."""
    config = SimulatorConfig(tasks={"response": Behaviour(rates={Fault.SERVER_ERROR: 1.0})})
    other = Task(name="other", answer_type=Reply, model="m", prompt_version="v1", max_output_tokens=300)
    async with asking(config, llm_max_attempts=1) as setup:
        for _ in range(6):
            with pytest.raises(ModelUnavailable):
                await setup.ask()

        answer = await setup.model.ask(other, prefix="p", user="u", deadline=Deadline.after(5))

        assert answer.source is Source.MODEL


async def test_no_more_calls_are_in_flight_than_allowed() -> None:
    """The others wait their turn."""
    config = SimulatorConfig(default=Behaviour(delay=Delay(median_ms=20)))
    async with asking(config, llm_max_concurrency=2) as setup:
        await asyncio.gather(*(setup.ask() for _ in range(8)))

        assert setup.calls == 8
        assert setup.simulator.stats.max_in_flight == 2


async def test_waiting_for_a_slot_ends_with_the_deadline() -> None:
    """ModelUnavailable, without a call."""
    async with asking(always(Fault.HANG), llm_max_concurrency=1) as setup:
        blocking = asyncio.create_task(setup.ask(within_s=5))
        while not setup.simulator.stats.in_flight:  # noqa: ASYNC110 - the counter is what we wait for
            await asyncio.sleep(0)

        with pytest.raises(ModelUnavailable, match="LLM_MAX_CONCURRENCY"):
            await setup.ask(within_s=0.3)

        assert setup.calls == 1
        blocking.cancel()
        await asyncio.gather(blocking, return_exceptions=True)


async def test_a_cancelled_call_gives_its_slot_back() -> None:
    """Also while it waits for one; and it tells the breaker nothing."""
    config = SimulatorConfig(scripts=[Script(fault=Fault.HANG, times=1)])
    async with asking(config, llm_max_concurrency=1, llm_breaker_consecutive_failures=1) as setup:
        calls = [asyncio.create_task(setup.ask()) for _ in range(3)]
        while not setup.simulator.stats.in_flight:  # noqa: ASYNC110 - the counter is what we wait for
            await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

        answer = await setup.ask()

        assert answer.attempts == 1
        assert setup.seen.outcomes == [CallOutcome.CANCELLED, CallOutcome.OK]
        assert setup.seen.states == []


async def test_a_cancelled_probe_does_not_wedge_the_circuit() -> None:
    """The next call is the probe."""
    config = SimulatorConfig(scripts=[Script(fault=Fault.SERVER_ERROR, times=1), Script(fault=Fault.HANG, times=1)])
    settings = {"llm_max_attempts": 1, "llm_breaker_consecutive_failures": 1, "llm_breaker_open_s": 0.001}
    async with asking(config, **settings) as setup:
        with pytest.raises(ModelUnavailable):
            await setup.ask()
        await asyncio.sleep(0.01)  # the circuit's own time has to pass
        probe = asyncio.create_task(setup.ask())
        while not setup.simulator.stats.in_flight:  # noqa: ASYNC110 - the counter is what we wait for
            await asyncio.sleep(0)
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)

        await setup.ask()

        assert setup.seen.states[-1] is BreakerState.CLOSED


async def test_a_server_that_is_away_is_unavailable() -> None:
    """Connection refused is a failure like the others."""
    async with asking() as setup:
        await setup.simulator.stop()

        with pytest.raises(ModelUnavailable, match="no connection"):
            await setup.ask()

        assert setup.seen.outcomes == [CallOutcome.CONNECTION] * 3


async def test_an_option_that_the_server_refuses_is_left_out() -> None:
    """Each costs one call, the first time; nothing else changes."""
    bodies: list[dict[str, JsonValue]] = []

    async def picky(request: web.Request) -> web.Response:
        bodies.append(await request.json())
        for option in ("temperature", "seed"):
            if option in bodies[-1]:
                error = {"message": "no", "param": option, "code": "unsupported_value", "type": "invalid_request_error"}
                return web.json_response({"error": error}, status=400)
        content = '{"text": "ok", "line": "CRM", "confidence": 1}'
        return web.json_response({"choices": [{"message": {"content": content}, "finish_reason": "stop"}]})

    async with _model_of(picky) as (model, _):
        answer = await model.ask(TASK, prefix="p", user="u", deadline=Deadline.after(5))

    assert answer.value == Reply(text="ok", line=Line.CRM, confidence=1)
    assert [("temperature" in body, "seed" in body) for body in bodies] == [(True, True), (False, True), (False, False)]


@pytest.mark.parametrize("body", ["<html>login</html>", '{"error": "x"}', '{"choices": []}', ""])
async def test_an_answer_that_is_no_completion_is_unavailability(body: str) -> None:
    """A proxy's page, an error with status 200, nothing at all."""

    async def odd(_: web.Request) -> web.Response:
        return web.Response(text=body)

    async with _model_of(odd) as (model, seen):
        with pytest.raises(ModelUnavailable, match="no chat completion"):
            await model.ask(TASK, prefix="p", user="u", deadline=Deadline.after(5))

    assert seen.outcomes == [CallOutcome.SERVER_ERROR] * 3


@pytest.mark.parametrize(
    ("model", "temperature", "effort"),
    [("gpt-4o-mini", 0.0, None), ("gpt-5.4-mini", None, "none"), ("gpt-5-nano", None, "minimal"), ("local", 0.0, None)],
)
async def test_options_follow_the_family_of_the_model(model: str, temperature: float | None, effort: str | None) -> None:
    """What a family refuses is not sent."""
    bodies: list[dict[str, JsonValue]] = []

    async def remember(request: web.Request) -> web.Response:
        bodies.append(await request.json())
        return web.Response(status=422)

    task = Task(name="response", answer_type=Reply, model=model, prompt_version="v1", max_output_tokens=300)
    async with _model_of(remember) as (asked, _):
        with pytest.raises(ModelUnavailable):
            await asked.ask(task, prefix="p", user="u", deadline=Deadline.after(5))

    body = bodies[0]
    assert (body.get("temperature"), body.get("reasoning_effort")) == (temperature, effort)
    assert (body["max_completion_tokens"], body["prompt_cache_key"]) == (300, "response-v1")


def test_a_task_name_that_the_provider_refuses_is_named() -> None:
    """At start."""
    with pytest.raises(ValueError, match="task de resposta"):
        Task(name="task de resposta", answer_type=Reply, model="m", prompt_version="v1", max_output_tokens=1)


def test_without_key_and_address_there_is_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deterministic path answers."""
    for name in ("LLM_API_KEY", "LLM_API_KEY_FILE", "LLM_BASE_URL"):
        monkeypatch.delenv(name, raising=False)

    assert not ModelSettings().configured


def test_the_key_may_be_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As Docker and Kubernetes give secrets."""
    key_file = tmp_path / "key"
    key_file.write_text("sk-file\n")
    monkeypatch.delenv("LLM_API_KEY", raising=False)
    monkeypatch.setenv("LLM_API_KEY_FILE", str(key_file))

    assert ModelSettings().configured
    assert ModelSettings().llm_api_key.get_secret_value() == "sk-file"
