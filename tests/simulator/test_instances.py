"""Any strict schema gets a valid instance."""

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from simulator.instances import INVENTED, Instances, Schema

EVERYTHING: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["line", "score", "count", "step", "note", "code", "when", "tags", "inner", "tree", "yes", "fixed", "few"],
    "properties": {
        "line": {"type": "string", "enum": ["ENTREGA", "CRM"]},
        "score": {"type": "number", "minimum": 0.2, "exclusiveMaximum": 0.9},
        "count": {"type": "integer", "exclusiveMinimum": 3, "maximum": 5},
        "step": {"type": "number", "multipleOf": 0.5, "minimum": 1, "maximum": 3},
        "note": {"anyOf": [{"type": "string", "minLength": 40, "maxLength": 60}, {"type": "null"}]},
        "code": {"type": "string", "pattern": "^[A-Z]{3}-\\d{2,4}(x|y)?$"},
        "when": {"type": "string", "format": "date-time"},
        "tags": {"type": "array", "minItems": 2, "maxItems": 4, "items": {"type": ["string", "null"]}},
        "inner": {"$ref": "#/$defs/inner"},
        "tree": {"$ref": "#/$defs/tree"},
        "yes": {"type": "boolean"},
        "fixed": {"const": 7},
        "few": {"type": "array", "maxItems": 1, "items": {"$ref": "#/$defs/inner"}},
    },
    "$defs": {
        "inner": {
            "type": "object",
            "additionalProperties": False,
            "required": ["a"],
            "properties": {"a": {"type": "integer", "minimum": -10, "maximum": -5}},
        },
        "tree": {
            "type": "object",
            "additionalProperties": False,
            "required": ["children", "next"],
            "properties": {
                "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
                "next": {"anyOf": [{"$ref": "#/$defs/tree"}, {"type": "null"}]},
            },
        },
    },
}


@given(number=st.integers(0, 2**64))
def test_every_number_gives_a_valid_instance(number: int) -> None:
    """An independent validator accepts what is generated, recursion and limits included."""
    instance = Instances(EVERYTHING).generate(number)

    jsonschema.validate(instance, EVERYTHING)
    assert Instances(EVERYTHING).fits(instance, EVERYTHING)


def test_the_same_number_gives_the_same_instance() -> None:
    """Runs repeat, and other numbers bring variety."""
    instances = Instances(EVERYTHING)

    assert instances.generate(5) == instances.generate(5)
    assert len({str(instances.generate(number)) for number in range(20)}) > 10


def test_a_hint_fills_fields_of_the_same_name_where_it_is_valid() -> None:
    """What does not fit, or is unknown, is left to the generator."""
    hint: JsonValue = {"line": "CRM", "score": 0.3, "count": 99, "inner": {"a": -7}, "unknown": 1}

    instance = Instances(EVERYTHING).generate(1, hint)

    assert isinstance(instance, dict)
    assert (instance["line"], instance["score"], instance["inner"]) == ("CRM", 0.3, {"a": -7})
    assert instance["count"] in (4, 5)
    jsonschema.validate(instance, EVERYTHING)


def test_an_invented_enum_is_the_only_thing_wrong() -> None:
    """The fault hits exactly the value that its enum does not have."""
    instance = Instances(EVERYTHING).generate(1, invent_enum=True)

    with pytest.raises(jsonschema.ValidationError, match=INVENTED) as error:
        jsonschema.validate(instance, EVERYTHING)
    assert list(error.value.path) == ["line"]


def test_a_schema_without_an_end_is_an_error() -> None:
    """A type that must hold itself has no finite instance."""
    endless: Schema = {"type": "object", "properties": {"again": {"$ref": "#"}}}

    with pytest.raises(ValueError, match="no finite instance"):
        Instances(endless).generate(1)
