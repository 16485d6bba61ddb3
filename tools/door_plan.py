"""The tracking plan as the collector judges by it: see clickstream_collector.plan, in whose form it is compiled."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from clickstream.plan.event import Event, Rule
from clickstream.plan.file import TrackingPlan
from clickstream.plan.pattern import parse_pattern

Json = dict[str, Any]


def compile_plan(plan: TrackingPlan) -> Json:
    """Return the rules of the live events, which slug is which event, and their schemas to publish."""
    compiled: Json = {
        "rules": {event.name: [_rule(rule) for rule in event.rules] for event in plan.live},
        "names": {name: event.name for event in plan.live for name in event.slugs},
        "schemas": {event.name: _schema(event) for event in plan.live},
    }
    text = json.dumps(compiled, sort_keys=True, ensure_ascii=False)
    return {**compiled, "etag": hashlib.sha256(text.encode()).hexdigest()[:32]}


def _rule(rule: Rule) -> Json:
    schema = rule.schema
    same = {
        name: schema[name]
        for name in ("enum", "format", "minimum", "maximum", "required")
        if schema.get(name) is not None
    }
    types = {"types": rule.types} if rule.types else {}
    pattern = {"pattern": for_python(schema["pattern"])} if "pattern" in schema else {}
    return {"path": list(rule.path), "property": rule.property_name, **types, **pattern, **same}


def for_python(pattern: str) -> str:
    """Return a pattern of the plan for Python's re: as for Trino, where each backslash begins one of three escapes."""
    text = parse_pattern(pattern).for_trino
    return re.sub(r"\\x\{([0-9A-F]+)\}", lambda found: rf"\U{int(found[1], 16):08x}", text).replace(r"\z", r"\Z")


def _schema(event: Event) -> Json:
    """Return what the event's `properties` must be, as JSON Schema with `pii`; without what concerns its table."""
    return {"description": event.entry["description"], **_without_columns(event.schema)}


def _without_columns(schema: Mapping[str, Any]) -> Json:
    kept = {name: value for name, value in schema.items() if name != "column"}
    if "properties" in kept:
        kept["properties"] = {name: _without_columns(inner) for name, inner in kept["properties"].items()}
    if "items" in kept:
        kept["items"] = _without_columns(kept["items"])
    return kept
