"""What every gRPC server of ours does: token, TLS, errors as status codes, health, reflection, drain."""

from __future__ import annotations  # grpc's generics exist in its stubs only

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from common import errors
from common.clients import Caller, channel
from common.deadline import Deadline
from common.errors import InvalidSetting, PylotoError
from common.serving import CORRELATION_KEY, Server, deadline_of
from common.settings import Settings
from protos.msgtype.v1 import msgtype_pb2 as pb
from protos.msgtype.v1 import msgtype_pb2_grpc

SERVICE = "protos.msgtype.v1.MsgtypeService"


class Example(msgtype_pb2_grpc.MsgtypeServiceServicer):
    """Fails as told; says what it knows of the call in `menu_id`."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.release = asyncio.Event()
        self.entered = asyncio.Event()
        self.release.set()

    async def SelectMessageType(  # noqa: N802 - the RPC's name
        self, request: pb.SelectMessageTypeRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> pb.SelectMessageTypeResponse:
        """One RPC."""
        self.entered.set()
        await self.release.wait()
        if self.failure:
            raise self.failure
        correlation = structlog.contextvars.get_contextvars().get("correlation_id", "")
        left_s = deadline_of(context).remaining_s()
        return pb.SelectMessageTypeResponse(menu_id=str(correlation), button_label=f"{left_s:.3f}")


@asynccontextmanager
async def serving(example: Example, settings: Settings | None = None) -> AsyncIterator[tuple[Server, str]]:
    """A started server and its address."""
    server = Server(settings or Settings(), [SERVICE])
    msgtype_pb2_grpc.add_MsgtypeServiceServicer_to_server(example, server.grpc)
    port = await server.start("localhost:0")
    try:
        yield server, f"localhost:{port}"
    finally:
        await server.stop(0)


async def select(target: str, settings: Settings | None = None, *, within_s: float = 5.0) -> pb.SelectMessageTypeResponse:
    """One call, as our clients make it."""
    settings = settings or Settings()
    async with channel(target, settings) as to_service:
        stub = msgtype_pb2_grpc.MsgtypeServiceStub(to_service)
        return await Caller(settings).call(
            stub.SelectMessageType, pb.SelectMessageTypeRequest(), deadline=Deadline.after(within_s), name="SelectMessageType"
        )


OURS = [
    errors.InvalidInput("turn.text", "is strange"),
    errors.NotFound("there is none"),
    errors.IllegalTransition("not legal"),
    errors.Conflict("somebody wrote first"),
    errors.Overloaded("full"),
    errors.DeadlineExceeded("too late"),
]


@pytest.mark.parametrize("failure", OURS, ids=lambda failure: type(failure).__name__)
async def test_an_error_of_ours_arrives_as_itself(failure: PylotoError) -> None:
    """The caller catches the class that the other side raised, with its words."""
    async with serving(Example(failure)) as (_, target):
        with pytest.raises(type(failure)) as caught:
            await select(target)

    assert str(failure).partition(": ")[2] in str(caught.value)


async def test_a_wrong_field_keeps_its_name() -> None:
    """On the way back too."""
    async with serving(Example(errors.InvalidInput("turn.text", "is strange"))) as (_, target):
        with pytest.raises(errors.InvalidInput) as caught:
            await select(target)

    assert (caught.value.field, caught.value.problem) == ("turn.text", "is strange")


async def test_an_unexpected_error_tells_the_caller_nothing() -> None:
    """What it said stays in the log."""
    async with serving(Example(RuntimeError("Ana 123.456.789-09"))) as (_, target):
        with pytest.raises(PylotoError) as caught:
            await select(target)

    assert str(caught.value) == "SelectMessageType: internal error"


async def test_correlation_id_and_deadline_travel_with_the_call() -> None:
    """A log line of any service can be found by the turn."""
    async with serving(Example()) as (_, target):
        with structlog.contextvars.bound_contextvars(correlation_id="turn-abc"):
            response = await select(target, within_s=3)

    assert response.menu_id == "turn-abc"
    assert float(response.button_label) == pytest.approx(3, abs=0.5)


async def test_no_caller_gets_in_without_the_token() -> None:
    """Where one is set."""
    secured = Settings.model_validate({"grpc_auth_token": "segredo"})
    async with serving(Example(), secured) as (_, target):
        await select(target, secured)
        for wrong in (Settings(), Settings.model_validate({"grpc_auth_token": "outro"})):
            with pytest.raises(errors.Unauthenticated):
                await select(target, wrong)


async def test_reflection_needs_the_token_and_health_does_not() -> None:
    """A probe has no secrets; who explores the API needs them."""
    secured = Settings.model_validate({"grpc_auth_token": "segredo"})
    async with serving(Example(), secured) as (_, target), grpc.aio.insecure_channel(target) as anyone:
        stub = health_pb2_grpc.HealthStub(anyone)
        healthy = await stub.Check(  # type: ignore[attr-defined]  # its type stub lacks the methods
            health_pb2.HealthCheckRequest(service=SERVICE)
        )
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await _listed(anyone)

    assert healthy.status == health_pb2.HealthCheckResponse.SERVING
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_reflection_lists_the_services() -> None:
    """grpcurl needs no .proto files."""
    async with serving(Example()) as (_, target), grpc.aio.insecure_channel(target) as anyone:
        assert SERVICE in await _listed(anyone)


async def _listed(to_server: grpc.aio.Channel) -> list[str]:
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    stub = reflection_pb2_grpc.ServerReflectionStub(to_server)  # type: ignore[arg-type]  # its type stub knows no async channel
    async for answer in stub.ServerReflectionInfo(iter([request])):  # type: ignore[operator]  # nor the methods
        return [service.name for service in answer.list_services_response.service]
    return []


async def test_a_stop_says_not_serving_lets_calls_finish_and_takes_no_new_ones() -> None:
    """So that a rollout loses nothing."""
    example = Example()
    example.release.clear()
    async with serving(example) as (server, target), grpc.aio.insecure_channel(target) as prober:
        stub = health_pb2_grpc.HealthStub(prober)
        watch = stub.Watch(  # type: ignore[attr-defined]  # its type stub lacks the methods
            health_pb2.HealthCheckRequest(service=SERVICE)
        )
        await watch.read()
        running = asyncio.create_task(select(target))
        await example.entered.wait()

        stopping = asyncio.create_task(server.stop(5))
        seen = await watch.read()
        example.release.set()
        watch.cancel()

        assert seen.status == health_pb2.HealthCheckResponse.NOT_SERVING
        assert await running
        await stopping
        with pytest.raises(errors.PylotoError):
            await select(target, within_s=0.3)


async def test_an_address_that_is_taken_is_a_wrong_setting() -> None:
    """Named, with what to look for."""
    async with serving(Example()) as (_, target):
        with pytest.raises(InvalidSetting, match="is another process there"):
            await Server(Settings(), []).start(target)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CA, and a certificate for localhost that it signed: ca.pem, cert.pem, key.pem."""
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    (folder / "san").write_text("subjectAltName=DNS:localhost")
    key = ("-newkey", "rsa:2048", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca-key.pem", "-out", "ca.pem", "-subj", "/CN=test-ca", "-days", "2")
    openssl("req", *key, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=localhost")
    signed = ("-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial", "-days", "2", "-extfile", "san")
    openssl("x509", "-req", "-in", "request.pem", "-out", "cert.pem", *signed)
    return folder


def tls(folder: Path, *names: str) -> Settings:
    """Settings with these files."""
    files = {"cert": "cert.pem", "key": "key.pem", "ca": "ca.pem"}
    return Settings.model_validate({f"grpc_tls_{name}_file": str(folder / files[name]) for name in names})


async def test_with_certificates_calls_are_encrypted(certificates: Path) -> None:
    """A caller that trusts the CA gets in, one that speaks plain text does not."""
    async with serving(Example(), tls(certificates, "cert", "key")) as (_, target):
        assert await select(target, tls(certificates, "ca"))
        with pytest.raises(errors.PylotoError):
            await select(target, within_s=0.5)


async def test_with_a_ca_callers_must_show_a_certificate(certificates: Path) -> None:
    """Mutual TLS: who has none does not get in."""
    mutual = tls(certificates, "cert", "key", "ca")
    async with serving(Example(), mutual) as (_, target):
        assert await select(target, mutual)
        with pytest.raises(errors.PylotoError):
            await select(target, tls(certificates, "ca"), within_s=0.5)


async def test_a_certificate_that_is_not_there_is_named() -> None:
    """The process stops before it serves in plain text."""
    settings = Settings.model_validate({"grpc_tls_cert_file": "/nowhere/cert.pem", "grpc_tls_key_file": "/nowhere/key.pem"})

    with pytest.raises(InvalidSetting, match="GRPC_TLS_CERT_FILE: cannot read '/nowhere/cert"):
        Server(settings, [])


def test_the_correlation_key_is_lower_case() -> None:
    """gRPC refuses metadata keys with capitals."""
    assert CORRELATION_KEY.lower() == CORRELATION_KEY
