"""What is written on a message that dies, how it is read again, and what is taken off when it is replayed; pure."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

from gateway.broker import NO_PARTITION, DeadLetter, Delivery, Publication
from gateway.topology import Topology

REASON_HEADER = "x-pyloto-reason"
DEAD_AT_HEADER = "x-pyloto-dead-at"
PARTITION_HEADER = "x-pyloto-partition"
DELIVERY_COUNT_HEADER = "x-pyloto-delivery-count"

# The reason where the broker itself gave a message up after too many returns.
DELIVERY_LIMIT_REASON = "delivery_limit"

_HEADERS = frozenset({REASON_HEADER, DEAD_AT_HEADER, PARTITION_HEADER, DELIVERY_COUNT_HEADER})


def epitaph(reason: str, partition: int, delivery_count: int, dead_at: datetime) -> dict[str, str | int]:
    """The headers that say why, where, after how many returns and when a message died."""
    return {
        REASON_HEADER: reason,
        DEAD_AT_HEADER: dead_at.isoformat(timespec="milliseconds"),
        PARTITION_HEADER: partition,
        DELIVERY_COUNT_HEADER: delivery_count,
    }


def buried(delivery: Delivery, reason: str, topology: Topology) -> Publication:
    """The dead letter of a delivery, to publish."""
    marks = epitaph(reason, delivery.partition, delivery.delivery_count, datetime.now(UTC))
    return Publication(
        exchange=topology.dead,
        routing_key=delivery.routing_key,
        body=delivery.body,
        content_type=delivery.content_type,
        message_id=delivery.message_id,
        headers={**delivery.headers, **marks},
    )


def revived(letter: Publication, topology: Topology) -> Publication:
    """The message as it was when it first came in, to publish again."""
    headers = {name: value for name, value in letter.headers.items() if name not in _HEADERS}
    return replace(letter, exchange=topology.inbound, headers=headers, mandatory=True)


def read(letter: Publication) -> DeadLetter:
    """A dead letter as people see it. One without marks was put there by hand; it is shown all the same."""
    headers = letter.headers
    partition = int(headers.get(PARTITION_HEADER, NO_PARTITION))
    dead_at = str(headers.get(DEAD_AT_HEADER, "1970-01-01T00:00:00+00:00"))
    identity = "\0".join((letter.message_id, letter.routing_key, dead_at)).encode() + letter.body
    return DeadLetter(
        id=hashlib.sha256(identity).hexdigest()[:16],
        reason=str(headers.get(REASON_HEADER, "unknown")),
        partition=None if partition == NO_PARTITION else partition,
        routing_key=letter.routing_key,
        body=letter.body,
        content_type=letter.content_type,
        headers=headers,
        message_id=letter.message_id,
        dead_at=datetime.fromisoformat(dead_at),
        delivery_count=int(headers.get(DELIVERY_COUNT_HEADER, 0)),
    )
