"""Settings of the gateway."""

import socket

from pydantic import Field, SecretStr

from common.settings import StoreSettings

PUBLIC_KEY = "pyloto"
"""Everybody knows it: fit for a try, and warned of."""


class GatewaySettings(StoreSettings):
    """What the gateway needs besides the shared settings."""

    amqp_url: SecretStr = SecretStr("amqp://guest:guest@127.0.0.1:5672/")
    """RabbitMQ; amqps:// for TLS. Holds a password, so AMQP_URL_FILE works too."""
    amqp_ca_file: str = ""
    """PEM certificates to trust for amqps://; empty for the system's."""
    gateway_listen: str = "127.0.0.1:50050"
    """host:port of the gRPC health service."""
    fsm_target: str = "127.0.0.1:50051"
    """Where the FSM service is: host:port or dns:///name:port."""
    response_target: str = "127.0.0.1:50052"
    """Where the response service is."""
    msgtype_target: str = "127.0.0.1:50053"
    """Where the message-type service is."""
    context_target: str = "127.0.0.1:50054"
    """Where the context service is."""
    gateway_replica: str = Field(default_factory=socket.gethostname)
    """This replica's name; decides which partitions it prefers."""
    gateway_partitions: int = Field(default=16, ge=1, le=1024)
    """Inbound queues. May grow, not shrink (see docs/operating.md)."""
    gateway_prefetch: int = Field(default=64, ge=1)
    """Messages of one partition taken at once; partitions x prefetch must fit what one replica can answer in time."""
    gateway_max_turns: int = Field(default=512, ge=1)
    """Turns answered at the same time by this replica: its rate times what a turn takes under load (220/s x 2 s), and room."""
    gateway_delivery_limit: int = Field(default=20, ge=1)
    """Returns after which a message goes to the dead letters; only crashes return messages."""
    gateway_partition_max_length: int = Field(default=100_000, ge=1)
    """Messages that may wait in one partition; more are refused (nack), and stay with the adapter (see docs/operating.md)."""
    gateway_outbound_max_length: int = Field(default=1_000_000, ge=1)
    """Replies that may wait for one channel's adapter; with more the gateway waits."""
    gateway_channels: str = Field(default="whatsapp,console", pattern=r"^[\w-]+(\s*,\s*[\w-]+)*$")
    """Channels that may send, separated by commas; each has its outbound queue (console: kept for an hour only)."""
    gateway_turn_deadline_s: float = Field(default=2.8, gt=0)
    """From publication to answer; the promise is 3 s."""
    gateway_model_needs_s: float = Field(default=1.2, gt=0)
    """A message with less time left than this, because it waited, is answered by the deterministic path at once."""
    gateway_late_deadline_s: float = Field(default=2.0, gt=0)
    """Time for such an answer; it is late in any case, and giving up would make it later."""
    gateway_pseudonym_key: SecretStr = SecretStr(PUBLIC_KEY)
    """Key of the pseudonyms in events; set your own, so that nobody can compute them from telephone numbers."""

    @property
    def channels(self) -> frozenset[str]:
        """The channels' names."""
        return frozenset(name.strip() for name in self.gateway_channels.split(",") if name.strip())
