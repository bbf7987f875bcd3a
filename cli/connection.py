"""Where a command's broker and services are: a system of its own, or the running one that the options name."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from cli.system import Wanted, bring_up
from cli.terminal import quiet_logs, tell
from common.errors import BrokerUnavailable, InvalidSetting
from common.settings import load
from gateway.broker import Broker
from gateway.broker_rabbitmq import RabbitBroker
from gateway.broker_rabbitmq_wire import RabbitOptions
from gateway.gateway import topology
from gateway.settings import GatewaySettings

_CONNECT_S = 6.0


@dataclass(frozen=True, slots=True)
class Connected:
    """A broker to write to; the FSM service's and the store's addresses are empty when they are not known."""

    broker: Broker
    channels: frozenset[str]
    fsm: str = ""
    mongodb_url: str = ""
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """What to connect to; an empty `amqp_url` brings up an embedded system for as long as the command runs."""

    amqp_url: str = ""
    llm_url: str = ""
    data_dir: Path | None = None
    quiet: bool = False
    environment: dict[str, str] = field(default_factory=dict)


@asynccontextmanager
async def connect(place: Place) -> AsyncIterator[Connected]:
    """The running system, or one of the command's own."""
    if place.amqp_url:
        quiet_logs()
        settings = gateway_settings(place.amqp_url)
        async with rabbitmq(settings) as broker:
            yield Connected(broker, settings.channels)
        return
    wanted = Wanted(llm_url=place.llm_url, data_dir=place.data_dir, environment=place.environment)
    async with bring_up(wanted, (lambda _: None) if place.quiet else tell) as system:
        channels = load(GatewaySettings).channels
        yield Connected(system.broker, channels, system.address("fsm"), system.mongodb_url, system.folder)


@asynccontextmanager
async def rabbitmq(settings: GatewaySettings) -> AsyncIterator[RabbitBroker]:
    """A client of the RabbitMQ that the settings name; says what to do when none answers."""
    url = settings.amqp_url.get_secret_value()
    options = RabbitOptions(
        url=url, replica="pyloto-cli", start_timeout_s=_CONNECT_S, tls_ca_file=settings.amqp_ca_file or None
    )
    broker = RabbitBroker(options, topology(settings))
    async with AsyncExitStack() as stack:
        try:
            await broker.start()
        except BrokerUnavailable as error:
            raise BrokerUnavailable(
                f"{error}; is it running, and is --amqp right? Start one with: rabbitmq-server -detached"
            ) from error
        stack.push_async_callback(broker.close)
        yield broker


def gateway_settings(amqp_url: str) -> GatewaySettings:
    """The gateway's settings from the environment (partitions and channels must agree with it), with this broker."""
    if not amqp_url.startswith(("amqp://", "amqps://")):
        raise InvalidSetting(f"--amqp: expected amqp://user:password@host:port/vhost, or amqps://, got {_scheme(amqp_url)}")
    return load(lambda: GatewaySettings(amqp_url=SecretStr(amqp_url)))


def _scheme(url: str) -> str:
    """What may be shown of a URL that can hold a password."""
    return repr(url.partition("@")[0].partition(":")[0] + ":…") if ":" in url else repr(url)
