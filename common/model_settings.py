"""Where the LLM is, and how much of it a process may use."""

from pydantic import Field, SecretStr

from common.breaker import BreakerRules
from common.settings import Settings

PROVIDER_URL = "https://api.openai.com/v1"


class ModelSettings(Settings):
    """Where the LLM is, and how much of it and of the time a process may use."""

    llm_base_url: str = ""
    """Base URL of an OpenAI-compatible server, such as http://127.0.0.1:8089/v1; empty for OpenAI itself."""
    llm_api_key: SecretStr = SecretStr("")
    """The provider's key; LLM_API_KEY_FILE works too. With neither key nor base URL the deterministic path answers."""
    llm_timeout_s: float = Field(default=20.0, gt=0)
    """Longest wait for one call, in seconds, however far the deadline is."""
    llm_min_call_s: float = Field(default=0.1, ge=0)
    """No call starts with less time than this left, in seconds."""
    llm_max_attempts: int = Field(default=3, ge=1)
    """Most calls for one question, retries included and the repair not."""
    llm_max_concurrency: int = Field(default=256, ge=1)
    """Most calls in flight in this process; more wait as long as their deadline allows."""
    llm_reasoning_effort: str = ""
    """Overrides the reasoning effort that the model's family gets; empty for that."""
    llm_breaker_consecutive_failures: int = Field(default=5, ge=1)
    """So many failures in a row stop calls to a task's model."""
    llm_breaker_failure_ratio: float = Field(default=0.5, gt=0, le=1)
    """So large a share of failures within the window stops them too."""
    llm_breaker_window_s: float = Field(default=10.0, gt=0)
    """The window of that share, in seconds."""
    llm_breaker_open_s: float = Field(default=2.0, gt=0)
    """How long calls stay stopped before one is tried again, in seconds."""

    llm_price_input_usd: float = Field(default=0.0, ge=0)
    """Price per million input tokens, for the cost metric."""
    llm_price_cached_usd: float = Field(default=0.0, ge=0)
    """Price per million cached input tokens."""
    llm_price_output_usd: float = Field(default=0.0, ge=0)
    """Price per million output tokens."""

    @property
    def configured(self) -> bool:
        """Whether there is a model to ask at all."""
        return bool(self.llm_base_url or self.llm_api_key.get_secret_value())

    @property
    def breaker_rules(self) -> BreakerRules:
        """The breaker's rules."""
        return BreakerRules(
            consecutive_failures=self.llm_breaker_consecutive_failures,
            failure_ratio=self.llm_breaker_failure_ratio,
            window_s=self.llm_breaker_window_s,
            open_s=self.llm_breaker_open_s,
        )
