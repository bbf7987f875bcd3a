"""Runs one gRPC server: interceptors in order, health, reflection, TLS, and SIGTERM → NOT_SERVING → drain → stop."""

from __future__ import annotations  # grpc's generics exist in its stubs only

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar, cast

import grpc
import structlog
from google.protobuf.message import Message
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from opentelemetry.trace import SpanKind

from common import metrics
from common.deadline import Deadline
from common.errors import InvalidInput, InvalidSetting, PylotoError, Unauthenticated
from common.observability import incoming_trace, span
from common.settings import Settings, parse_address

Request = TypeVar("Request")
Response = TypeVar("Response")
Handler: TypeAlias = "Callable[[Request, grpc.aio.ServicerContext[Request, Response]], Awaitable[Response]]"

MAX_MESSAGE_BYTES = 2 * 1024 * 1024
CORRELATION_KEY = "x-turn-id"
DEFAULT_TIMEOUT_S = 3.0
"""For callers that set no deadline."""
MAX_TIMEOUT_S = 60.0
DRAIN_S = 10.0
"""How long running calls may take after SIGTERM; longer than any turn."""

_NO_ACCESS = "authorization: expected 'Bearer ' and the token of GRPC_AUTH_TOKEN"

_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # More than 1,000 calls that are not accepted yet would be cancelled at random (see docs/performance.md).
    ("grpc.server.max_pending_requests", 20_000),
    ("grpc.server.max_pending_requests_hard_limit", 40_000),
    # Callers look for new replicas when their connection ends.
    ("grpc.max_connection_age_ms", 5 * 60 * 1000),
    ("grpc.max_connection_age_grace_ms", 30 * 1000),
    ("grpc.so_reuseport", 0),
    # Callers ask several times a second whether we still live (`common/clients.py`).
    ("grpc.http2.min_ping_interval_without_data_ms", 100),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 100),
    ("grpc.http2.max_ping_strikes", 0),
)

_log = structlog.get_logger("serving")


class _Gatekeeper(grpc.aio.ServerInterceptor):
    """One wrapper round each unary handler: auth, correlation id, trace, error → status, metrics; in this order."""

    def __init__(self, auth_token: str) -> None:
        self._expected = f"Bearer {auth_token}" if auth_token else ""
        self._wrapped: dict[str, object] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Request, Response] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Request, Response] | None:
        """The wrapped handler of a unary call; streaming, health and reflection calls pass, after the token was checked."""
        method = handler_call_details.method
        if (known := self._wrapped.get(method)) is not None:
            return cast("grpc.RpcMethodHandler[Request, Response]", known)
        handler = await continuation(handler_call_details)
        if handler is None or method.startswith("/grpc.health."):
            return handler
        if handler.unary_unary is None:
            sent = dict(handler_call_details.invocation_metadata or ()).get("authorization")
            return handler if sent == self._expected or not self._expected else _refusal(handler)
        wrapped = grpc.unary_unary_rpc_method_handler(
            self._around(method, handler.unary_unary),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )
        self._wrapped[method] = wrapped
        return wrapped

    def _around(self, method: str, behaviour: object) -> Handler[Message, Message]:
        assert callable(behaviour)
        name = method.rpartition("/")[2]
        in_flight = metrics.RPC_IN_FLIGHT.labels(name)
        seconds = {code: metrics.RPC_SECONDS.labels(name, code.name) for code in grpc.StatusCode}

        async def handle(request: Message, context: grpc.aio.ServicerContext[Message, Message]) -> Message:
            metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
            started_s = time.perf_counter()
            code, problem = grpc.StatusCode.OK, ""
            structlog.contextvars.bind_contextvars(correlation_id=metadata.get(CORRELATION_KEY, ""))
            in_flight.inc()
            try:
                if self._expected and metadata.get("authorization") != self._expected:
                    raise Unauthenticated(_NO_ACCESS)
                with span(method, SpanKind.SERVER, parent=incoming_trace(metadata)):
                    response = await behaviour(request, context)
                    assert isinstance(response, Message)
                    return response
            except PylotoError as error:
                code, problem = error.code, str(error)
                if not isinstance(error, InvalidInput):
                    _log.warning("call failed", method=name, code=code.name, error=problem)
            except asyncio.CancelledError:
                code = grpc.StatusCode.CANCELLED
                raise
            except Exception:  # what we did not foresee stays in the log; the caller learns only that it is ours
                _log.exception("unexpected error", method=name)
                code, problem = grpc.StatusCode.INTERNAL, "internal error"
            finally:
                in_flight.dec()
                seconds[code].observe(time.perf_counter() - started_s)
            await context.abort(code, problem)
            raise AssertionError("abort does not return")

        return handle


