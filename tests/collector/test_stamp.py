"""Each rule of stamping by its cases: tests/collector/cases/<rule>.yaml."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.collector.doors import KEYS, MemorySink, basic, make_door, send, sources

CASES = Path(__file__).parent / "cases"
_MISSING = object()


def cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{file.stem}: {case['why']}")
        for file in sorted(CASES.glob("*.yaml"))
        for case in yaml.safe_load(file.read_text(encoding="utf-8"))
    ]


def at(message: dict[str, Any], path: str) -> Any:
    value: Any = message
    for step in path.split("."):
        value = value.get(step, _MISSING) if isinstance(value, dict) else _MISSING
    return value


@pytest.mark.parametrize("case", cases())
def test_case(case: dict[str, Any]) -> None:
    kind, sink = case.get("kind", "web"), MemorySink()
    door = make_door(sink, sources({kind: case.get("source", {})}))
    body = case["message"] if "message" in case else case["batch"]
    path = case.get("path", "/v1/track" if "message" in case else "/v1/batch")

    answer, tally = send(
        door, "POST", path, json.dumps(body).encode(), {**basic(KEYS[kind]), **case.get("headers", {})}
    )

    assert answer.status == 200
    assert dict(tally.reasons) == case.get("refused", {})
    assert json.loads(answer.body)["refused"] == sum(case.get("refused", {}).values())
    assert len(sink.messages) == len(case["out"])
    for message, expected in zip(sink.messages, case["out"], strict=True):
        for path, value in expected.get("has", {}).items():
            assert at(message, path) == value, path
        for path, start in expected.get("begins", {}).items():
            assert at(message, path).startswith(start), path
        for path in expected.get("lacks", []):
            assert at(message, path) is _MISSING, path
