"""Valid instances of any strict JSON schema, chosen by a number: the same number gives the same instance."""

import math
import re

from pydantic import JsonValue

from simulator import patterns, sentences

Schema = dict[str, JsonValue]

_DEEPEST = 8
"""From this depth on the shortest way out is taken, so that recursive schemas end."""
_MASK = (1 << 64) - 1
INVENTED = "VALOR_INVENTADO"


class Instances:
    """Generates and checks instances of one schema."""

    def __init__(self, root: Schema) -> None:
        self._root = root

    def generate(self, number: int, hint: JsonValue = None, *, invent_enum: bool = False) -> JsonValue:
        """The instance that belongs to `number`; fields which `hint` also has take its values where they are valid.

        With `invent_enum` the first enum met gets a value that it does not have.
        """
        return _Generator(self, number, invent_enum).value(self._root, hint, 0)

    def resolve(self, node: JsonValue) -> Schema:
        """The node itself, or what its `$ref` points to; ValueError when that does not exist."""
        for _ in range(_DEEPEST):
            if not isinstance(node, dict):
                raise ValueError(f"expected a schema object, got {node!r}")  # noqa: TRY004 - it is a value from outside
            reference = node.get("$ref")
            if reference is None:
                return node
            node = self._follow(str(reference))
        raise ValueError("a $ref points to itself")

    def _follow(self, reference: str) -> JsonValue:
        node: JsonValue = self._root
        for part in reference.removeprefix("#").strip("/").split("/"):
            if part:
                key = part.replace("~1", "/").replace("~0", "~")
                if not isinstance(node, dict) or key not in node:
                    raise ValueError(f"$ref {reference!r} points to nothing")
                node = node[key]
        return node

    def fits(self, value: JsonValue, node: JsonValue) -> bool:
        """Whether `value` is an instance of `node`."""
        schema = self.resolve(node)
        if "anyOf" in schema:
            return any(self.fits(value, branch) for branch in _list(schema["anyOf"]))
        if "const" in schema:
            return _same(value, schema["const"])
        if "enum" in schema:
            return any(_same(value, option) for option in _list(schema["enum"]))
        return any(self._fits_type(value, name, schema) for name in type_names(schema))

    def _fits_type(self, value: JsonValue, name: str, schema: Schema) -> bool:
        match name:
            case "null":
                return value is None
            case "boolean":
                return isinstance(value, bool)
            case "integer" | "number":
                kinds = int if name == "integer" else (int, float)
                return isinstance(value, kinds) and not isinstance(value, bool) and _in_range(value, schema)
            case "string":
                return isinstance(value, str) and _string_fits(value, schema)
            case "array":
                return (
                    isinstance(value, list)
                    and _int(schema, "minItems", 0) <= len(value) <= _int(schema, "maxItems", len(value))
                    and all(self.fits(item, schema.get("items", {})) for item in value)
                )
            case "object":
                fields = fields_of(schema)
                return (
                    isinstance(value, dict)
                    and value.keys() == fields.keys()
                    and all(self.fits(value[key], field) for key, field in fields.items())
                )
        return False


