"""Settings of the message-type service."""

from common.model_settings import ModelSettings
from common.settings import StoreSettings


class MsgtypeSettings(StoreSettings, ModelSettings):
    """What the message-type service needs besides the store's and the LLM's settings."""

    msgtype_listen: str = "127.0.0.1:50053"
    """host:port of the gRPC server."""
    context_target: str = "127.0.0.1:50054"
    """Where the context service is: host:port or dns:///name:port."""
    llm_model_msgtype: str = "gpt-5.4-mini"
    """Model for task 3."""
    msgtype_reserve_s: float = 0.12
    """Kept from each call's deadline for the deterministic choice and the write, in seconds."""
