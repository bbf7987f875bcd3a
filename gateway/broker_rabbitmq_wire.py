"""AMQP as our own values: connect, declare the topology, translate messages and errors."""

import asyncio
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aio_pika
import aiormq
import aiormq.abc
from aio_pika.exceptions import (
    CONNECTION_EXCEPTIONS,
    AuthenticationError,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
    DeliveryError,
    InvalidFrameError,
    ProbableAuthenticationError,
    PublishError,
)
from aiormq import ConnectionCommandInvalid, ConnectionNotAllowed
from pamqp.commands import Basic
from yarl import URL

from common.errors import BrokerUnavailable, InvalidSetting, NotFound
from gateway import dead_letters
from gateway.broker import NO_PARTITION, Delivery, Publication
from gateway.topology import HASH_WEIGHT, STEADY_KIND, Topology

# A header of ours is a trace context, an id, a number or a reason. A longer one is somebody else's and is not kept.
MAX_HEADER_CHARS = 2048
_PERSISTENT = 2


@dataclass(frozen=True, slots=True)
class RabbitOptions:
    """How to reach RabbitMQ, and how this process behaves as a client of it.

    `url` is amqp(s)://user:password@host:port/vhost; `replica` names this process (priorities, connection name).
    `prefetch` is per partition. `subscribe_pause_s` lies between two subscriptions, so that replicas which start together
    share the partitions on a broker that does not balance them itself. Times in seconds.
    """

    url: str = field(repr=False)
    replica: str = "gateway"
    prefetch: int = 16
    heartbeat_s: int = 10
    connect_timeout_s: float = 5.0
    start_timeout_s: float = 60.0
    reconnect_max_s: float = 2.0
    subscribe_pause_s: float = 0.02
    tls_ca_file: str | None = None
    tls_cert_file: str | None = None
    tls_key_file: str | None = None

    def __post_init__(self) -> None:
        if not _is_amqp(self.url):
            raise InvalidSetting("the broker's URL must be amqp://user:password@host:port/vhost, or amqps:// with TLS")
        if self.prefetch < 1:
            raise InvalidSetting(f"prefetch must be at least 1, not {self.prefetch!r}")


def _is_amqp(url: str) -> bool:
    try:
        parsed = URL(url)
    except ValueError:
        return False
    return parsed.scheme in ("amqp", "amqps") and bool(parsed.host)


@dataclass(slots=True, eq=False)
class Tag:
    """What an acknowledgement needs: it is valid on the channel of the delivery only, and once."""

    channel: aiormq.abc.AbstractChannel
    number: int
    settled: bool = False


@contextmanager
def our_errors(doing: str) -> Iterator[None]:
    """Whatever AMQP raises leaves as an error of ours that says what was being done."""
    try:
        yield
    except (AuthenticationError, ProbableAuthenticationError, ConnectionNotAllowed) as error:
        raise InvalidSetting(f"{doing}: RabbitMQ refuses the user or the virtual host of the URL: {error}") from error
    except ChannelPreconditionFailed as error:
        raise InvalidSetting(
            f"{doing}: it exists with other arguments; take the setting back, or drain and delete it: {error}"
        ) from error
    except ConnectionCommandInvalid as error:
        hint = "rabbitmq-plugins enable rabbitmq_consistent_hash_exchange rabbitmq_sharding"
        raise InvalidSetting(f"{doing}: RabbitMQ does not know this; perhaps `{hint}`: {error}") from error
    except InvalidFrameError as error:
        raise BrokerUnavailable(f"{doing}: refused; does the virtual host exist, and may the user enter it?") from error
    except ChannelNotFoundEntity as error:
        raise NotFound(f"{doing}: {error}") from error
    except PublishError as error:
        raise BrokerUnavailable(f"{doing}: no queue takes it") from error
    except DeliveryError as error:
        raise BrokerUnavailable(f"{doing}: refused, the queue is full") from error
    except TimeoutError as error:
        raise BrokerUnavailable(f"{doing}: no answer in time") from error
    except CONNECTION_EXCEPTIONS as error:
        raise BrokerUnavailable(f"{doing}: {error!r}") from error
    except asyncio.CancelledError as error:
        # aiormq ends what waits on a lost channel by cancellation; only a cancellation of this very task is the caller's.
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise BrokerUnavailable(f"{doing}: the connection was lost") from error


