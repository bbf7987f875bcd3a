"""Settings of the bare processes: where things are, and nothing else."""

from common.model_settings import ModelSettings
from common.settings import StoreSettings


class FloorSettings(StoreSettings, ModelSettings):
    """Addresses only."""

    amqp_url: str = "amqp://guest:guest@127.0.0.1:5672/"
    """RabbitMQ."""
    fsm_target: str = ""
    """Task 1."""
    response_target: str = ""
    """Task 2."""
    msgtype_target: str = ""
    """Task 3."""
