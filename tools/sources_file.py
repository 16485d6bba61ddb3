"""include/sources.yaml, who may send to the collector: read, checked, and compiled to the object that it runs by."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "plugins"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lambdas" / "src"))

from clickstream.plan import marked_yaml
from clickstream.plan.file import TrackingPlan
from clickstream.plan.marked_yaml import DuplicateKeyError, Marked
from clickstream.plan.marked_yaml import Path as Place
from clickstream_collector.sources import VERSION, digest
from tools.door_plan import compile_plan

SOURCES_FILE = Path(__file__).resolve().parents[1] / "include" / "sources.yaml"
SCHEMA_FILE = SOURCES_FILE.with_name("sources.schema.json")

NO_PLAN = TrackingPlan(())

Json = dict[str, Any]
Mistake = tuple[Place, str]


class SourcesFileError(ValueError):
    """The file cannot be used; one line a mistake, each with file, line, entry and what to do."""


def read_file(path: Path = SOURCES_FILE) -> Json:
    """Return the sources of a file, as it has them. Raises SourcesFileError and OSError."""
    return parse(path.read_text(encoding="utf-8"), path.name)


def parse(text: str, file: str) -> Json:
    """Return the sources in `text`; `file` is its name in messages. Raises SourcesFileError with every mistake."""
    try:
        document = marked_yaml.read(text)
    except DuplicateKeyError as error:
        raise SourcesFileError(f"{file}:{error.line}: {_entry(error.path)}: {error}: remove one") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SourcesFileError(f"{file}:{line}: no YAML: {error.problem}") from None
    mistakes = list(_form_mistakes(document)) or list(_meaning_mistakes(document.value["sources"]))
    if mistakes:
        placed = sorted({(document.line(path), _entry(path), message) for path, message in mistakes})
        raise SourcesFileError("\n".join(f"{file}:{line}: {entry}: {message}" for line, entry, message in placed))
    read: Json = document.value
    return read


def _entry(path: Place) -> str:
    return " > ".join(map(str, path)) or "the file"


def _form_mistakes(document: Marked) -> Iterator[Mistake]:
    """Yield what the schema file does not allow. A value of a wrong form may be a key, so it is not repeated."""
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    checker = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker(["date"]))
    for error in checker.iter_errors(document.value):
        path = tuple(error.absolute_path)
        if "propertyNames" in error.absolute_schema_path:
            path = (*path, str(error.instance))
        if error.validator == "additionalProperties":
            known, written = sorted(_any(error.schema)["properties"]), {str(name) for name in _any(error.instance)}
            for name in sorted(written - set(known)):
                yield (*path, name), f"nothing of that name: take it away, or write one of {', '.join(known)}"
        else:
            yield path, _fix(error)


def _any(value: Any) -> Any:
    """Return the value, of a type that jsonschema does not declare."""
    return value


def _fix(error: jsonschema.ValidationError) -> str:
    wanted: Any = error.validator_value
    fixes: dict[str, Callable[[], str]] = {
        "enum": lambda: f"write one of {', '.join(map(str, wanted))}",
        "const": lambda: f"write {wanted}",
        "required": lambda: f"add {', '.join(sorted(set(wanted) - set(_any(error.instance))))}",
        "type": lambda: f"write a value of type {wanted}",
        "pattern": lambda: f"write text of the form {wanted}",
        "format": lambda: "write a date, as 2027-01-31",
        "maxItems": lambda: f"keep {wanted} at most: a third is not needed to put one in the place of another",
        "minItems": lambda: "write one at least, or take the list away",
        "oneOf": lambda: "write `key`, or of a server `sha256`, and not both",
        "uniqueItems": lambda: "something is there twice: remove one",
    }
    return fixes.get(str(error.validator), lambda: f"must be {error.validator} {wanted}")()


def _meaning_mistakes(sources: Mapping[str, Json]) -> Iterator[Mistake]:
    """Yield what is of the right form and cannot be meant."""
    ids: dict[str, str] = {}
    keys: dict[str, str] = {}
    for name, source in sources.items():
        path: Place = ("sources", name)
        if ids.setdefault(source["id"], name) != name:
            yield (*path, "id"), f"it is the id of {ids[source['id']]} too: write another one"
        yield from _member_mistakes(path, source)
        for number, entry in enumerate(source["keys"]):
            at = (*path, "keys", number)
            key = entry.get("sha256") or digest(entry["key"])
            if key in keys:
                yield at, f"it is a key of {keys[key]} too: make another one, make source-key SOURCE={name}"
            keys.setdefault(key, name)
            yield from _key_mistakes(at, entry, name, source["kind"])


def _member_mistakes(path: Place, source: Json) -> Iterator[Mistake]:
    kind = source["kind"]
    for member, kinds in (
        ("origins", ("web",)),
        ("bots", ("web",)),
        ("cookie", ("web",)),
        ("settings", ("web", "mobile")),
    ):
        if member in source and kind not in kinds:
            yield (*path, member), f"only a source of kind {' or '.join(kinds)} has it: take it away"
    if "else" in source.get("consent", {}) and len(source["consent"]) == 1:
        yield (*path, "consent", "else"), "nothing asks for consent: add `need` or `honour_gpc`"


def _key_mistakes(at: Place, entry: Json, name: str, kind: str) -> Iterator[Mistake]:
    if kind == "server" and "key" in entry:
        hint = f"and since it was written here, make another one: make source-key SOURCE={name}"
        yield (*at, "key"), f"the key of a server is a secret: write its sha256, {hint}"
    if "until" in entry and entry["state"] != "retiring":
        yield (*at, "until"), "only a retiring key has a last day: take it away, or write state: retiring"


def key_entry(key: str, kind: str) -> str:
    """Return the entry of a new key: of a server's, its sum, since the key is a secret."""
    return f"{{sha256: {digest(key)}, state: active}}" if kind == "server" else f"{{key: {key}, state: active}}"


def compile_sources(read: Json, plan: TrackingPlan = NO_PLAN) -> str:
    """Return the object that the collector reads, as JSON: see clickstream_collector.sources. No key is in it."""
    keys = {
        entry.get("sha256") or digest(entry["key"]): {
            "source": name,
            "number": number,
            "state": entry["state"],
            **({"until": entry["until"]} if "until" in entry else {}),
        }
        for name, source in read["sources"].items()
        for number, entry in enumerate(source["keys"], start=1)
    }
    compiled = {
        "version": VERSION,
        "host": read.get("host", ""),
        "sources": {name: _compiled(source) for name, source in read["sources"].items()},
        "keys": keys,
        "plan": compile_plan(plan),
    }
    return json.dumps(compiled, indent=1, sort_keys=True)


def _compiled(source: Json) -> Json:
    same = {name: source[name] for name in source.keys() & {"id", "kind", "origins", "ip", "clock", "consent", "bots"}}
    nested = {
        "strict": source.get("strict", False),
        "limit": source.get("limit", {}).get("events_a_second", 0),
        "plan": source.get("plan", {}).get("at_door", "off"),
        "batching": source.get("settings", {}).get("batching"),
        "cookie_domain": source.get("cookie", {}).get("domain", ""),
    }
    return {**same, **nested}