async def connect(options: RabbitOptions) -> aio_pika.abc.AbstractConnection:
    """One attempt to connect."""
    url = URL(options.url)
    if "heartbeat" not in url.query:
        url = url.update_query(heartbeat=options.heartbeat_s)
    context = None
    if url.scheme == "amqps":
        context = _tls_context(options)
    name = f"pyloto {options.replica}"
    connection = aio_pika.Connection(url, ssl_context=context, client_properties={"connection_name": name})
    try:
        with our_errors(f"connect to RabbitMQ at {url.host}:{url.port or url.scheme}"):
            await connection.connect(timeout=options.connect_timeout_s)
    except BaseException:
        # Its destructor would otherwise start a task of its own to close it.
        await connection.close()
        raise
    return connection


def _tls_context(options: RabbitOptions) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=options.tls_ca_file)
        if options.tls_cert_file is not None:
            context.load_cert_chain(options.tls_cert_file, options.tls_key_file)
    except OSError as error:
        files = (options.tls_ca_file, options.tls_cert_file, options.tls_key_file)
        raise InvalidSetting(f"the TLS files {files!r} cannot be used: {error}") from error
    return context


async def open_channel(connection: aio_pika.abc.AbstractConnection, *, confirms: bool = False) -> aiormq.Channel:
    """A channel below aio-pika's wrappers: fewer tasks per message, and acknowledgements that need no message object."""
    transport = connection.transport
    if transport is None:
        raise BrokerUnavailable("the connection to RabbitMQ is closed")
    channel = await transport.connection.channel(publisher_confirms=confirms, on_return_raises=True)
    assert isinstance(channel, aiormq.Channel)
    return channel


def server_version(connection: aio_pika.abc.AbstractConnection) -> tuple[int, ...]:
    """The version that the server announced, such as (3, 10, 8)."""
    transport = connection.transport
    text = str(transport.connection.server_properties.get("version", "")) if transport is not None else ""
    return tuple(int(part) for part in text.split("-")[0].split(".") if part.isdigit())


class NoSteadySpread(Exception):  # noqa: N818 - it is an answer, not a failure
    """The broker does not know `STEADY_KIND`; it has closed the connection over it."""


async def declare(connection: aio_pika.abc.AbstractConnection, topology: Topology, *, steady: bool) -> None:
    """Declare every exchange and queue; InvalidSetting when the broker has them in another shape.

    `steady`: the partitions are bound by way of `Topology.spread`, and NoSteadySpread is raised where that is not known;
    otherwise directly.
    """
    server = server_version(connection)
    with our_errors("declare the topology"):
        channel = await open_channel(connection)
    for exchange in topology.exchanges():
        with our_errors(f"declare exchange {exchange.name!r}"):
            await channel.exchange_declare(exchange.name, exchange_type=exchange.kind, durable=True)
    if steady:
        await _declare_spread(channel, topology)
    for queue in topology.queues():
        with our_errors(f"declare queue {queue.name!r}"):
            await channel.queue_declare(queue.name, durable=True, arguments=dict(queue.arguments(server)))
            source = topology.spread if steady and queue.exchange == topology.inbound else queue.exchange
            await channel.queue_bind(queue.name, source, queue.binding)
    if steady:
        await _put_between(channel, topology)
    beyond = topology.partition_queue(topology.partitions)
    try:
        with our_errors(f"look for queue {beyond!r}"):
            await channel.queue_declare(beyond, passive=True)
    except NotFound:
        return  # as it should be; asking closed the channel
    raise InvalidSetting(
        f"the broker has more than the {topology.partitions} partitions of the settings ({beyond!r} exists): messages of"
        " its conversations would wait unread; raise the setting, or unbind, drain and delete the queues beyond it"
    )