def _refusal(handler: grpc.RpcMethodHandler[Request, Response]) -> grpc.RpcMethodHandler[Request, Response]:
    async def refuse(_: object, context: grpc.aio.ServicerContext[Request, Response]) -> None:
        await context.abort(grpc.StatusCode.UNAUTHENTICATED, _NO_ACCESS)

    make = grpc.stream_stream_rpc_method_handler if handler.request_streaming else grpc.unary_stream_rpc_method_handler
    return make(refuse, request_deserializer=handler.request_deserializer, response_serializer=handler.response_serializer)


def server_credentials(settings: Settings) -> grpc.ServerCredentials | None:
    """TLS as the settings say; callers must show a certificate when a CA is given. None for plain text."""
    if not settings.grpc_tls_cert_file and not settings.grpc_tls_key_file:
        return None
    certificate = read_file(settings.grpc_tls_cert_file, "GRPC_TLS_CERT_FILE")
    key = read_file(settings.grpc_tls_key_file, "GRPC_TLS_KEY_FILE")
    ca = read_file(settings.grpc_tls_ca_file, "GRPC_TLS_CA_FILE") if settings.grpc_tls_ca_file else None
    return grpc.ssl_server_credentials([(key, certificate)], root_certificates=ca, require_client_auth=ca is not None)


def read_file(path: str, setting: str) -> bytes:
    """The file's bytes, or InvalidSetting that names the setting."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InvalidSetting(f"{setting}: cannot read {path!r} ({error.strerror})") from error


class Server:
    """A gRPC server with health, reflection and one interceptor; `register` adds the services before `start`."""

    def __init__(self, settings: Settings, services: Sequence[str]) -> None:
        self._server = grpc.aio.server(
            interceptors=(_Gatekeeper(settings.grpc_auth_token.get_secret_value()),), options=_OPTIONS
        )
        self._credentials = server_credentials(settings)
        self._services = services
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (*services, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server)

    @property
    def grpc(self) -> grpc.aio.Server:
        """What the generated `add_…Servicer_to_server` functions take."""
        return self._server

    async def start(self, listen: str) -> int:
        """Bind and serve; returns the port. InvalidSetting when the address cannot be bound."""
        parse_address(listen, "…_LISTEN")
        try:
            port = (
                self._server.add_secure_port(listen, self._credentials)
                if self._credentials
                else self._server.add_insecure_port(listen)
            )
        except RuntimeError as error:
            raise InvalidSetting(f"cannot listen on {listen!r}: is another process there? ({error})") from error
        await self._server.start()
        for service in ("", *self._services):
            await self._health.set(service, health_pb2.HealthCheckResponse.SERVING)
        _log.info("serving", listen=f"{listen.rpartition(':')[0]}:{port}", tls=self._credentials is not None)
        return port

    async def stop(self, drain_s: float = DRAIN_S) -> None:
        """Say NOT_SERVING, refuse new calls, let running ones finish for at most `drain_s` seconds."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(drain_s)
        _log.info("stopped")


def deadline_of(context: grpc.aio.ServicerContext[Request, Response]) -> Deadline:
    """The caller's deadline; a default when it set none."""
    remaining_s = context.time_remaining()
    return Deadline.after(DEFAULT_TIMEOUT_S if remaining_s is None else min(remaining_s, MAX_TIMEOUT_S))


def stop_signal() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set. (A `finally` round `wait_for_termination` is not reached on SIGTERM.)"""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping
