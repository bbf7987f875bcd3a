"""Which request options each family of models takes: data, read by the longest matching beginning of the model's name."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """What may be sent to a model besides messages and schema."""

    temperature: float | None = None
    """None leaves it out, for models that refuse any but their default."""
    seed: int | None = None
    reasoning_effort: str = ""
    """The least that the family takes, because a turn has seconds; empty leaves it out."""


_EXACT = ModelOptions(temperature=0.0, seed=7)
_BY_FAMILY = {
    "": ModelOptions(temperature=0.0),  # local and other compatible servers
    "gpt-3.5": _EXACT,
    "gpt-4": _EXACT,
    "gpt-5": ModelOptions(reasoning_effort="minimal"),
    "gpt-5-chat": ModelOptions(),
    "gpt-5.": ModelOptions(reasoning_effort="none"),
    "gpt-6": ModelOptions(reasoning_effort="low"),
    "o1": ModelOptions(reasoning_effort="low"),
    "o3": ModelOptions(reasoning_effort="low"),
    "o4": ModelOptions(reasoning_effort="low"),
}


def options_of(model: str) -> ModelOptions:
    """The options for a model name; a server may still refuse one, which the caller then leaves out."""
    # A gateway may write the vendor first, such as openai/gpt-4o.
    name = model.rpartition("/")[2]
    return _BY_FAMILY[max((family for family in _BY_FAMILY if name.startswith(family)), key=len)]
