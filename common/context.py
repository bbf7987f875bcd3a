"""The caller's side of the context service: holds the last good version and follows new ones in the background."""

import asyncio
from types import TracebackType

import grpc
import structlog

from common import institution_wire, metrics
from common.clients import Caller
from common.deadline import Deadline
from common.errors import PylotoError, Unavailable
from common.institution import Institution
from common.settings import Settings
from protos.context.v1 import context_pb2, context_pb2_grpc

_RETRY_S = 0.5
_GET_TIMEOUT_S = 2.0

_log = structlog.get_logger("context")


class ContextClient:
    """`current()` costs nothing: the version is cached and replaced when the context service streams a new one.

    When the context service is away, the last version that was seen stays in use.
    """

    def __init__(self, channel: grpc.aio.Channel, settings: Settings) -> None:
        self._stub = context_pb2_grpc.ContextServiceStub(channel)
        token = settings.grpc_auth_token.get_secret_value()
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self._caller = Caller(settings)
        self._current: Institution | None = None
        self._arrived = asyncio.Event()
        self._follower: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "ContextClient":
        self._follower = asyncio.create_task(self._follow())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._follower is not None:
            self._follower.cancel()
            await asyncio.gather(self._follower, return_exceptions=True)

    async def current(self, deadline: Deadline) -> Institution:
        """The newest version seen; waits for the first one at most until the deadline, then raises Unavailable."""
        if self._current is None:
            try:
                async with asyncio.timeout(deadline.require_s()):
                    await self._arrived.wait()
            except TimeoutError as error:
                raise Unavailable("the context service has not answered since this process started") from error
        assert self._current is not None
        return self._current

    async def version(self, version: str) -> Institution:
        """An older version by name, to explain a stored answer. NotFound when it was never loaded."""
        response = await self._caller.call(
            self._stub.GetContext,
            context_pb2.GetContextRequest(version=version),
            deadline=Deadline.after(_GET_TIMEOUT_S),
            name="GetContext",
        )
        return institution_wire.from_proto(response.context)

    async def _follow(self) -> None:
        while True:
            try:
                known = self._current.version if self._current else ""
                request = context_pb2.WatchContextRequest(known_version=known)
                async for update in self._stub.WatchContext(request, metadata=self._metadata):
                    self._take(institution_wire.from_proto(update.context))
            except grpc.aio.AioRpcError as error:
                say = _log.debug if self._current else _log.warning
                say("the context service of CONTEXT_TARGET does not answer", code=error.code().name, details=error.details())
            except PylotoError as error:
                _log.error("context not understood", error=str(error))
            await asyncio.sleep(_RETRY_S)

    def _take(self, institution: Institution) -> None:
        if self._current is not None:
            metrics.CONTEXT_INFO.remove(self._current.version)
        metrics.CONTEXT_INFO.labels(institution.version).set(1)
        self._current = institution
        self._arrived.set()
        _log.info("context loaded", version=institution.version)
