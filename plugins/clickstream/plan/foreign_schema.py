"""JSON Schema of other systems in the tracking plan's words: what has no word there is left out, and noted."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any
from urllib.parse import unquote

from clickstream.plan.event import Keys
from clickstream.plan.marked_yaml import is_unicode

DEEPEST = 20
"""Schemas inside each other that are read."""

MOST_SCHEMAS = 5_000
"""Schemas of one event that are read: references to references double them at each step."""

KEYWORDS = (
    "type", "description", "enum", "format", "pattern", "minimum", "maximum", "properties", "required", "items",
)  # fmt: skip
LABELS = ("pii", "column")
"""What the plan has and JSON Schema has not: it travels in `labels`, Segment's place for free text."""

_COMBINE = ("$ref", "allOf", "anyOf", "oneOf", "const")
_OWN_TYPE = {
    "format": "string", "pattern": "string", "minimum": "number", "maximum": "number", "properties": "object",
    "required": "object", "items": "array",
}  # fmt: skip
_NO_RULES = ("$schema", "$id", "id", "$comment", "definitions", "$defs", "labels", "then", "else")
_OF_VALUE = ("if", "not")

Json = dict[str, Any]


class SchemaTooLargeError(ValueError):
    """A schema has more parts than are read."""


@dataclass(frozen=True)
class Note:
    """What of a file was not taken as it stands there. `path` is a property's, () for the event as a whole."""

    event: str
    path: Keys
    text: str


@dataclass(frozen=True)
class _Place:
    """Where a schema stands: the property's path, the references that led there, and how many schemas are around it."""

    path: Keys = ()
    refs: frozenset[str] = frozenset()
    depth: int = 0

    def below(self, *keys: str) -> "_Place":
        return replace(self, path=(*self.path, *keys), depth=self.depth + 1)


