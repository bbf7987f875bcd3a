"""What the provider sends back, checked: a completion, or what it refuses and how long it asks us to wait."""

import email.utils
import time
from collections.abc import Mapping

from pydantic import BaseModel, Field, ValidationError


class PromptDetails(BaseModel):
    """Part of the usage."""

    cached_tokens: int | None = None


class Usage(BaseModel):
    """Tokens of one call; `prompt_tokens` includes the cached ones."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: PromptDetails | None = None

    @property
    def cached_tokens(self) -> int:
        """Tokens that the provider had in its prompt cache."""
        return (self.prompt_tokens_details.cached_tokens if self.prompt_tokens_details else None) or 0


class Message(BaseModel):
    """What the model said."""

    content: str | None = None
    refusal: str | None = None


class Choice(BaseModel):
    """One answer, and why it ended."""

    message: Message
    finish_reason: str | None = None


class Completion(BaseModel):
    """The parts of a chat completion that we use; everything else is ignored."""

    model: str = ""
    choices: list[Choice] = Field(min_length=1)
    usage: Usage | None = None


class Problem(BaseModel):
    """Why the provider refused, as far as it says so."""

    code: str | None = None
    param: str | None = None


class _Refusal(BaseModel):
    error: Problem


def problem_of(body: bytes) -> Problem:
    """The problem in the body of an error response; an empty one when it has no such form."""
    try:
        return _Refusal.model_validate_json(body).error
    except ValidationError:
        return Problem()


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """How long the provider asks us to wait (`retry-after-ms`, or `Retry-After` in seconds or as a date), in seconds."""
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "")
        try:
            return max(float(value) * unit_s, 0.0)
        except ValueError:
            continue
    try:
        return max(email.utils.parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - time.time(), 0.0)
    except ValueError:
        return None
