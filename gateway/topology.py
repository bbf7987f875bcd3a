"""The broker's exchanges and queues: every name and every argument, in one place, as frozen data.

pyloto.inbound (x-consistent-hash, key = conversation id) → pyloto.inbound.<n>            the gateway reads
pyloto.outbound (topic, key = channel)                    → pyloto.outbound.<channel>     an adapter reads
pyloto.escalations (topic)                                → pyloto.escalations.attendants people's desk reads
pyloto.events (topic)                                     → nothing: analytics binds its own durable queue, with a limit
pyloto.dead (fanout)                                      → pyloto.dead-letters           `pyloto dead-letters` reads
"""

import hashlib
from dataclasses import dataclass
from typing import Literal

ExchangeKind = Literal["x-consistent-hash", "topic", "fanout"]

# Gives each routing key the same queue for as long as the queues are the same. The ring of x-consistent-hash is built again
# when the broker restarts, in the order in which it happens to find the bindings: most conversations would change their
# partition, and overtake their own messages that still wait in the old one. (Built in from RabbitMQ 4.3; before, of the
# plugin rabbitmq_sharding.)
STEADY_KIND = "x-modulus-hash"

# More points on the hash ring spread conversations more evenly: max/mean 1.05 over 8 queues, against 1.14 with weight 1.
HASH_WEIGHT = "10"

# From this version a higher-priority consumer takes the active role over, and quorum queues have a delivery limit of 20
# unless told otherwise (which drops messages where no dead-letter exchange is set).
PRIORITY_TAKEOVER_SINCE = (4, 0)
AT_LEAST_ONCE_DEAD_LETTERS_SINCE = (3, 10)
PRIORITY_STEPS = 1000


