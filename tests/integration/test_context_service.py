"""The context service and its callers: reload on edit, a bad edit, watching, older versions, and life without it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from common import mongo
from common.clients import Caller, channel
from common.context import ContextClient
from common.deadline import Deadline
from common.errors import InvalidInput, NotFound, Unavailable
from common.serving import Server
from common.settings import StoreSettings
from context_service.current_context import CurrentContext
from context_service.documents import FILES
from context_service.load_context import load_context
from context_service.servicer import ContextServicer
from context_service.store import ContextStore
from protos.context.v1 import context_pb2, context_pb2_grpc
from tests.context_service.editing import copy_documents
from tests.institution import shipped
from tests.store import nowhere_url, store_values

POLL_S = 0.01


@dataclass
class Running:
    """The service on documents that a test may edit, and a stub for it."""

    stub: "context_pb2_grpc.ContextServiceAsyncStub"
    caller: Caller
    settings: StoreSettings
    folder: Path
    target: str
    current: CurrentContext
    server: Server

    async def get(self, *, known_version: str = "", version: str = "") -> context_pb2.GetContextResponse:
        """One GetContext."""
        request = context_pb2.GetContextRequest(known_version=known_version, version=version)
        return await self.caller.call(self.stub.GetContext, request, deadline=Deadline.after(5), name="GetContext")

    def edit(self, old: str, new: str) -> None:
        """Replace words wherever they stand, as a product person would."""
        touched = 0
        for file in FILES:
            path = self.folder / file
            text = path.read_text(encoding="utf-8")
            touched += text.count(old)
            path.write_text(text.replace(old, new), encoding="utf-8")
        assert touched, f"{old!r} is no longer in the documents: mend the test"


@asynccontextmanager
async def serving(folder: Path, **values: object) -> AsyncIterator[Running]:
    """The real service on a copy of the documents."""
    settings = StoreSettings.model_validate(store_values() | values)
    copy_documents(folder)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(mongo.connect(settings, "context"))
        store = ContextStore(database)
        current = CurrentContext(load_context, folder, store)
        await current.load_first()
        server = Server(settings, ["protos.context.v1.ContextService"])
        context_pb2_grpc.add_ContextServiceServicer_to_server(ContextServicer(current, store), server.grpc)
        target = f"127.0.0.1:{await server.start('127.0.0.1:0')}"
        stack.push_async_callback(server.stop, 0)
        follower = asyncio.create_task(current.follow(POLL_S))
        stack.callback(follower.cancel)
        to_service = await stack.enter_async_context(channel(target, settings))
        stub = context_pb2_grpc.ContextServiceStub(to_service)
        yield Running(stub, Caller(settings), settings, folder, target, current, server)


async def test_the_documents_are_served_with_their_version(tmp_path: Path) -> None:
    """The version is a hash of their content: a copy has the same."""
    async with serving(tmp_path) as service:
        response = await service.get()

    assert response.version == response.context.version == shipped().version
    assert len(response.context.principles) == 6
    assert len(response.context.lines) == 4


async def test_a_caller_that_knows_the_version_gets_no_documents(tmp_path: Path) -> None:
    """Only the word that nothing changed."""
    async with serving(tmp_path) as service:
        response = await service.get(known_version=shipped().version)

    assert response.unchanged
    assert not response.HasField("context")


async def test_an_edit_is_in_use_without_a_restart_and_told_to_watchers(tmp_path: Path) -> None:
    """A watcher gets the current version first, then each new one."""
    async with serving(tmp_path) as service:
        watch = service.stub.WatchContext(context_pb2.WatchContextRequest(), timeout=10)
        first = await anext(aiter(watch))
        service.edit("Otto", "Olga")
        second = await anext(aiter(watch))
        watch.cancel()

        assert first.context.assistant == "Otto"
        assert second.context.assistant == "Olga"
        assert second.context.version != first.context.version
        assert (await service.get()).context.assistant == "Olga"


async def test_a_watcher_that_knows_the_version_waits_for_the_next(tmp_path: Path) -> None:
    """Nothing is sent that it has."""
    async with serving(tmp_path) as service:
        watch = service.stub.WatchContext(context_pb2.WatchContextRequest(known_version=shipped().version), timeout=10)
        next_one = asyncio.ensure_future(anext(aiter(watch)))
        await service.get()
        assert not next_one.done()

        service.edit("Otto", "Olga")

        assert (await next_one).context.assistant == "Olga"
        watch.cancel()


async def test_a_stop_lets_watchers_go_without_an_error(tmp_path: Path) -> None:
    """Their stream ends, as a call that was answered does."""
    async with serving(tmp_path) as service:
        watch = service.stub.WatchContext(context_pb2.WatchContextRequest(known_version=shipped().version), timeout=10)

        await service.current.stop()

        assert [version async for version in watch] == []


async def test_a_bad_edit_changes_nothing_and_a_good_one_after_it_does(tmp_path: Path) -> None:
    """The last good version stays in use."""
    async with serving(tmp_path) as service:
        good = (tmp_path / FILES[-1]).read_text(encoding="utf-8")
        watch = service.stub.WatchContext(context_pb2.WatchContextRequest(known_version=shipped().version), timeout=10)
        before = refusals()
        (tmp_path / FILES[-1]).write_text("# nada\n", encoding="utf-8")
        await refused_after(before)
        during = await service.get()
        (tmp_path / FILES[-1]).write_text(good, encoding="utf-8")
        service.edit("Otto", "Olga")
        after = await anext(aiter(watch))
        watch.cancel()

    assert during.version == shipped().version
    assert after.context.assistant == "Olga"


async def test_an_edit_that_the_guard_refuses_changes_nothing(tmp_path: Path) -> None:
    """No canonical text gets in that could not go out."""
    async with serving(tmp_path) as service:
        before = refusals()
        service.edit(shipped().phrases["THANKS"], "A entrega custa R$ 25,00.")
        await refused_after(before)

        assert (await service.get()).version == shipped().version


def refusals() -> float:
    """Edits that were refused so far, as an operator sees them."""
    return REGISTRY.get_sample_value("pyloto_context_rejected_total") or 0.0


async def refused_after(before: float) -> None:
    """Until one more edit was refused."""
    async with asyncio.timeout(10):
        while refusals() == before:  # noqa: ASYNC110 - a refusal is told to the metrics alone
            await asyncio.sleep(POLL_S)


async def test_an_older_version_can_be_asked_for_by_name(tmp_path: Path) -> None:
    """So that any past answer can be explained."""
    async with serving(tmp_path) as service:
        watch = service.stub.WatchContext(context_pb2.WatchContextRequest(known_version=shipped().version), timeout=10)
        service.edit("Otto", "Olga")
        await anext(aiter(watch))
        watch.cancel()

        old = await service.get(version=shipped().version)

    assert old.context.assistant == "Otto"


async def test_a_version_that_never_was_is_not_found(tmp_path: Path) -> None:
    """And a name that cannot be one is bad input."""
    async with serving(tmp_path) as service:
        with pytest.raises(NotFound, match="'nenhuma'"):
            await service.get(version="nenhuma")
        with pytest.raises(InvalidInput, match="version: expected at most 64 characters"):
            await service.get(version="v" * 65)


async def test_without_its_store_the_service_serves_all_the_same(tmp_path: Path) -> None:
    """Keeping versions may wait; answering customers may not."""
    async with serving(tmp_path, mongodb_url=nowhere_url(), mongodb_timeout_s=0.1) as service:
        assert (await service.get()).version == shipped().version


async def test_a_client_follows_edits_and_outlives_the_service(tmp_path: Path) -> None:
    """The last version that it saw stays in use while the service is away."""
    async with (
        serving(tmp_path) as service,
        channel(service.target, service.settings) as to_service,
        ContextClient(to_service, service.settings) as client,
    ):
        assert (await client.current(Deadline.after(5))).assistant == "Otto"
        service.edit("Otto", "Olga")
        async with asyncio.timeout(10):
            while (await client.current(Deadline.after(5))).assistant != "Olga":  # noqa: ASYNC110 - a client tells nobody
                await asyncio.sleep(POLL_S)

        await service.server.stop(0)

        assert (await client.current(Deadline.after(0.1))).assistant == "Olga"


async def test_a_client_that_never_saw_a_version_says_so_in_time() -> None:
    """Within the caller's deadline."""
    settings = StoreSettings.model_validate(store_values(nowhere_url()))
    async with channel("127.0.0.1:1", settings) as nowhere, ContextClient(nowhere, settings) as client:
        with pytest.raises(Unavailable, match="has not answered since this process started"):
            await client.current(Deadline.after(0.1))
