"""Every version of the context that was ever in use, so that any past answer can be explained."""

import time

from common.errors import NotFound
from common.mongo import Database, Documents
from protos.context.v1 import context_pb2


class ContextStore:
    """One document per version; written once, never changed."""

    def __init__(self, database: Database) -> None:
        self._versions = Documents(database, "versions")

    async def save(self, institution: context_pb2.Institution) -> None:
        """Keep the version; nothing happens when it is there already."""
        await self._versions.insert(
            {"_id": institution.version, "body": institution.SerializeToString(), "loaded_at_ms": int(time.time() * 1000)}
        )

    async def load(self, version: str) -> context_pb2.Institution:
        """The version, or NotFound."""
        document = await self._versions.find(version)
        if document is None:
            raise NotFound(f"version: there is no context version {version!r}")
        body = document["body"]
        assert isinstance(body, bytes)
        return context_pb2.Institution.FromString(body)
