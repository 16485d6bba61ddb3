"""Tracking plans of other systems: Segment Protocols' JSON in and out, and plain JSON Schema in.

Two shapes of Segment are read: the Config API's `rules: {events: [{name, description, rules: <JSON Schema>}], global,
identify, group}` and the Public API's `rules: [{key, type: TRACK, version, jsonSchema: <JSON Schema>}]`, also inside
the `data` or `tracking_plan` of an answer. In both the JSON Schema (draft 07) is of the whole message, the event's
properties under `properties.properties`, or of the properties alone. The first is written.
What Segment has no word for (owner, status, PII, columns, ...) travels in `labels`, its place for free text.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clickstream.plan.file import TrackingPlan
from clickstream.plan.foreign_schema import (
    DEEPEST,
    KEYWORDS,
    LABELS,
    Json,
    Note,
    SchemaReader,
    SchemaTooLargeError,
    flaw,
    short,
)

DRAFT_07 = "http://json-schema.org/draft-07/schema#"
UNKNOWN = {"owner": "unknown", "status": "proposed", "sources": ["unknown"]}

_EVENT_LABELS = ("owner", "status", "sources", "renames", "table", "on_violation", "conversion", "retired_columns")
# The keys of a track message (spec/common.md), for which a tracking plan can have rules beside those of `properties`.
_MESSAGE_KEYS = {
    "anonymousId", "context", "event", "integrations", "messageId", "originalTimestamp", "properties", "receivedAt",
    "sentAt", "timestamp", "traits", "type", "userId", "version",
}  # fmt: skip


class ForeignPlanError(ValueError):
    """A file is none of the shapes that can be read; the message says what was looked for."""


@dataclass
class ForeignPlan:
    """What a file of another system holds, in this plan's words: `entries` by name of the event.

    `left` is for each event that is in no entry, why; `notes` what of an event was not taken; `unknown` how often each
    keyword stands there that the plan has no word for; `remarks` what is to be said of the file as a whole.
    """

    entries: dict[str, Json] = field(default_factory=dict)
    left: list[Note] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Rule:
    """One event of a file. `place` is what it is called when it has no name."""

    place: str
    name: Any
    version: Any
    about: Json
    schema: Any

    @property
    def order(self) -> float:
        """Its version, -1 when that is no number."""
        try:
            order = float(self.version)
        except (TypeError, ValueError, OverflowError):
            return -1
        return order if math.isfinite(order) else -1


def export_plan(plan: TrackingPlan, name: str) -> Json:
    """Return the plan as the Config API's JSON."""
    anything = {"$schema": DRAFT_07, "type": "object", "properties": {"context": {}, "traits": {}, "properties": {}}}
    events = [_export_event(event.name, event.entry) for event in plan.events]
    return {
        "display_name": name,
        "rules": {"global": anything, "events": events, "identify": anything, "group": anything},
    }


def import_plan(document: Any) -> ForeignPlan:
    """Return the events of a file of another system, of each the newest version. Raises ForeignPlanError.

    Every event of the file is in `entries` or in `left`.
    """
    if not isinstance(document, dict):
        raise ForeignPlanError("no JSON object")
    plan = ForeignPlan()
    for rule in _newest(plan, _find_rules(plan, document)):
        _import_event(plan, rule)
    return plan


def _find_rules(plan: ForeignPlan, document: Json) -> list[_Rule]:
    answers = (document.get(key) for key in ("data", "tracking_plan"))
    answer: Json = next((one for one in answers if isinstance(one, dict)), {})
    rules = document.get("rules", answer.get("rules"))
    if isinstance(rules, dict) and isinstance(rules.get("events"), list):
        _remark_other_rules(plan, {key: value for key, value in rules.items() if key != "events"})
        return _config_rules(plan, rules["events"])
    if isinstance(rules, list):
        _remark_pages(plan, answer.get("pagination"))
        return _public_rules(plan, rules)
    if "title" in document and "properties" in document:
        return [_Rule("the schema", document["title"], None, document, document)]
    raise ForeignPlanError(
        "neither a tracking plan of Segment (`rules`) nor JSON Schema with a `title` (the event) and `properties`"
    )


def _config_rules(plan: ForeignPlan, events: list[Any]) -> list[_Rule]:
    return [
        _Rule(f"event {at}", one.get("name"), one.get("version"), one, one.get("rules"))
        for at, one in _objects(plan, "event", events)
    ]


def _public_rules(plan: ForeignPlan, rules: list[Any]) -> list[_Rule]:
    found = list(_objects(plan, "rule", rules))
    others = Counter(_type(one) for _, one in found if _type(one) != "TRACK")
    if others:
        counts = ", ".join(f"{count} {name}" for name, count in sorted(others.items()))
        plan.remarks.append(f"rules of other types than TRACK are no events: {counts}")
    return [
        _Rule(f"rule {at}", one.get("key"), one.get("version"), one, one.get("jsonSchema"))
        for at, one in found
        if _type(one) == "TRACK"
    ]


def _type(rule: Json) -> str:
    given = rule.get("type")
    return given.upper() if isinstance(given, str) else "without type"


def _objects(plan: ForeignPlan, kind: str, items: list[Any]) -> Iterable[tuple[int, Json]]:
    for at, item in enumerate(items, start=1):
        if isinstance(item, dict):
            yield at, item
        else:
            plan.left.append(Note(f"{kind} {at}", (), "is no JSON object"))