@dataclass(frozen=True, slots=True)
class Exchange:
    """A durable exchange."""

    name: str
    kind: ExchangeKind


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable quorum queue bound to one exchange.

    `max_length` in messages: a full queue refuses the publish, unless `drop_oldest`. `ttl_s` in seconds.
    `delivery_limit`: returns after which a message goes to the dead letters. None means without limit, for all three.
    """

    name: str
    exchange: str
    binding: str
    single_active: bool = False
    delivery_limit: int | None = None
    dead_letter_exchange: str | None = None
    max_length: int | None = None
    drop_oldest: bool = False
    ttl_s: int | None = None

    def arguments(self, server: tuple[int, ...]) -> dict[str, str | int | bool]:
        """The AMQP arguments for a server of this version; older ones refuse what they do not know."""
        arguments: dict[str, str | int | bool] = {"x-queue-type": "quorum"}
        if self.single_active:
            arguments["x-single-active-consumer"] = True
        if self.delivery_limit is not None:
            arguments["x-delivery-limit"] = self.delivery_limit
        elif server >= PRIORITY_TAKEOVER_SINCE:
            arguments["x-delivery-limit"] = -1
        if self.max_length is not None:
            arguments["x-max-length"] = self.max_length
        if self.ttl_s is not None:
            arguments["x-message-ttl"] = self.ttl_s * 1000
        if not self.drop_oldest:
            arguments["x-overflow"] = "reject-publish"
        if self.dead_letter_exchange is not None:
            arguments["x-dead-letter-exchange"] = self.dead_letter_exchange
            if server >= AT_LEAST_ONCE_DEAD_LETTERS_SINCE and not self.drop_oldest:
                arguments["x-dead-letter-strategy"] = "at-least-once"
        return arguments


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything that is declared at start. All processes on one broker must agree on it.

    `namespace` starts every name, so that several systems can share one virtual host. `partitions` may grow while
    running (order across the change needs a drain) but not shrink: a queue that nobody reads would stay bound.
    Replies for `outbound_channels` wait for their adapter up to `outbound_max_length` and then hold the gateway up; those
    for `transient_channels` (a person at a terminal) are dropped after an hour.
    """

    namespace: str = "pyloto"
    partitions: int = 16
    delivery_limit: int = 20
    partition_max_length: int = 100_000
    outbound_channels: tuple[str, ...] = ("whatsapp",)
    outbound_max_length: int = 1_000_000
    transient_channels: tuple[str, ...] = ("console",)

    @property
    def inbound(self) -> str:
        """The exchange that adapters publish customers' messages to; routing key = conversation id."""
        return f"{self.namespace}.inbound"

    @property
    def spread(self) -> str:
        """The internal exchange between `inbound` and the partitions, of `STEADY_KIND`, where the broker knows that."""
        return f"{self.inbound}-spread"

    @property
    def outbound(self) -> str:
        """The exchange of composed replies; routing key = channel."""
        return f"{self.namespace}.outbound"

    @property
    def escalations(self) -> str:
        """The exchange of hand-offs to people."""
        return f"{self.namespace}.escalations"

    @property
    def events(self) -> str:
        """The exchange of what happened. Publish without `mandatory`: nobody need be listening."""
        return f"{self.namespace}.events"

    @property
    def dead(self) -> str:
        """The dead-letter exchange."""
        return f"{self.namespace}.dead"

    @property
    def dead_letters(self) -> str:
        """The queue of dead letters."""
        return f"{self.namespace}.dead-letters"

    def partition_queue(self, partition: int) -> str:
        """The inbound queue of one partition, 0 … partitions - 1."""
        return f"{self.inbound}.{partition}"

    def partition_of(self, queue: str) -> int | None:
        """The partition that a queue name stands for, or None for any other queue."""
        head, _, number = queue.rpartition(".")
        return int(number) if head == self.inbound and number.isdigit() else None

    def outbound_queue(self, channel: str) -> str:
        """The durable queue that a channel's adapter reads."""
        return f"{self.outbound}.{channel}"

    def exchanges(self) -> tuple[Exchange, ...]:
        """Every exchange, in the order to declare them."""
        return (
            Exchange(self.dead, "fanout"),
            Exchange(self.inbound, "x-consistent-hash"),
            Exchange(self.outbound, "topic"),
            Exchange(self.escalations, "topic"),
            Exchange(self.events, "topic"),
        )

    def queues(self) -> tuple[Queue, ...]:
        """Every queue, dead letters first, so that nothing published between two declarations is lost."""
        partitions = tuple(
            Queue(
                self.partition_queue(partition),
                self.inbound,
                HASH_WEIGHT,
                single_active=True,
                delivery_limit=self.delivery_limit,
                dead_letter_exchange=self.dead,
                max_length=self.partition_max_length,
            )
            for partition in range(self.partitions)
        )
        # One active adapter per channel: two of them would overtake each other within a conversation.
        channels = tuple(
            Queue(
                self.outbound_queue(channel),
                self.outbound,
                channel,
                single_active=True,
                max_length=self.outbound_max_length,
            )
            for channel in self.outbound_channels
        )
        terminals = tuple(
            Queue(self.outbound_queue(channel), self.outbound, channel, max_length=10_000, drop_oldest=True, ttl_s=3600)
            for channel in self.transient_channels
        )
        return (
            Queue(self.dead_letters, self.dead, ""),
            *partitions,
            *channels,
            *terminals,
            Queue(f"{self.escalations}.attendants", self.escalations, "#"),
        )


def priority(partition: int, replica: str) -> int:
    """How much this replica wants this partition, 0 … 999: the highest among the live replicas gets it."""
    digest = hashlib.blake2b(f"{partition}/{replica}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) % PRIORITY_STEPS


def by_priority(partitions: int, replica: str) -> list[int]:
    """The partitions, most wanted first: the order to subscribe in where the broker does not know priorities."""
    return sorted(range(partitions), key=lambda partition: priority(partition, replica), reverse=True)


def topic_matches(binding: str, routing_key: str) -> bool:
    """Whether a topic binding takes a routing key: `*` is one word, `#` is any number of them."""
    return _words_match(binding.split("."), routing_key.split(".") if routing_key else [])


def _words_match(pattern: list[str], words: list[str]) -> bool:
    if not pattern:
        return not words
    if pattern[0] == "#":
        return any(_words_match(pattern[1:], words[skip:]) for skip in range(len(words) + 1))
    return bool(words) and pattern[0] in ("*", words[0]) and _words_match(pattern[1:], words[1:])


_DEFAULT = Topology()
INBOUND = _DEFAULT.inbound
OUTBOUND = _DEFAULT.outbound
ESCALATIONS = _DEFAULT.escalations
EVENTS = _DEFAULT.events
DEAD = _DEFAULT.dead
DEAD_LETTERS = _DEFAULT.dead_letters