async def _declare_spread(channel: aiormq.Channel, topology: Topology) -> None:
    with our_errors(f"declare exchange {topology.spread!r}"):
        try:
            await channel.exchange_declare(topology.spread, exchange_type=STEADY_KIND, durable=True, internal=True)
        except ConnectionCommandInvalid as error:
            raise NoSteadySpread from error


async def _put_between(channel: aiormq.Channel, topology: Topology) -> None:
    """Everything goes through the spread; one destination alone cannot change its place on the ring."""
    with our_errors(f"bind exchange {topology.spread!r}"):
        await channel.exchange_bind(topology.spread, topology.inbound, HASH_WEIGHT)
        for queue in topology.queues():
            if queue.exchange == topology.inbound:
                await channel.queue_unbind(queue.name, queue.exchange, queue.binding)


def properties(publication: Publication) -> Basic.Properties:
    """The AMQP properties of a message of ours; persistent."""
    return Basic.Properties(
        content_type=publication.content_type,
        message_id=publication.message_id,
        headers=dict(publication.headers),
        delivery_mode=_PERSISTENT,
    )


def delivery(message: aiormq.abc.DeliveredMessage, partition: int) -> Delivery:
    """A delivery as the consumer sees it."""
    foreign = message.header.properties.headers or {}
    count = foreign.get("x-delivery-count", 0)
    return Delivery(
        partition=partition,
        routing_key=message.routing_key or "",
        body=message.body,
        content_type=message.header.properties.content_type or "",
        headers=_headers(foreign),
        message_id=message.header.properties.message_id or "",
        redelivered=bool(message.redelivered),
        delivery_count=count if isinstance(count, int) else 0,
        received_at_s=time.monotonic(),
        tag=Tag(message.channel, message.delivery_tag or 0),
    )


def publication(message: aiormq.abc.DeliveredMessage, topology: Topology) -> Publication:
    """A message as it was published; if the broker itself buried it, with our headers for why, where and when."""
    foreign = message.header.properties.headers or {}
    return Publication(
        exchange=message.exchange or "",
        routing_key=message.routing_key or "",
        body=message.body,
        content_type=message.header.properties.content_type or "",
        message_id=message.header.properties.message_id or "",
        headers={**_marks_of_the_broker(foreign, topology), **_headers(foreign)},
    )


def _headers(foreign: Mapping[str, object]) -> dict[str, str | int]:
    """Text and whole numbers, in bounds; the broker's own counters and tables are left out."""
    kept: dict[str, str | int] = {}
    for name, raw in foreign.items():
        value = raw.decode(errors="replace") if isinstance(raw, bytes) else raw
        if name in ("x-delivery-count", "x-acquired-count") or name.startswith(("x-first-death", "x-last-death")):
            continue
        if isinstance(value, int) or (isinstance(value, str) and len(value) <= MAX_HEADER_CHARS):
            kept[name] = value
    return kept


def _marks_of_the_broker(foreign: Mapping[str, object], topology: Topology) -> dict[str, str | int]:
    deaths = foreign.get("x-death")
    if not isinstance(deaths, list) or not deaths or not isinstance(deaths[0], dict):
        return {}
    death = deaths[0]
    at = death.get("time")
    partition = topology.partition_of(str(death.get("queue", "")))
    reason = str(death.get("reason", "unknown"))
    return dead_letters.epitaph(
        reason=reason,
        partition=NO_PARTITION if partition is None else partition,
        # The broker's own count does not come along.
        delivery_count=topology.delivery_limit + 1 if reason == dead_letters.DELIVERY_LIMIT_REASON else 0,
        dead_at=at.astimezone(UTC) if isinstance(at, datetime) else datetime.fromtimestamp(0, UTC),
    )
