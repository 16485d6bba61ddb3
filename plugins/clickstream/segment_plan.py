"""Tracking plans of other systems: Segment Protocols' JSON in and out, and plain JSON Schema in.

Two shapes of Segment are read: the Config API's `rules: {events: [{name, description, rules: <JSON Schema>}], global,
identify, group}` and the Public API's `rules: [{key, type: TRACK, version, jsonSchema: <JSON Schema>}]`. In both the
JSON Schema (draft 07) is of the whole message, the event's properties under `properties.properties`. The first is
written.
What Segment has no word for (owner, status, PII, columns, ...) travels in `labels`, its place for free text.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from clickstream.tracking_plan import TrackingPlan

DRAFT_07 = "http://json-schema.org/draft-07/schema#"
UNKNOWN = {"owner": "unknown", "status": "proposed", "sources": ["unknown"]}

_EVENT_LABELS = ("owner", "status", "sources", "renames", "table", "on_violation", "conversion", "retired_columns")
_PROPERTY_KEYS = (
    "type", "description", "enum", "format", "pattern", "minimum", "maximum", "properties", "required", "items",
)  # fmt: skip
_PROPERTY_LABELS = ("pii", "column")
_FORMATS = ("date-time", "date", "email", "uri", "uuid")

Json = dict[str, Any]


class ForeignPlanError(ValueError):
    """A file is none of the shapes that can be read; the message says what was looked for."""


def export_plan(plan: TrackingPlan, name: str) -> Json:
    """The plan as the Config API's JSON."""
    anything = {"$schema": DRAFT_07, "type": "object", "properties": {"context": {}, "traits": {}, "properties": {}}}
    events = [_export_event(event.name, event.entry) for event in plan.events]
    return {
        "display_name": name,
        "rules": {"global": anything, "events": events, "identify": anything, "group": anything},
    }


def import_plan(document: Any) -> Json:
    """The entries of a file of another system, by name of the event. Raises ForeignPlanError."""
    if not isinstance(document, dict):
        raise ForeignPlanError("no JSON object")
    rules = document.get("tracking_plan", document).get("rules")
    if isinstance(rules, dict):
        return dict(_import_event(one["name"], one, one.get("rules", {})) for one in rules.get("events", []))
    if isinstance(rules, list):
        tracks = (one for one in rules if str(one.get("type", "")).upper() == "TRACK")
        return dict(_import_event(one["key"], one, one.get("jsonSchema", {})) for one in tracks)
    if document.get("title") and "properties" in document:
        return dict([_import_event(document["title"], document, document)])
    raise ForeignPlanError(
        "neither a tracking plan of Segment (`rules`) nor JSON Schema with a `title` (the event) and `properties`"
    )


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
    labels = {key: json.dumps(schema[key]) for key in _PROPERTY_LABELS if key in schema}
    return out | ({"labels": labels} if labels else {})


def _import_event(name: str, about: Mapping[str, Any], schema: Mapping[str, Any]) -> tuple[str, Json]:
    body = schema
    inner = schema.get("properties", {})
    if "properties" in inner and not (inner.keys() - {"context", "traits", "properties"}):
        body = inner["properties"]
    entry = {"description": about.get("description") or name, **UNKNOWN, **_labels(schema, _EVENT_LABELS)}
    if body.get("required"):
        entry["required"] = body["required"]
    entry["properties"] = {key: _import(one) for key, one in body.get("properties", {}).items()}
    return name, entry


def _import(schema: Mapping[str, Any]) -> Json:
    out = _nested(schema, _import)
    if out.get("format") not in (None, *_FORMATS):
        del out["format"]
    return out | _labels(schema, _PROPERTY_LABELS)


def _nested(schema: Mapping[str, Any], convert: Any) -> Json:
    out: Json = {}
    for key, value in ((key, schema[key]) for key in _PROPERTY_KEYS if key in schema):
        if key == "properties":
            out[key] = {name: convert(one) for name, one in value.items()}
        elif key == "items":
            out |= {key: convert(value)} if isinstance(value, dict) else {}
        elif value not in ("", [], None):
            out[key] = value
    return out


def _labels(schema: Mapping[str, Any], names: tuple[str, ...]) -> Json:
    return dict(_read_labels(schema.get("labels") or {}, names))


def _read_labels(labels: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for name in names:
        if name in labels:
            try:
                yield name, json.loads(labels[name])
            except (TypeError, ValueError):
                yield name, labels[name]