@dataclass
class SchemaReader:
    """Read the schema of one event. `root` is the document that its references point into.

    What is left out is in `notes` by property, and in `unknown`, by keyword, where the plan has no such rule.
    """

    event: str
    root: Any
    notes: list[Note] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    _count: int = 0

    def read(self, schema: Any) -> Json:
        """Return the schema with the plan's keywords only. Raises SchemaTooLargeError."""
        read = self._read(schema, _Place())
        self._declare_required(read, ())
        return read

    def labels(self, schema: Mapping[str, Any], names: Sequence[str], path: Keys = ()) -> Json:
        """Return what the `labels` of a schema hold under `names`."""
        labels = schema.get("labels") or {}
        if not isinstance(labels, dict):
            self.unknown["labels"] += 1
            return {}
        self.unknown.update(f"label {name}" for name in labels if name not in names)
        found = {name: _unpacked(labels[name]) for name in names if name in labels}
        problems = {name: problem for name, value in found.items() if (problem := flaw(value))}
        self.notes += [Note(self.event, path, f"label {name}: {problem}") for name, problem in problems.items()]
        return {name: value for name, value in found.items() if name not in problems}

    def _note(self, place: _Place, text: str) -> Json:
        self.notes.append(Note(self.event, place.path, text))
        return {}

    def _read(self, schema: Any, place: _Place) -> Json:
        self._count += 1
        if self._count > MOST_SCHEMAS:
            raise SchemaTooLargeError(f"its schema has more than {MOST_SCHEMAS:,} parts, references followed")
        if schema is True:
            return {}
        if not isinstance(schema, dict):
            return self._note(place, f"{short(schema)} is no schema that the plan has")
        if place.depth > DEEPEST:
            return self._note(place, f"more than {DEEPEST} schemas inside each other")
        parts = [self._own(schema, place)]
        if "const" in schema:
            problem = flaw(schema["const"])
            parts.append(self._note(place, f"const: {problem}") if problem else {"enum": [schema["const"]]})
        if "$ref" in schema:
            parts.append(self._referred(schema["$ref"], place))
        if "allOf" in schema:
            parts += [self._read(one, place.below()) for one in self._parts("allOf", schema, place)]
        parts += [self._one_of(key, schema, place) for key in ("anyOf", "oneOf") if key in schema]
        return reduce(lambda one, other: self._both(one, other, place), parts)

    def _own(self, schema: Json, place: _Place) -> Json:
        out: Json = {}
        for key in (key for key in KEYWORDS if key in schema and schema[key] not in ("", [], None)):
            problem = flaw(schema[key]) if key not in ("properties", "items") else ""
            if problem:
                self._note(place, f"{key}: {problem}")
            else:
                out |= self._keyword(key, schema[key], place)
        for key in schema:
            if key in _OF_VALUE:
                self._note(place, f"{key}: the plan has no such rule")
            elif key not in (*KEYWORDS, *_COMBINE, *_NO_RULES):
                self.unknown[key] += 1
        return out | (self.labels(schema, LABELS, place.path) if place.depth else {})

    def _keyword(self, key: str, value: Any, place: _Place) -> Json:
        if key == "properties":
            return self._properties(value, place)
        if key == "items":
            if not isinstance(value, dict | bool):
                return self._note(place, "items: the plan has one schema for all of them")
            return {key: self._read(value, place.below("[]"))}
        if key == "type":
            return self._type(value, place)
        if key in ("enum", "required") and not isinstance(value, list):
            return self._note(place, f"{key}: {short(value)} is no list")
        if key == "required":
            names = [name for name in value if isinstance(name, str)]
            if len(names) < len(value):
                self._note(place, "required: has what is no name")
            return {key: list(dict.fromkeys(names))} if names else {}
        return {key: value}

    def _type(self, value: Any, place: _Place) -> Json:
        names = value if isinstance(value, list) else [value]
        if not all(isinstance(name, str) for name in names):
            return self._note(place, f"type: {short(value)} is no list of types")
        # Segment's editor offers `any`.
        if "any" in names:
            return {}
        return {"type": value if isinstance(value, str) else list(dict.fromkeys(names))}

    def _properties(self, value: Any, place: _Place) -> Json:
        if not isinstance(value, dict):
            return self._note(place, f"properties: {short(value)} is no object")
        out: Json = {}
        for name, schema in value.items():
            below = place.below(name)
            if problem := flaw(name):
                self._note(below, problem)
            elif schema is False:
                self._note(below, "may not be there, and the plan has no such rule")
            else:
                out[name] = self._read(schema, below)
        return {"properties": out} if out else {}

    def _parts(self, key: str, schema: Json, place: _Place) -> list[Any]:
        parts = schema[key]
        if isinstance(parts, list):
            return parts
        self._note(place, f"{key}: {short(parts)} is no list")
        return []

    def _referred(self, pointer: Any, place: _Place) -> Json:
        if pointer in place.refs if isinstance(pointer, str) else False:
            return self._note(place, f"$ref: {short(pointer)} is around it")
        found, target = _target(self.root, pointer)
        if not found:
            return self._note(place, f"$ref: {short(pointer)} is not in the file")
        return self._read(target, replace(place.below(), refs=place.refs | {pointer}))

    def _one_of(self, key: str, schema: Json, place: _Place) -> Json:
        """Return what holds for a value that one of the parts takes."""
        before = len(self.notes)
        parts = [self._read(one, place.below()) for one in self._parts(key, schema, place)]
        either, is_all = _either(parts)
        if not is_all:
            del self.notes[before:]
            kept = "only the types are taken" if either else "not taken"
            self._note(place, f"{key}: {kept}: the plan has no rules of which one must hold")
        return either

    def _both(self, one: Json, other: Json, place: _Place) -> Json:
        """Return what holds for a value that both take."""
        out = dict(one)
        for key, value in other.items():
            out[key] = self._joined(key, out[key], value, place) if key in out else value
        return out

    def _joined(self, key: str, one: Any, other: Any, place: _Place) -> Any:
        if one == other or key == "description":
            return one
        if key == "properties":
            shared = {name: self._both(one[name], other[name], place.below(name)) for name in one if name in other}
            return one | other | shared
        if key == "items":
            return self._both(one, other, place.below("[]"))
        if key == "required":
            return list(dict.fromkeys([*one, *other]))
        if key in ("minimum", "maximum") and _is_number(one) and _is_number(other):
            return max(one, other) if key == "minimum" else min(one, other)
        common: Any = None
        if key == "type":
            common = _common_types(one, other)
        if key == "enum":
            texts = {json.dumps(value) for value in other}
            common = [value for value in one if json.dumps(value) in texts]
        if not common:
            self._note(place, f"{key}: {short(other)} is not taken beside {short(one)}")
        return common or one

    def _declare_required(self, schema: Json, path: Keys) -> None:
        properties = schema.get("properties", {})
        for name in [name for name in schema.get("required", []) if name not in properties]:
            properties[name] = {}
            self.notes.append(Note(self.event, (*path, name), "required and not declared: declared, of any type"))
        if properties:
            schema["properties"] = properties
        for name, inner in properties.items():
            self._declare_required(inner, (*path, name))
        if "items" in schema:
            self._declare_required(schema["items"], (*path, "[]"))


