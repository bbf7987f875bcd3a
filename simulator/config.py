"""What the simulator does to a call: delays, faults and scripted answers, for all tasks or for one."""

import re
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator


class Fault(StrEnum):
    """The ways in which a real provider fails or a real model misbehaves."""

    RATE_LIMIT = "rate_limit"
    """429 with Retry-After and Retry-After-ms."""
    QUOTA = "quota"
    """429 with the code `insufficient_quota`: waiting does not help."""
    SERVER_ERROR = "server_error"
    """500."""
    HANG = "hang"
    """Nothing is sent until the client leaves."""
    DISCONNECT = "disconnect"
    """The connection is cut in the middle of the answer."""
    CUT_JSON = "cut_json"
    """The text ends early, with finish_reason `length`."""
    SCHEMA_MISS = "schema_miss"
    """Valid JSON with wrong fields."""
    NOT_JSON = "not_json"
    """Plain text where JSON was asked."""
    REFUSAL = "refusal"
    """`message.refusal` in place of content."""
    INVENTED_ENUM = "invented_enum"
    """Valid JSON with a value that its enum does not have."""
    OVERLAY = "overlay"
    """A valid answer in which the fields of `overlay` replace the generated ones, such as a text that quotes a price."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Delay(_Strict):
    """How long a call takes from its arrival. With `sigma` 0 always the median, otherwise log-normal around it."""

    median_ms: float = Field(default=0.0, ge=0)
    sigma: float = Field(default=0.0, ge=0, le=3)


class Behaviour(_Strict):
    """Delay and faults of one task. The rates are shares of calls, and their sum is at most 1."""

    delay: Delay = Delay()
    rates: dict[Fault, float] = {}
    retry_after_ms: int = Field(default=1000, ge=0)
    """What a 429 asks for; the Retry-After header holds it in whole seconds, rounded up."""
    overlay: dict[str, JsonValue] = {}
    """The fields that the fault `overlay` replaces, where the schema has them."""
    variety: list[dict[str, JsonValue]] = []
    """Fields that replace generated ones, in valid answers in turn: so that no two answers are alike."""

    @model_validator(mode="after")
    def _rates_are_shares(self) -> Self:
        if any(not 0 <= rate <= 1 for rate in self.rates.values()) or sum(self.rates.values()) > 1 + 1e-9:
            raise ValueError(f"rates must lie within 0 to 1 and add up to at most 1, got {dict(self.rates)}")
        return self


class Script(_Strict):
    """What to do with the calls that match: the first script in the list that matches and is not used up is taken."""

    match: str = ""
    """Part of the last user message, or the whole schema name; empty matches every call."""
    answer: JsonValue = None
    """An object is sent as JSON, a string as it is; null leaves the answer to the generator."""
    overlay: dict[str, JsonValue] = {}
    """Fields that replace the generated ones, where the schema has them."""
    fault: Fault | None = None
    """The fault of these calls, whatever the rates say."""
    delay: Delay | None = None
    """The delay of these calls, whatever the task's is."""
    times: int | None = Field(default=None, ge=1)
    """How many calls it serves; null for all."""


class SimulatorConfig(_Strict):
    """The whole behaviour; replaced as a whole at run time."""

    seed: int = 0
    """Changes every draw and every generated answer; the same seed repeats them."""
    default: Behaviour = Behaviour()
    tasks: dict[str, Behaviour] = {}
    """By schema name; a task that is not here behaves as `default`."""
    scripts: list[Script] = []
    plausible: bool = True
    """Copy the values of an object `"hint": {…}` in the last user message into fields of the same name."""
    api_key: str = ""
    """When set, calls without it get 401."""
    models: list[str] = []
    """When not empty, other model names get 404."""
    turn_marker: str = r"turn:([\w-]+)"
    """Where the last user message names its turn, for calls without the header X-Client-Request-Id."""

    @field_validator("turn_marker")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return pattern

    def behaviour(self, task: str) -> Behaviour:
        """How calls of this task behave."""
        return self.tasks.get(task, self.default)
