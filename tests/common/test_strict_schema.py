"""Pydantic answer types become schemas that a strict provider accepts."""

from enum import StrEnum
from typing import Annotated, Literal

import orjson
import pytest
from pydantic import BaseModel, Field

from common.strict_schema import strict_schema
from simulator.strictness import problem_of


class Colour(StrEnum):
    """Two are enough."""

    RED = "RED"
    BLUE = "BLUE"


class Inner(BaseModel):
    """Something inside."""

    a: int = Field(ge=0, le=10)
    again: "Inner | None" = None


class Cat(BaseModel):
    """One kind."""

    kind: Literal["cat"]


class Dog(BaseModel):
    """Another kind."""

    kind: Literal["dog"]


class Everything(BaseModel):
    """What answer types are made of."""

    title: str = Field(min_length=1, max_length=80, description="O título")
    colour: Colour = Colour.RED
    inner: Inner = Field(description="O de dentro")
    maybe: float | None = None
    many: list[Inner] = Field(default_factory=list, max_length=3)
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]


def test_everything_is_strict() -> None:
    """The simulator's checks, written in the provider's words, find nothing."""
    schema = strict_schema(Everything)

    assert problem_of(schema) is None
    assert schema["required"] == ["title", "colour", "inner", "maybe", "many", "pet"]


def test_defaults_and_titles_go_but_a_field_named_title_stays() -> None:
    """Titles only cost tokens, defaults are refused."""
    schema = strict_schema(Everything)

    properties = schema["properties"]
    assert isinstance(properties, dict)
    assert properties["title"] == {"type": "string", "description": "O título (not empty, at most 80 characters)"}
    assert b'"default"' not in orjson.dumps(schema)


def test_a_reference_with_a_description_is_written_out() -> None:
    """A `$ref` may have nothing beside it."""
    properties = strict_schema(Everything)["properties"]

    assert isinstance(properties, dict)
    assert isinstance(properties["inner"], dict)
    assert properties["inner"]["description"] == "O de dentro"
    assert "$ref" not in properties["inner"]


class Mapping(BaseModel):
    """Free keys."""

    words: dict[str, int]


class Pair(BaseModel):
    """A tuple, one level down."""

    pairs: list[tuple[int, str]]


class Anything(BaseModel):
    """No type."""

    value: object


@pytest.mark.parametrize(
    ("answer_type", "named"),
    [(Mapping, "Mapping.words: .* free keys"), (Pair, r"Pair.pairs\[\]: .* tuple"), (Anything, "Anything.value: ")],
)
def test_what_strict_mode_cannot_express_is_named(answer_type: type[BaseModel], named: str) -> None:
    """At start, by field, rather than as a 400 at the first call."""
    with pytest.raises(TypeError, match=named):
        strict_schema(answer_type)
