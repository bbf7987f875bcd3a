"""The services' stores as the commands read them: never on the path of a turn, and never to change anything."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from pydantic import SecretStr

from common import mongo
from common.errors import InvalidSetting, StoreUnavailable
from common.settings import StoreSettings, load
from fsm_service.store import SessionStore
from gateway.store import TurnStore
from msgtype_service.store import FormStore
from response_service.store import ReplyStore

DEFAULT_MONGODB = "mongodb://127.0.0.1:27017"


@dataclass(frozen=True, slots=True)
class Stores:
    """Sessions, turns with their answers, replies with what was blocked, and forms."""

    sessions: SessionStore
    turns: TurnStore
    replies: ReplyStore
    forms: FormStore


@asynccontextmanager
async def open_stores(mongodb_url: str) -> AsyncIterator[Stores]:
    """The four stores on one server; a store that does not answer is said with what to do."""
    if not mongodb_url.startswith(("mongodb://", "mongodb+srv://")):
        raise InvalidSetting("--mongodb: expected mongodb://host:port, or mongodb+srv://host")
    settings = load(lambda: StoreSettings(mongodb_url=SecretStr(mongodb_url)))
    async with AsyncExitStack() as stack:
        fsm, gateway, response, msgtype = [
            await stack.enter_async_context(mongo.connect(settings, service))
            for service in ("fsm", "gateway", "response", "msgtype")
        ]
        try:
            yield Stores(SessionStore(fsm), TurnStore(gateway), ReplyStore(response), FormStore(msgtype))
        except StoreUnavailable as error:
            raise StoreUnavailable(
                f"the store does not answer ({error}); is --mongodb right? `pyloto up` shows the address"
            ) from error
