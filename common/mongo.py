"""MongoDB by the portable operations only: insert, find by id, replace whole with a version check, delete, plain indexes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import structlog
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo import ReplaceOne
from pymongo.errors import BulkWriteError, ConfigurationError, DuplicateKeyError, PyMongoError

from common.errors import InvalidSetting, StoreUnavailable
from common.gathered import Gathered
from common.settings import StoreSettings

Document = Mapping[str, object]
Database = AsyncIOMotorDatabase[dict[str, object]]

_DUPLICATE_KEY = 11000
_PREPARE_RETRY_S = 5.0
_MOST_IDS = 1_000
"""Asked for at once; stores on SQL have a limit."""
_PATIENCE_S = 0.1
"""A round trip that takes longer than this no longer holds up the next of its kind."""

_log = structlog.get_logger("store")


@asynccontextmanager
async def connect(settings: StoreSettings, service: str) -> AsyncIterator[Database]:
    """The service's own database; the connection is made on first use, so that start-up does not need the store."""
    timeout_ms = int(settings.mongodb_timeout_s * 1000)
    try:
        client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(
            settings.mongodb_url.get_secret_value(),
            serverSelectionTimeoutMS=timeout_ms,
            connectTimeoutMS=timeout_ms,
            socketTimeoutMS=timeout_ms,
            # A write is acknowledged when a majority has it; one node is its own majority.
            w="majority",
            maxPoolSize=64,
            retryWrites=False,
        )
    except (ConfigurationError, OSError, ValueError) as error:  # OSError: a TLS file that the URL names
        raise InvalidSetting(f"MONGODB_URL: {error}") from None
    asking = asyncio.create_task(_say_when_away(client))
    try:
        yield client[f"{settings.mongodb_database_prefix}_{service}"]
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        client.close()


async def _say_when_away(client: AsyncIOMotorClient[dict[str, object]]) -> None:
    """A warning every few seconds until the store has answered once: a wrong MONGODB_URL is seen at start."""
    while True:
        try:
            await client.admin.command("ping")
        except PyMongoError as error:
            _log.warning("the store of MONGODB_URL does not answer", error=type(error).__name__)
        else:
            return
        await asyncio.sleep(_PREPARE_RETRY_S)


