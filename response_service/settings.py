"""Settings of the response service."""

from common.model_settings import ModelSettings
from common.settings import StoreSettings


class ResponseSettings(StoreSettings, ModelSettings):
    """What the response service needs besides the store's and the LLM's settings."""

    response_listen: str = "127.0.0.1:50052"
    """host:port of the gRPC server."""
    context_target: str = "127.0.0.1:50054"
    """Where the context service is: host:port or dns:///name:port."""
    llm_model_response: str = "gpt-5.4-mini"
    """Model for task 2."""
    llm_model_judge: str = "gpt-5.4-mini"
    """Model for the small check of a text that the rules find doubtful."""
    response_reserve_s: float = 0.12
    """Kept from each call's deadline for the deterministic answer and the write, in seconds."""
