"""MongoDB by the portable operations only: insert, find by id, replace whole with a version check, delete, plain indexes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager

import structlog
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo.errors import BulkWriteError, DuplicateKeyError, InvalidURI, PyMongoError

from common.errors import InvalidSetting, StoreUnavailable
from common.settings import StoreSettings

Document = Mapping[str, object]
Database = AsyncIOMotorDatabase[dict[str, object]]

_DUPLICATE_KEY = 11000
_PREPARE_RETRY_S = 5.0

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
    except (InvalidURI, ValueError) as error:
        raise InvalidSetting(f"MONGODB_URL: {error}") from None
    try:
        yield client[f"{settings.mongodb_database_prefix}_{service}"]
    finally:
        client.close()


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


def _only_duplicates(error: BulkWriteError) -> bool:
    problems = (error.details or {}).get("writeErrors", [])
    return bool(problems) and all(problem.get("code") == _DUPLICATE_KEY for problem in problems)


class Documents:
    """One collection of documents with a string `_id`; every failure of the store is StoreUnavailable."""

    def __init__(self, database: Database, collection: str) -> None:
        self._collection: AsyncIOMotorCollection[dict[str, object]] = database[collection]
        self._name = collection

    async def find(self, document_id: str) -> dict[str, object] | None:
        """The document, or None."""
        with _store_errors(f"find {self._name}"):
            return await self._collection.find_one({"_id": document_id})

    async def find_many(self, document_ids: Sequence[str]) -> dict[str, dict[str, object]]:
        """The documents that exist, by id."""
        with _store_errors(f"find {self._name}"):
            found = await self._collection.find({"_id": {"$in": list(document_ids)}}).to_list(len(document_ids))
        return {str(document["_id"]): document for document in found}

    async def newest(self, where: Document, order_by: str, limit: int) -> list[dict[str, object]]:
        """At most `limit` documents that match, newest first by an indexed field; for tools, not for the path of a turn."""
        with _store_errors(f"find {self._name}"):
            return await self._collection.find(where).sort(order_by, -1).limit(limit).to_list(limit)

    async def insert(self, *documents: Document) -> bool:
        """Insert in order; False when an id was there already (the documents before it were inserted)."""
        try:
            if len(documents) == 1:
                await self._collection.insert_one(dict(documents[0]))
            else:
                await self._collection.insert_many([dict(document) for document in documents], ordered=True)
        except DuplicateKeyError:
            return False
        except BulkWriteError as error:
            if _only_duplicates(error):
                return False
            raise StoreUnavailable(_what(f"insert {self._name}", error)) from error
        except PyMongoError as error:
            raise StoreUnavailable(_what(f"insert {self._name}", error)) from error
        return True

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
        with _store_errors(f"replace {self._name}"):
            result = await self._collection.replace_one({"_id": document["_id"], "version": expected_version}, dict(document))
        return result.matched_count == 1

    async def put(self, document: Document) -> None:
        """Replace the whole document, whatever is there; for results that only ever become more complete."""
        with _store_errors(f"replace {self._name}"):
            await self._collection.replace_one({"_id": document["_id"]}, dict(document), upsert=True)

    async def delete(self, document_id: str) -> None:
        """Delete; nothing happens when it is not there."""
        with _store_errors(f"delete {self._name}"):
            await self._collection.delete_one({"_id": document_id})

    async def index(self, *fields: str) -> None:
        """Make sure that a plain index on the fields exists."""
        with _store_errors(f"index {self._name}"):
            await self._collection.create_index([(field, 1) for field in fields])