def _either(parts: list[Json]) -> tuple[Json, bool]:
    """Return what holds for a value that takes one of `parts`, and whether that is all that they say."""
    descriptions = [{"description": part["description"]} for part in parts if "description" in part]
    rules = [{key: value for key, value in part.items() if key != "description"} for part in parts]
    found, is_all = _either_rules(rules)
    return found | (descriptions[0] if descriptions else {}), is_all


def _either_rules(rules: list[Json]) -> tuple[Json, bool]:
    if all(part.keys() == {"enum"} for part in rules):
        return ({"enum": _distinct(value for part in rules for value in part["enum"])} if rules else {}), True
    if not all("type" in part for part in rules):
        return {}, False
    types = {"type": list(dict.fromkeys(name for part in rules for name in _types(part["type"])))}
    others = {} if all(part.keys() == {"type"} for part in rules) else _side_by_side(rules)
    return (types, False) if others is None else (types | others, True)


def _side_by_side(rules: list[Json]) -> Json | None:
    """Return the rules of parts without a common type: a rule for values of one type says nothing of those of another.

    None when they cannot stand side by side. An enum speaks of all types.
    """
    kinds = [{"number" if name == "integer" else name for name in _types(part["type"])} for part in rules]
    if sum(map(len, kinds)) > len(set().union(*kinds)):
        return None
    merged: Json = {}
    for part, own in zip(rules, kinds, strict=True):
        for key in (key for key in part if key not in ("type", "enum")):
            if _OWN_TYPE.get(key) not in own:
                return None
            merged[key] = part[key]
    if any("enum" in part for part in rules):
        if not all("enum" in part or own == {"null"} for part, own in zip(rules, kinds, strict=True)):
            return None
        merged["enum"] = _distinct(value for part in rules for value in part.get("enum", [None]))
    return merged


def _types(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _common_types(one: Any, other: Any) -> Any:
    first, second = _types(one), _types(other)
    common = [name for name in first if name in second or (name == "integer" and "number" in second)]
    common += [name for name in second if name == "integer" and "number" in first and name not in common]
    return common[0] if len(common) == 1 else common


def _distinct(values: Any) -> list[Any]:
    return list({json.dumps(value, sort_keys=True): value for value in values}.values())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _target(root: Any, pointer: Any) -> tuple[bool, Any]:
    """Return whether a local reference (RFC 6901) points at something, and at what."""
    if not isinstance(pointer, str) or not (pointer == "#" or pointer.startswith("#/")):
        return False, None
    at = root
    for step in pointer.split("/")[1:]:
        key = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(at, list):
            at = {str(index): item for index, item in enumerate(at)}
        if isinstance(at, dict) and key in at:
            at = at[key]
        else:
            return False, None
    return True, at


def _unpacked(label: Any) -> Any:
    try:
        return json.loads(label)
    except (TypeError, ValueError, RecursionError):
        return label


def flaw(value: Any, depth: int = 0) -> str:
    """Return why a value cannot be written to the plan; '' when it can."""
    if isinstance(value, str):
        return "" if is_unicode(value) else "has half of a surrogate pair, which is no text"
    if isinstance(value, float):
        return "" if math.isfinite(value) else "is a number out of range"
    if depth > DEEPEST:
        return f"more than {DEEPEST} values inside each other"
    inner = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return next(filter(None, (flaw(one, depth + 1) for one in inner)), "")


def short(value: Any) -> str:
    """Return a value in a note: a text as it is, anything else by its kind."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else f"a list of {len(value)}"
    return json.dumps(value, ensure_ascii=False)
