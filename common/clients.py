"""Calls to the other services: channels with balancing and retries, and one function that makes a call with a deadline."""

import json
from collections.abc import Awaitable
from typing import Protocol, TypeVar

import grpc
import structlog
from google.protobuf.message import Message
from opentelemetry.trace import SpanKind

from common import errors
from common.deadline import Deadline
from common.observability import outgoing_trace, span
from common.serving import CORRELATION_KEY, MAX_MESSAGE_BYTES, read_file
from common.settings import Settings

Request = TypeVar("Request", bound=Message, contravariant=True)
Response = TypeVar("Response", bound=Message, covariant=True)

# A replica that died in the middle of a call is replaced by another at once: every RPC of ours may be repeated.
_SERVICE_CONFIG = json.dumps(
    {
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 5,
                    "initialBackoff": "0.02s",
                    "maxBackoff": "0.2s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
    }
)
_OPTIONS: tuple[tuple[str, str | int], ...] = (
    ("grpc.service_config", _SERVICE_CONFIG),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # After a restart of the other side the next call finds it soon.
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.dns_min_time_between_resolutions_ms", 5_000),
    # A process has one channel to each target: connections shared by address would only let a new one inherit the backoff of
    # another that was closed.
    ("grpc.use_local_subchannel_pool", 1),
    # A replica that hangs with its connections open (a stopped process, a dead host) is found out within a second, while
    # the turn can still be answered in time by another; a slow model behind a live replica is no reason to leave it.
    ("grpc.keepalive_time_ms", 400),
    ("grpc.keepalive_timeout_ms", 600),
    # gRPC's own probes of the bandwidth are pings too; one of them under way would hold the keepalive's off for a minute.
    ("grpc.http2.ping_timeout_ms", 600),
    ("grpc.keepalive_permit_without_calls", 0),
    ("grpc.http2.max_pings_without_data", 0),
)

_BY_CODE: dict[grpc.StatusCode, type[errors.PylotoError]] = {
    grpc.StatusCode.NOT_FOUND: errors.NotFound,
    grpc.StatusCode.FAILED_PRECONDITION: errors.IllegalTransition,
    grpc.StatusCode.ABORTED: errors.Conflict,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.Overloaded,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.DeadlineExceeded,
    grpc.StatusCode.UNAVAILABLE: errors.Unavailable,
    grpc.StatusCode.CANCELLED: errors.Unavailable,
    grpc.StatusCode.UNAUTHENTICATED: errors.Unauthenticated,
}


def channel(target: str, settings: Settings) -> grpc.aio.Channel:
    """A channel to `host:port`, `dns:///name:port` or `ipv4:a,b`; close it when done.

    TLS is used when GRPC_TLS_CA_FILE is set.
    """
    if not settings.grpc_tls_ca_file:
        return grpc.aio.insecure_channel(target, options=_OPTIONS)
    pair = (
        (
            read_file(settings.grpc_tls_key_file, "GRPC_TLS_KEY_FILE"),
            read_file(settings.grpc_tls_cert_file, "GRPC_TLS_CERT_FILE"),
        )
        if settings.grpc_tls_cert_file
        else (None, None)
    )
    credentials = grpc.ssl_channel_credentials(
        read_file(settings.grpc_tls_ca_file, "GRPC_TLS_CA_FILE"), private_key=pair[0], certificate_chain=pair[1]
    )
    return grpc.aio.secure_channel(target, credentials, options=_OPTIONS)


class Rpc(Protocol[Request, Response]):
    """A method of a generated async stub."""

    def __call__(
        self, request: Request, *, timeout: float | None = None, metadata: tuple[tuple[str, str], ...] | None = None
    ) -> Awaitable[Response]: ...


class Caller:
    """Makes calls that carry the deadline, the correlation id, the trace and the token, and that fail with our errors."""

    def __init__(self, settings: Settings) -> None:
        token = settings.grpc_auth_token.get_secret_value()
        self._always: tuple[tuple[str, str], ...] = (("authorization", f"Bearer {token}"),) if token else ()

    async def call(self, rpc: Rpc[Request, Response], request: Request, *, deadline: Deadline, name: str) -> Response:
        """Call and wait no longer than the deadline. Raises the class of `common.errors` that the other side raised."""
        timeout_s = deadline.require_s()
        correlation_id = structlog.contextvars.get_contextvars().get("correlation_id", "")
        with span(name, SpanKind.CLIENT):
            metadata = (*self._always, (CORRELATION_KEY, correlation_id), *outgoing_trace().items())
            try:
                return await rpc(request, timeout=timeout_s, metadata=metadata)
            except grpc.aio.AioRpcError as error:
                raise _ours(error, name) from error


def _ours(error: grpc.aio.AioRpcError, name: str) -> errors.PylotoError:
    details = error.details() or "no details"
    if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
        field, _, problem = details.partition(": ")
        return errors.InvalidInput(field, problem or details)
    return _BY_CODE.get(error.code(), errors.PylotoError)(f"{name}: {details}")
