"""One structured call to an LLM: a typed answer within the deadline, or an error of ours. The only module on `openai`."""

import asyncio
import random
import re
import time
from dataclasses import dataclass
from typing import Generic

import aiohttp
import httpx2
import orjson
import structlog
from openai import AsyncOpenAI, DefaultAioHttpClient
from opentelemetry.trace import SpanKind
from pydantic import ValidationError

from common.breaker import Breaker, BreakerState, Permit
from common.deadline import Deadline
from common.errors import DeadlineExceeded, ModelMisbehaved, ModelUnavailable
from common.model_observer import CallOutcome, ModelObserver, NoObserver
from common.model_options import options_of
from common.model_reading import Flaw, value_or_flaw
from common.model_settings import PROVIDER_URL, ModelSettings
from common.model_task import A, Answer, Model, Task
from common.model_wire import Completion, Usage, problem_of, retry_after_s
from common.observability import SPAN_LLM, span
from common.pace import Pace
from common.taxonomy import Source

__all__ = ["Answer", "CallOutcome", "Model", "ModelObserver", "ModelSettings", "OpenAIModel", "Task"]

_PATH = "chat/completions"
_FAIR_TRIAL_S = 0.5
"""With less time than this, or hardly more than calls usually take, a timeout says nothing about the provider."""
_PACE_SHARE = 0.6
"""A call may start with this share of its usual time left: models are not that regular."""
_BACKOFF_S, _LONGEST_BACKOFF_S = 0.1, 1.0
_DISPENSABLE = frozenset({"temperature", "seed", "reasoning_effort", "prompt_cache_key"})
_ADVICE = {
    400: "the provider does not accept the request: see code and param",
    401: "check LLM_API_KEY or LLM_API_KEY_FILE",
    403: "the key may not use this model or region: check the key's project and LLM_MODEL_…",
    404: "check LLM_BASE_URL and LLM_MODEL_…: there is no such address or model",
}

_log = structlog.get_logger("model")


class _CallFailed(Exception):  # noqa: N818 - never leaves this module
    """One request failed."""

    def __init__(
        self,
        problem: str,
        outcome: CallOutcome,
        *,
        retryable: bool,
        wait_s: float | None = None,
        for_all: bool = True,
    ) -> None:
        super().__init__(problem)
        self.outcome = outcome
        self.retryable = retryable
        """Whether the same request may succeed later."""
        self.wait_s = wait_s
        """When the provider wants to see it again; None when it does not say."""
        self.for_all = for_all
        """Whether other requests would probably fail too: only then the breaker counts it."""


class _OptionRefused(Exception):  # noqa: N818 - never leaves this module
    """The server does not take an option that we can do without."""


@dataclass(slots=True)
class _Spent:
    """What one question has cost so far."""

    attempts: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0

    def add(self, usage: Usage) -> None:
        self.input_tokens += usage.prompt_tokens
        self.cached_tokens += usage.cached_tokens
        self.output_tokens += usage.completion_tokens


@dataclass(frozen=True, slots=True)
class _Question(Generic[A]):
    """One question on its way: what every attempt at it shares."""

    task: Task[A]
    cache_key: str
    deadline: Deadline
    spent: _Spent


