"""The simulator as an HTTP server, inside a test's event loop or as a process of its own."""

import asyncio
import contextlib
import re
import signal
import time
from collections.abc import Mapping

import orjson
from aiohttp import web
from pydantic import JsonValue, ValidationError

from simulator.answers import Answers, Text
from simulator.conduct import Conduct, Director
from simulator.config import Fault, SimulatorConfig
from simulator.prefix_cache import PrefixCache, tokens_of
from simulator.record import CallRecord
from simulator.request import ChatRequest, RequestRefused, parse
from simulator.stats import Stats

_MAX_BODY_BYTES = 16 * 1024 * 1024
_CREATED = 1_750_000_000
"""Answers carry a fixed time, so that runs repeat byte by byte."""


class Simulator:
    """One OpenAI-compatible server: `/v1/chat/completions`, `/v1/models`, `/health` and `/simulator/…`."""

    def __init__(self, config: SimulatorConfig | None = None, record: CallRecord | None = None) -> None:
        self.stats = Stats()
        self._record = record
        self._runner: web.AppRunner | None = None
        self._prefixes = PrefixCache()
        self.config = config or SimulatorConfig()

    @property
    def config(self) -> SimulatorConfig:
        """The behaviour; setting a new one starts its draws and scripts from the beginning."""
        return self._config

    @config.setter
    def config(self, config: SimulatorConfig) -> None:
        self._config = config
        self._director = Director(config)
        self._answers = Answers(config.seed, plausible=config.plausible)
        self._turn_marker = re.compile(config.turn_marker)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen, and return the base URL for a client, such as http://127.0.0.1:8080/v1. OSError when it cannot."""
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        app.add_routes(
            [
                web.post("/v1/chat/completions", self._chat_completions),
                web.get("/v1/models", self._models),
                web.get("/health", self._health),
                web.get("/simulator/stats", self._show_stats),
                web.get("/simulator/config", self._show_config),
                web.post("/simulator/config", self._change_config),
                web.post("/simulator/reset", self._reset),
            ]
        )
        # handler_cancellation: a call that waits or hangs ends as soon as its client leaves.
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port, backlog=1024).start()
        bound_port: int = self._runner.addresses[0][1]
        return f"http://{f'[{host}]' if ':' in host else host}:{bound_port}/v1"

    async def stop(self) -> None:
        """Stop listening and end all calls, hung ones too; may be called twice."""
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    async def _chat_completions(self, http: web.Request) -> web.StreamResponse:
        self.stats.arrived()
        task, turn, outcome, from_s, arrived_s = "invalid", "", "client_left", time.time(), time.perf_counter()
        try:
            self._authorise(http)
            request = parse(await http.read())
            task = request.task
            turn = self._turn_of(http, request)
            self.stats.turns[turn][task] += 1
            conduct = self._director.conduct(task, request.last_user_message)
            if conduct.delay_s:
                # A provider's latency counts from the request's arrival: what reading it took here is part of it.
                await asyncio.sleep(conduct.delay_s - (time.perf_counter() - arrived_s))
            if conduct.fault is Fault.HANG:
                outcome = Fault.HANG
                await asyncio.Event().wait()
            response = await self._respond(http, request, conduct)
            outcome = conduct.fault or "ok"
        except RequestRefused as refused:
            outcome = str(refused.status)
            return _refusal(refused)
        else:
            return response
        finally:
            self.stats.left(task, outcome)
            if self._record is not None:
                self._record.add(turn, task, outcome, from_s)

    async def _respond(self, http: web.Request, request: ChatRequest, conduct: Conduct) -> web.StreamResponse:
        match conduct.fault:
            case Fault.RATE_LIMIT:
                headers = {
                    "Retry-After": str(-(-conduct.retry_after_ms // 1000)),
                    "Retry-After-ms": str(conduct.retry_after_ms),
                }
                return _error(429, "Rate limit reached (simulated).", "requests", "rate_limit_exceeded", headers)
            case Fault.QUOTA:
                message = "You exceeded your current quota (simulated)."
                return _error(429, message, "insufficient_quota", "insufficient_quota")
            case Fault.SERVER_ERROR:
                return _error(500, "The server had an error (simulated).", "server_error", None)
        if self._config.models and request.model not in self._config.models:
            raise RequestRefused(f"The model {request.model!r} does not exist.", "model", status=404, code="model_not_found")
        body = self._completion(request, self._answers.write(request, conduct))
        if conduct.fault is Fault.DISCONNECT:
            return await _cut(http, body)
        return web.Response(body=body, content_type="application/json")

    def _completion(self, request: ChatRequest, text: Text) -> bytes:
        content, finish_reason = text.content, text.finish_reason
        limit = request.output_limit
        if content is not None and limit is not None and tokens_of(content) > limit:
            content, finish_reason = content[: limit * 4], "length"
        prompt_tokens = tokens_of(request.prompt)
        completion_tokens = tokens_of(content or text.refusal or "")
        cached_tokens = self._prefixes.cached_tokens(f"{request.model}\n{request.cache_key}", request.prompt)
        self.stats.spent(request.task, prompt_tokens, cached_tokens, completion_tokens)
        message = {"role": "assistant", "content": content, "refusal": text.refusal}
        return orjson.dumps(
            {
                "id": f"chatcmpl-simulated-{self.stats.calls}",
                "object": "chat.completion",
                "created": _CREATED,
                "model": request.model,
                "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}],
                "usage": {
                    "prompt_tokens": prompt_tokens,
                    "completion_tokens": completion_tokens,
                    "total_tokens": prompt_tokens + completion_tokens,
                    "prompt_tokens_details": {"cached_tokens": cached_tokens, "audio_tokens": 0},
                    "completion_tokens_details": {"reasoning_tokens": 0},
                },
                "service_tier": "default",
                "system_fingerprint": "fp_simulated",
            }
        )

    def _authorise(self, http: web.Request) -> None:
        wanted = self._config.api_key
        if wanted and http.headers.get("Authorization") != f"Bearer {wanted}":
            raise RequestRefused("Incorrect API key provided.", status=401, code="invalid_api_key")

    def _turn_of(self, http: web.Request, request: ChatRequest) -> str:
        """The turn that a call belongs to: the header without its part after a slash, or the last marker in the text."""
        header = http.headers.get("X-Client-Request-Id")
        if header:
            return header.partition("/")[0]
        found = self._turn_marker.findall(request.last_user_message)
        return str(found[-1]) if found else ""

    async def _models(self, http: web.Request) -> web.Response:
        try:
            self._authorise(http)
        except RequestRefused as refused:
            return _refusal(refused)
        names = self._config.models or ["simulated"]
        data = [{"id": name, "object": "model", "created": _CREATED, "owned_by": "simulator"} for name in names]
        return _json({"object": "list", "data": data})

    async def _health(self, _: web.Request) -> web.Response:
        return _json({"status": "ok"})

    async def _show_stats(self, http: web.Request) -> web.Response:
        return _json(self.stats.as_json(with_turns=http.query.get("turns") == "true"))

    async def _show_config(self, _: web.Request) -> web.Response:
        return _json(self._config.model_dump(mode="json"))

    async def _change_config(self, http: web.Request) -> web.Response:
        try:
            self.config = _changed(self._config, await http.read())
        except RequestRefused as refused:
            return _refusal(refused)
        return await self._show_config(http)

    async def _reset(self, _: web.Request) -> web.Response:
        self.reset()
        return _json({"status": "ok"})

    def reset(self) -> None:
        """Forget counts, cached prefixes, draws and used-up scripts; the configuration stays."""
        self.stats.reset()
        self._prefixes = PrefixCache()
        self.config = self._config


def _json(value: Mapping[str, object]) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type="application/json")


def _refusal(refused: RequestRefused) -> web.Response:
    return web.Response(body=refused.body, status=refused.status, content_type="application/json")


def _changed(config: SimulatorConfig, changes: bytes) -> SimulatorConfig:
    """The configuration with the top-level keys of a JSON object replaced; RequestRefused names a wrong one."""
    try:
        keys: JsonValue = orjson.loads(changes)
        if not isinstance(keys, dict):
            raise RequestRefused("The body must be a JSON object with the keys to change.")
        return SimulatorConfig.model_validate(config.model_dump(mode="json") | keys)
    except orjson.JSONDecodeError as error:
        raise RequestRefused(f"The body is not JSON: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise RequestRefused(str(first["msg"]), ".".join(str(part) for part in first["loc"])) from error


def _error(status: int, message: str, kind: str, code: str | None, headers: dict[str, str] | None = None) -> web.Response:
    body = orjson.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}})
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)


async def _cut(http: web.Request, body: bytes) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
    await response.prepare(http)
    await response.write(body[: len(body) // 2])
    if http.transport is not None:
        http.transport.close()
    return response


async def serve(config: SimulatorConfig, host: str, port: int, record: CallRecord | None = None) -> None:
    """Run until SIGTERM or SIGINT; prints the base URL once it listens."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    simulator = Simulator(config, record)
    print(f"LLM simulator at {await simulator.start(host, port)}", flush=True)
    try:
        await stop.wait()
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            await simulator.stop()