def _remark_other_rules(plan: ForeignPlan, others: Json) -> None:
    named = sorted(key for key, value in others.items() if not _says_nothing(value))
    if named:
        plan.remarks.append(f"rules of other messages than events are not taken: {', '.join(named)}")


def _remark_pages(plan: ForeignPlan, pagination: Any) -> None:
    if isinstance(pagination, dict) and pagination.get("next"):
        plan.remarks.append("the file is one page of several (pagination.next): take in the others too")


def _says_nothing(schema: Any, depth: int = 0) -> bool:
    """Return whether a schema has no rule of its own."""
    if not isinstance(schema, dict) or depth > DEEPEST:
        return schema in (None, True, [])
    inner = schema.get("properties") or {}
    others = schema.keys() - {"$schema", "$id", "id", "type", "properties", "description", "labels"}
    plain = schema.get("type") in (None, "object", ["object"]) and not any(schema[key] for key in others)
    return plain and isinstance(inner, dict) and all(_says_nothing(one, depth + 1) for one in inner.values())


def _newest(plan: ForeignPlan, rules: list[_Rule]) -> list[_Rule]:
    """Return for each name the rule of the highest version; of equal versions the last."""
    by_name: dict[str, list[_Rule]] = {}
    for rule in rules:
        is_named = isinstance(rule.name, str) and rule.name != ""
        problem = flaw(rule.name) if is_named else "is missing"
        if problem:
            plan.left.append(Note(rule.place, (), f"its name {problem}"))
        else:
            by_name.setdefault(rule.name, []).append(rule)
    newest: list[_Rule] = []
    for name, same in by_name.items():
        *older, taken = sorted(same, key=lambda rule: rule.order)
        newest.append(taken)
        if older:
            versions = ", ".join(short(rule.version) for rule in older)
            plan.notes.append(Note(name, (), f"version {short(taken.version)} is taken, not {versions}"))
    return newest


def _import_event(plan: ForeignPlan, rule: _Rule) -> None:
    reader = SchemaReader(rule.name, rule.schema)
    try:
        plan.entries[rule.name] = _entry(reader, rule)
    except (ForeignPlanError, SchemaTooLargeError) as error:
        plan.left.append(Note(rule.name, (), str(error)))
        return
    plan.notes += reader.notes
    plan.unknown += reader.unknown


def _entry(reader: SchemaReader, rule: _Rule) -> Json:
    schema = {} if rule.schema is None else rule.schema
    if not isinstance(schema, dict):
        raise ForeignPlanError("its schema is no JSON object")
    whole = reader.read(schema)
    about = rule.about.get("description")
    if problem := flaw(about):
        reader.notes.append(Note(rule.name, (), f"description: {problem}"))
        about = None
    description = about or whole.get("description") or rule.name
    entry = {"description": description, **UNKNOWN, **reader.labels(schema, _EVENT_LABELS)}
    body = _of_properties(reader, whole)
    if body.get("required"):
        entry["required"] = body["required"]
    entry["properties"] = body.get("properties", {})
    for key in (key for key in body if key not in ("type", "description", "required", "properties")):
        reader.notes.append(Note(rule.name, (), f"{key}: the plan has no such rule for all properties"))
    return entry


def _of_properties(reader: SchemaReader, whole: Json) -> Json:
    """Return the schema of `properties` out of one of the message; it may be that already."""
    inner = whole.get("properties", {})
    if not inner.keys() & {"properties", "context", "traits"} or inner.keys() - _MESSAGE_KEYS:
        return whole
    required = whole.get("required", [])
    others = [key for key, one in inner.items() if key != "properties" and (key in required or not _says_nothing(one))]
    reader.notes[:] = [
        Note(note.event, note.path[1:], note.text)
        for note in reader.notes
        if not note.path or note.path[0] == "properties"
    ] + [Note(reader.event, (), f"{key}: rules of the message beside `properties` are not taken") for key in others]
    body: Json = inner.get("properties", {})
    return body


def _export_event(name: str, entry: Mapping[str, Any]) -> Json:
    properties = {key: _export(one) for key, one in entry.get("properties", {}).items()}
    body: Json = {"type": "object", "properties": properties}
    if entry.get("required"):
        body["required"] = entry["required"]
    schema = {
        "$schema": DRAFT_07,
        "type": "object",
        "labels": {key: json.dumps(entry[key], ensure_ascii=False) for key in _EVENT_LABELS if key in entry},
        "properties": {"context": {}, "traits": {}, "properties": body},
        "required": ["properties"] if entry.get("required") else [],
    }
    return {"name": name, "version": 1, "description": entry["description"], "rules": schema}


def _export(schema: Mapping[str, Any]) -> Json:
    out = _nested(schema, _export)
    labels = {key: json.dumps(schema[key]) for key in LABELS if key in schema}
    return out | ({"labels": labels} if labels else {})


def _nested(schema: Mapping[str, Any], convert: Any) -> Json:
    out: Json = {}
    for key, value in ((key, schema[key]) for key in KEYWORDS if key in schema):
        if key == "properties":
            out[key] = {name: convert(one) for name, one in value.items()}
        elif key == "items":
            out |= {key: convert(value)} if isinstance(value, dict) else {}
        elif value not in ("", [], None):
            out[key] = value
    return out