@asynccontextmanager
async def prepared(prepare: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Runs `prepare` (indexes) beside the block, again until the store takes it: start-up does not wait for the store."""
    preparing = asyncio.create_task(_until_done(prepare))
    try:
        yield
    finally:
        preparing.cancel()
        await asyncio.gather(preparing, return_exceptions=True)


async def _until_done(prepare: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            return await prepare()
        except StoreUnavailable as error:
            _log.warning("indexes not made yet", error=str(error))
        await asyncio.sleep(_PREPARE_RETRY_S)


@contextmanager
def _store_errors(operation: str) -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        raise StoreUnavailable(_what(operation, error)) from error


def _what(operation: str, error: PyMongoError) -> str:
    """Without the server's own text, which may quote what was to be written."""
    code = getattr(error, "code", None)
    return f"{operation}: {type(error).__name__}{f' with code {code}' if code else ''}"


def _id(document: Document) -> str:
    return str(document["_id"])


def _only_duplicates(error: BulkWriteError) -> bool:
    problems = (error.details or {}).get("writeErrors", [])
    return bool(problems) and all(problem.get("code") == _DUPLICATE_KEY for problem in problems)


@dataclass(frozen=True, slots=True)
class _Replacement:
    """A document and the version that it replaces."""

    document: Document
    expected_version: int


class Documents:
    """One collection of documents with a string `_id`; every failure of the store is StoreUnavailable.

    `find`, `insert` of one document, `replace` and `put` share round trips: what other turns ask for while one is under way
    goes out together when it is back.
    """

    def __init__(self, database: Database, collection: str) -> None:
        self._collection: AsyncIOMotorCollection[dict[str, object]] = database[collection]
        self._name = collection
        self._find = Gathered(self._find_all, str, _PATIENCE_S)
        self._insert = Gathered(self._insert_all, _id, _PATIENCE_S)
        self._replace = Gathered(self._replace_all, lambda item: _id(item.document), _PATIENCE_S)
        self._put = Gathered(self._put_all, _id, _PATIENCE_S)

    async def find(self, document_id: str) -> dict[str, object] | None:
        """The document, or None."""
        return await self._find(document_id)

    async def _find_all(self, document_ids: Sequence[str]) -> Sequence[dict[str, object] | None]:
        if len(document_ids) == 1:
            with _store_errors(f"find {self._name}"):
                return [await self._collection.find_one({"_id": document_ids[0]})]
        found = await self.find_many(document_ids)
        return [found.get(document_id) for document_id in document_ids]

    async def find_many(self, document_ids: Sequence[str]) -> dict[str, dict[str, object]]:
        """The documents that exist, by id."""
        found: list[dict[str, object]] = []
        for start in range(0, len(document_ids), _MOST_IDS):
            ids = list(document_ids[start : start + _MOST_IDS])
            with _store_errors(f"find {self._name}"):
                found += await self._collection.find({"_id": {"$in": ids}}).to_list(len(ids))
        return {str(document["_id"]): document for document in found}

    async def newest(self, where: Document, order_by: str, limit: int) -> list[dict[str, object]]:
        """At most `limit` documents that match, newest first by an indexed field; for tools, not for the path of a turn."""
        return await self._sorted(where, order_by, -1, limit)

    async def oldest(self, where: Document, order_by: str, limit: int) -> list[dict[str, object]]:
        """The same, oldest first."""
        return await self._sorted(where, order_by, 1, limit)

    async def _sorted(self, where: Document, order_by: str, direction: int, limit: int) -> list[dict[str, object]]:
        with _store_errors(f"find {self._name}"):
            return await self._collection.find(where).sort(order_by, direction).limit(limit).to_list(limit)

    async def insert(self, *documents: Document) -> bool:
        """Insert in order; False when an id was there already (the documents before it were inserted)."""
        if len(documents) == 1:
            return await self._insert(documents[0])
        try:
            await self._collection.insert_many([dict(document) for document in documents], ordered=True)
        except BulkWriteError as error:
            if _only_duplicates(error):
                return False
            raise StoreUnavailable(_what(f"insert {self._name}", error)) from error
        except PyMongoError as error:
            raise StoreUnavailable(_what(f"insert {self._name}", error)) from error
        return True

    async def _insert_all(self, documents: Sequence[Document]) -> Sequence[bool | Exception]:
        with _store_errors(f"insert {self._name}"):
            try:
                if len(documents) == 1:
                    await self._collection.insert_one(dict(documents[0]))
                else:
                    await self._collection.insert_many([dict(document) for document in documents], ordered=False)
            except DuplicateKeyError:
                return [False]
            except BulkWriteError as error:
                return self._outcomes(error, len(documents))
        return [True] * len(documents)

    async def insert_each(self, documents: Sequence[Document]) -> None:
        """Insert those whose id is not there yet, in one round trip."""
        try:
            with _store_errors(f"insert {self._name}"):
                await self._collection.insert_many([dict(document) for document in documents], ordered=False)
        except StoreUnavailable as error:
            if not isinstance(error.__cause__, BulkWriteError) or not _only_duplicates(error.__cause__):
                raise

    async def replace(self, document: Document, *, expected_version: int) -> bool:
        """Replace the whole document if its `version` is still the expected one; False when somebody else wrote first."""
        return await self._replace(_Replacement(document, expected_version))

    async def _replace_all(self, items: Sequence[_Replacement]) -> Sequence[bool]:
        pairs = [({"_id": item.document["_id"], "version": item.expected_version}, dict(item.document)) for item in items]
        with _store_errors(f"replace {self._name}"):
            if len(pairs) == 1:
                return [(await self._collection.replace_one(*pairs[0])).matched_count == 1]
            written = await self._collection.bulk_write([ReplaceOne(*pair) for pair in pairs], ordered=False)
        if written.matched_count == len(items):
            return [True] * len(items)
        # The store counts, it does not say which; what is there now says it.
        found = await self.find_many([_id(item.document) for item in items])
        return [found.get(_id(item.document)) == item.document for item in items]

    async def put(self, document: Document) -> None:
        """Replace the whole document, whatever is there; for results that only ever become more complete."""
        await self._put(document)

    async def _put_all(self, documents: Sequence[Document]) -> Sequence[bool | Exception]:
        with _store_errors(f"replace {self._name}"):
            if len(documents) == 1:
                await self._collection.replace_one({"_id": documents[0]["_id"]}, dict(documents[0]), upsert=True)
            else:
                try:
                    await self._collection.bulk_write(
                        [ReplaceOne({"_id": document["_id"]}, dict(document), upsert=True) for document in documents],
                        ordered=False,
                    )
                except BulkWriteError as error:
                    return self._outcomes(error, len(documents))
        return [True] * len(documents)

    def _outcomes(self, error: BulkWriteError, count: int) -> list[bool | Exception]:
        """What became of each document of an unordered write: written, there already (False), or failed."""
        outcomes: list[bool | Exception] = [True] * count
        for problem in (error.details or {}).get("writeErrors", []):
            duplicate = problem.get("code") == _DUPLICATE_KEY
            outcomes[problem["index"]] = False if duplicate else StoreUnavailable(_what(f"write {self._name}", error))
        return outcomes

    async def delete(self, document_id: str) -> None:
        """Delete; nothing happens when it is not there."""
        with _store_errors(f"delete {self._name}"):
            await self._collection.delete_one({"_id": document_id})

    async def index(self, *fields: str) -> None:
        """Make sure that a plain index on the fields exists."""
        with _store_errors(f"index {self._name}"):
            await self._collection.create_index([(field, 1) for field in fields])