class _Generator:
    """One walk over the schema, with its own chain of choices."""

    def __init__(self, schemas: Instances, number: int, invent_enum: bool) -> None:
        self._schemas = schemas
        self._state = (number * 0x9E3779B97F4A7C15 + 1) & _MASK
        self._invent_enum = invent_enum

    def pick(self, count: int) -> int:
        """A number from 0 to count - 1."""
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) & _MASK
        return (self._state >> 33) % count

    def value(self, node: JsonValue, hint: JsonValue, depth: int) -> JsonValue:
        if depth > 4 * _DEEPEST:
            raise ValueError("the schema has no finite instance")
        schema = self._schemas.resolve(node)
        if self._invent_enum and any(isinstance(option, str) for option in _list(schema.get("enum"))):
            self._invent_enum = False
            return INVENTED
        if hint is not None and not self._invent_enum and self._schemas.fits(hint, schema):
            return hint
        if "anyOf" in schema:
            return self.value(self._branch(_list(schema["anyOf"]), hint, depth), hint, depth)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            options = _list(schema["enum"])
            return options[self.pick(len(options))]
        names = type_names(schema)
        return self._of_type(names[self.pick(len(names))], schema, hint, depth)

    def _branch(self, branches: list[JsonValue], hint: JsonValue, depth: int) -> Schema:
        resolved = [self._schemas.resolve(branch) for branch in branches]
        if isinstance(hint, dict):  # a hint that fits no branch as it is: take its fields where they fit
            objects = [branch for branch in resolved if "object" in type_names(branch)]
            if objects:
                return objects[0]
        if depth >= _DEEPEST:
            flat = [branch for branch in resolved if not {"object", "array"} & set(type_names(branch))]
            return (flat or resolved)[0]
        return resolved[self.pick(len(resolved))]

    def _of_type(self, name: str, schema: Schema, hint: JsonValue, depth: int) -> JsonValue:
        match name:
            case "null":
                return None
            case "boolean":
                return self.pick(2) == 1
            case "integer" | "number":
                return self._number(name == "integer", schema)
            case "string":
                return self._string(schema)
            case "array":
                least = _int(schema, "minItems", 0)
                most = _int(schema, "maxItems", max(least, 2))
                size = least if depth >= _DEEPEST else least + self.pick(min(most - least, 2) + 1)
                return [self.value(schema.get("items", {}), None, depth + 1) for _ in range(size)]
            case "object":
                known = hint if isinstance(hint, dict) else {}
                return {key: self.value(field, known.get(key), depth + 1) for key, field in fields_of(schema).items()}
        raise ValueError(f"unknown type {name!r}")

    def _number(self, whole: bool, schema: Schema) -> int | float:
        low, high = _limits(schema)
        low, high = (low, high) if low is not None else (min(0.0, high or 0.0), high)
        high = high if high is not None else low + 100
        step = _number_or(schema.get("multipleOf"), 1.0 if whole else 0.0)
        if step:
            first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
            if "exclusiveMinimum" in schema and first * step <= low:
                first += 1
            if "exclusiveMaximum" in schema and last * step >= high:
                last -= 1
            chosen = (first + self.pick(min(max(last - first, 0), 1 << 30) + 1)) * step
            return round(chosen) if whole else chosen
        # Never on the limits themselves, so that exclusive ones hold too; two decimals where the range allows.
        chosen = low + (high - low) * (1 + self.pick(98)) / 100
        return round(chosen, 2) if high - low >= 0.5 else chosen

    def _string(self, schema: Schema) -> str:
        if "pattern" in schema:
            pattern = str(schema["pattern"])
            for _ in range(20):
                candidate = patterns.matching(pattern, self.pick)
                if candidate is not None and _string_fits(candidate, schema):
                    return candidate
            raise ValueError(f"the simulator finds no text for the pattern {pattern!r}")
        if "format" in schema:
            return sentences.FORMATS.get(str(schema["format"]), sentences.text(0))
        longest = _int(schema, "maxLength", -1)
        return sentences.text(self.pick(1000), _int(schema, "minLength", 0), None if longest < 0 else longest)


def fields_of(schema: Schema) -> dict[str, JsonValue]:
    """The properties of an object schema."""
    properties = schema.get("properties")
    return properties if isinstance(properties, dict) else {}


def type_names(schema: Schema) -> list[str]:
    """The types that a schema allows; string where it says nothing."""
    declared = schema.get("type")
    if isinstance(declared, list):
        return [str(name) for name in declared]
    if declared is None:
        return ["object"] if "properties" in schema else ["string"]
    return [str(declared)]


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _same(value: JsonValue, other: JsonValue) -> bool:
    return value == other and isinstance(value, bool) == isinstance(other, bool)


def _int(schema: Schema, key: str, default: int) -> int:
    value = schema.get(key)
    return value if isinstance(value, int) else default


def _number_or(value: JsonValue, default: float) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else default


def _limits(schema: Schema) -> tuple[float | None, float | None]:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    return (
        float(low) if isinstance(low, (int, float)) else None,
        float(high) if isinstance(high, (int, float)) else None,
    )


def _in_range(value: float, schema: Schema) -> bool:
    low, high = _limits(schema)
    step = _number_or(schema.get("multipleOf"), 0.0)
    return (
        (low is None or value > low or (value == low and "exclusiveMinimum" not in schema))
        and (high is None or value < high or (value == high and "exclusiveMaximum" not in schema))
        and (not step or abs(value / step - round(value / step)) < 1e-9)
    )


def _string_fits(value: str, schema: Schema) -> bool:
    pattern = schema.get("pattern")
    return (
        len(value) >= _int(schema, "minLength", 0)
        and len(value) <= _int(schema, "maxLength", len(value))
        and (not isinstance(pattern, str) or re.search(pattern, value) is not None)
    )
