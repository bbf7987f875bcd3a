"""Settings of the FSM service."""

from pydantic import Field

from common.model_settings import ModelSettings
from common.settings import StoreSettings


class FsmSettings(StoreSettings, ModelSettings):
    """What the FSM service needs besides the store's and the LLM's settings."""

    fsm_listen: str = "127.0.0.1:50051"
    """host:port of the gRPC server."""
    context_target: str = "127.0.0.1:50054"
    """Where the context service is: host:port or dns:///name:port."""
    llm_model_fsm: str = "gpt-5.4-mini"
    """Model for task 1."""
    fsm_reserve_s: float = Field(default=0.15, ge=0)
    """Kept from each call's deadline for the deterministic decision and the write, in seconds."""
    fsm_min_confidence: float = Field(default=0.45, ge=0, le=1)
    """Below it the customer is asked what they mean; the second time in a row a person takes over."""
    fsm_session_expires_s: int = Field(default=2 * 3600, ge=1)
    """A session that waits for the customer longer than this ends; the next message opens a new one."""
    fsm_escalation_expires_s: int = Field(default=24 * 3600, ge=1)
    """A hand-off that nobody resolved goes back to the bot after this time, so that no customer meets silence for ever."""
    fsm_spam_block_s: int = Field(default=600, ge=0)
    """How long an unwanted sender gets no answer."""
    fsm_flood_messages: int = Field(default=20, ge=1)
    """More messages than this within fsm_flood_window_s are a flood."""
    fsm_flood_window_s: int = Field(default=60, ge=1)
    """The window in which messages are counted."""
    fsm_repeats: int = Field(default=4, ge=2)
    """The same content this many times in a row is abuse."""
