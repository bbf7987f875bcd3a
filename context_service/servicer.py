"""ContextService: protobuf in, protobuf out."""

from __future__ import annotations  # grpc's generics exist in its stubs only

from collections.abc import AsyncIterator

import grpc

from common.turn import limit
from context_service.current_context import CurrentContext
from context_service.store import ContextStore
from protos.context.v1 import context_pb2, context_pb2_grpc


class ContextServicer(context_pb2_grpc.ContextServiceServicer):
    """Serves the version in use, older versions from the store, and a stream of new ones."""

    def __init__(self, current: CurrentContext, store: ContextStore) -> None:
        self._current = current
        self._store = store

    async def GetContext(  # noqa: N802 - the RPC's name
        self, request: context_pb2.GetContextRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> context_pb2.GetContextResponse:
        """The current version, an older one, or "unchanged"."""
        limit(request.known_version, "known_version", at_most=64)
        asked = limit(request.version, "version", at_most=64) or self._current.message.version
        if asked == request.known_version:
            return context_pb2.GetContextResponse(version=asked, unchanged=True)
        current = self._current.message
        found = current if asked == current.version else await self._store.load(asked)
        return context_pb2.GetContextResponse(version=asked, context=found)

    async def WatchContext(  # noqa: N802 - the RPC's name
        self, request: context_pb2.WatchContextRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> AsyncIterator[context_pb2.WatchContextResponse]:
        """Each version from now on."""
        async for version in self._current.versions(limit(request.known_version, "known_version", at_most=64)):
            yield context_pb2.WatchContextResponse(context=version)