class OpenAIModel:
    """Any OpenAI-compatible server, through the official client; one object per process, shared by all its tasks."""

    def __init__(self, settings: ModelSettings, observer: ModelObserver | None = None) -> None:
        self._settings = settings
        self._observer: ModelObserver = observer or NoObserver()
        self._slots = asyncio.Semaphore(settings.llm_max_concurrency)
        self._breakers: dict[str, Breaker] = {}
        self._pace = Pace(_PACE_SHARE)
        self._refused_options: dict[str, frozenset[str]] = {}
        limits = httpx2.Limits(
            max_connections=settings.llm_max_concurrency,
            max_keepalive_connections=settings.llm_max_concurrency,
            keepalive_expiry=30.0,
        )
        # Our own timeout follows the deadline and strikes first; the client's only bounds the connection's set-up.
        self._http = DefaultAioHttpClient(
            limits=limits, timeout=httpx2.Timeout(settings.llm_timeout_s + 1, connect=min(5.0, settings.llm_timeout_s))
        )
        self._client = AsyncOpenAI(
            base_url=settings.llm_base_url or PROVIDER_URL,
            api_key=settings.llm_api_key.get_secret_value() or "none",
            timeout=self._http.timeout,
            max_retries=0,
            http_client=self._http,
        )
        # What the client would send with every call, worked out once; see docs/decisions/openai-low-level.md.
        self._url = self._client.base_url.join(_PATH)
        every_call = {**self._client.default_headers, **self._client.auth_headers}
        self._headers = {name: value for name, value in every_call.items() if isinstance(value, str)}

    async def close(self) -> None:
        """Close the connections; calls in flight fail."""
        await self._client.close()

    async def ask(self, task: Task[A], *, prefix: str, user: str, deadline: Deadline, cache_key: str = "") -> Answer[A]:
        """See Model."""
        started_s = time.perf_counter()
        question = _Question(task, cache_key, deadline, _Spent())
        messages = [{"role": "system", "content": prefix}, {"role": "user", "content": user}]
        source = Source.MODEL
        read = await self._read(question, messages)
        if isinstance(read, Flaw) and read.repairable:
            source = Source.REPAIRED
            read = await self._repair(question, messages, read)
        if isinstance(read, Flaw):
            raise ModelMisbehaved(f"{task.name}: {read.problem}")
        spent = question.spent
        return Answer(
            value=read,
            source=source,
            model=task.model,
            input_tokens=spent.input_tokens,
            cached_tokens=spent.cached_tokens,
            output_tokens=spent.output_tokens,
            latency_s=time.perf_counter() - started_s,
            attempts=spent.attempts,
        )

    async def _repair(self, question: _Question[A], messages: list[dict[str, str]], flaw: Flaw) -> A | Flaw:
        """Show the model what was wrong, once."""
        feedback = f"Your answer is not valid: {flaw.problem} Answer again, with JSON that follows the schema exactly."
        corrected = [
            *messages,
            {"role": "assistant", "content": flaw.said},
            {"role": "user", "content": feedback},
        ]
        try:
            return await self._read(question, corrected)
        except (ModelUnavailable, DeadlineExceeded) as error:
            raise ModelMisbehaved(f"{question.task.name}: {flaw.problem} It could not be repaired: {error}") from error

    async def _read(self, question: _Question[A], messages: list[dict[str, str]]) -> A | Flaw:
        """One answer, asked for as often as failures, the provider's wishes and the deadline allow."""
        settings, deadline = self._settings, question.deadline
        for attempt in range(1, settings.llm_max_attempts + 1):
            try:
                return await self._attempt(question, messages)
            except _OptionRefused:
                return await self._read(question, messages)
            except _CallFailed as failed:
                wait_s = _backoff_s(attempt) if failed.wait_s is None else failed.wait_s
                last = attempt == settings.llm_max_attempts or not failed.retryable
                if last or deadline.remaining_s() < wait_s + settings.llm_min_call_s:
                    raise ModelUnavailable(f"{question.task.name}: {failed}") from failed
            await asyncio.sleep(wait_s)
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(self, question: _Question[A], messages: list[dict[str, str]]) -> A | Flaw:
        """One request, admitted by the breaker and within the limit of calls in flight."""
        breaker = self._breaker(question.task.name)
        await self._take_slot(breaker, question)
        try:
            permit = breaker.admit()
            if permit is None:
                raise _circuit_open(question.task.name)
            with permit:
                return await self._judged(permit, question, messages)
        finally:
            self._slots.release()

    async def _judged(self, permit: Permit, question: _Question[A], messages: list[dict[str, str]]) -> A | Flaw:
        """One request: sent, read, judged for the breaker and shown to the observer."""
        task = question.task
        outcome, usage, started_s = CallOutcome.CANCELLED, Usage(), time.perf_counter()
        try:
            completion = await self._send(question, messages)
            permit.succeeded()
            self._pace.observe(task.name, time.perf_counter() - started_s)
            usage = completion.usage or usage
            question.spent.add(usage)
            read = value_or_flaw(task, completion)
            outcome = read.outcome if isinstance(read, Flaw) else CallOutcome.OK
        except _CallFailed as failed:
            outcome = failed.outcome
            if failed.for_all:
                permit.failed()
            raise
        except _OptionRefused:
            outcome = CallOutcome.REJECTED
            raise
        else:
            return read
        finally:
            latency_s = time.perf_counter() - started_s
            self._observer.call_finished(task.name, task.model, outcome, latency_s, usage)

    def _breaker(self, task: str) -> Breaker:
        if task not in self._breakers:

            def changed(state: BreakerState) -> None:
                _log.warning("llm circuit changed", task=task, state=state)
                self._observer.breaker_changed(task, state)

            self._breakers[task] = Breaker(self._settings.breaker_rules, changed)
        return self._breakers[task]

    async def _take_slot(self, breaker: Breaker, question: _Question[A]) -> None:
        """Become one of the calls in flight; ModelUnavailable when no place gets free in time."""
        name, least_s = question.task.name, self._settings.llm_min_call_s
        left_s = question.deadline.require_s(least_s)
        if breaker.refuses():
            raise _circuit_open(name)
        if not self._pace.allows(name, left_s):
            raise ModelUnavailable(f"{name}: {left_s * 1000:.0f} ms are left, its calls usually take much longer")
        try:
            async with asyncio.timeout(left_s - least_s):
                await self._slots.acquire()
        except TimeoutError as error:
            limit = self._settings.llm_max_concurrency
            raise ModelUnavailable(f"{name}: all {limit} calls (LLM_MAX_CONCURRENCY) stayed busy") from error

    def _body(self, question: _Question[A], messages: list[dict[str, str]], left_out: frozenset[str]) -> bytes:
        task = question.task
        options = options_of(task.model)
        body: dict[str, object] = {
            "model": task.model,
            "messages": messages,
            "response_format": orjson.Fragment(task.response_format),
            "max_completion_tokens": task.max_output_tokens,
            "prompt_cache_key": question.cache_key or f"{task.name}-{task.prompt_version}",
            "temperature": options.temperature,
            "seed": options.seed,
            "reasoning_effort": self._settings.llm_reasoning_effort or options.reasoning_effort or None,
        }
        return orjson.dumps({key: value for key, value in body.items() if value is not None and key not in left_out})

    async def _send(self, question: _Question[A], messages: list[dict[str, str]]) -> Completion:
        """One request over the wire; every way in which it can fail becomes a _CallFailed or an _OptionRefused."""
        task, timeout_s = question.task, self._settings.llm_timeout_s
        left_out = self._refused_options.get(task.model, frozenset())
        body = self._body(question, messages, left_out)
        question.spent.attempts += 1
        headers = {**self._headers, "X-Client-Request-Id": f"{_turn_id()}/{task.name}/{question.spent.attempts}"}
        attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": task.model, "pyloto.task": task.name}
        budget_s = min(question.deadline.remaining_s(), timeout_s)
        try:
            with span(SPAN_LLM, SpanKind.CLIENT, attributes):
                async with asyncio.timeout(budget_s):
                    # The client's transport without its loop of options and retries: a third of the CPU of a call.
                    response = await self._http.send(httpx2.Request("POST", self._url, headers=headers, content=body))
            if not response.is_success:
                raise self._refused(task, response, left_out)
            return Completion.model_validate_json(response.content)
        except TimeoutError as error:
            fair = budget_s >= min(_FAIR_TRIAL_S, timeout_s) and self._pace.was_fair(task.name, budget_s)
            problem = f"no answer within {budget_s * 1000:.0f} ms"
            raise _CallFailed(problem, CallOutcome.TIMEOUT, retryable=True, for_all=fair) from error
        except ValidationError as error:
            problem = "the server's answer is no chat completion: check LLM_BASE_URL"
            raise _CallFailed(problem, CallOutcome.SERVER_ERROR, retryable=True) from error
        except (httpx2.HTTPError, aiohttp.ClientError, OSError) as error:
            raise _CallFailed("no connection, or it broke", CallOutcome.CONNECTION, retryable=True) from error

    def _refused(self, task: Task[A], response: httpx2.Response, left_out: frozenset[str]) -> _CallFailed | _OptionRefused:
        status, problem = response.status_code, problem_of(response.content)
        code, option = problem.code, problem.param
        if status == 400 and option in _DISPENSABLE - left_out:
            self._refused_options[task.model] = self._refused_options.get(task.model, left_out) | {option}
            _log.warning("llm takes no such option; it is left out", model=task.model, option=option)
            return _OptionRefused(option)
        if status == 429 and code == "insufficient_quota":
            _log.error("llm quota is used up", advice="raise the provider's budget", model=task.model)
            return _CallFailed("the provider's quota is used up", CallOutcome.QUOTA, retryable=False)
        if status == 429:
            wait_s = retry_after_s(response.headers)
            return _CallFailed("the provider limits us (429)", CallOutcome.RATE_LIMITED, retryable=True, wait_s=wait_s)
        if status in (408, 409) or status >= 500:
            wait_s = retry_after_s(response.headers)
            return _CallFailed(f"the provider failed ({status})", CallOutcome.SERVER_ERROR, retryable=True, wait_s=wait_s)
        advice = _ADVICE.get(status, "see the provider's documentation")
        _log.error("llm rejects the call", status=status, code=code, param=option, model=task.model, advice=advice)
        said = f"the provider rejects the call ({status} {code})"
        # A wrong key, address or model fails every call; a wrong request may be this customer's alone.
        return _CallFailed(said, CallOutcome.REJECTED, retryable=False, for_all=status in (401, 403, 404))


def _circuit_open(task: str) -> ModelUnavailable:
    return ModelUnavailable(f"{task}: the model failed too often and is not called for a moment (circuit open)")


def _backoff_s(attempt: int) -> float:
    return min(_BACKOFF_S * (1 << (attempt - 1)), _LONGEST_BACKOFF_S) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter


def _turn_id() -> str:
    """The turn that is being answered: with it a call can be found in the provider's logs and the simulator's counts."""
    turn_id = str(structlog.contextvars.get_contextvars().get("correlation_id", ""))
    return re.sub(r"[^\x21-\x7e]|/", "", turn_id)[:200] or "none"
