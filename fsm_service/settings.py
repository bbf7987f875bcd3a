"""Settings of the FSM service."""

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
    fsm_reserve_s: float = 0.15
    """Kept from each call's deadline for the deterministic decision and the write, in seconds."""
    fsm_min_confidence: float = 0.45
    """Below it the customer is asked what they mean; the second time in a row a person takes over."""
    fsm_session_expires_s: int = 2 * 3600
    """A session that waits for the customer longer than this ends; the next message opens a new one."""
    fsm_escalation_expires_s: int = 24 * 3600
    """A hand-off that nobody resolved goes back to the bot after this time, so that no customer meets silence for ever."""
    fsm_spam_block_s: int = 600
    """How long an unwanted sender gets no answer."""
    fsm_flood_messages: int = 20
    """More messages than this within fsm_flood_window_s are a flood."""
    fsm_flood_window_s: int = 60
    """The window in which messages are counted."""
    fsm_repeats: int = 4
    """The same content this many times in a row is abuse."""
