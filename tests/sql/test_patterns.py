"""Patterns of the tracking plan on real Trino: true for the texts that ECMA-262 says, and never long."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from clickstream.engine.sql import Statement
from clickstream.plan.file import parse_plan
from clickstream.plan.pattern import PatternError, parse_pattern
from clickstream.plan.pattern_cost import LONGEST_TEXT
from local.lake.machine import Machine
from local.lake.scratch import ScratchLake
from tests.model.patterns import ALPHABET, Tree, matches, sample, spoilt, text_of, trees

BY_HAND: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parents[1] / "clickstream" / "plan" / "patterns.yaml").read_text(encoding="utf-8")
)
READ = BY_HAND["read"] + BY_HAND["common"]


def found(machine: Machine, pairs: list[tuple[str, str]]) -> list[bool]:
    """Of each pattern, as Trino gets it, and text: whether it is found in the text."""
    patterns, texts = ([pair[side] for pair in pairs] for side in (0, 1))
    given = "unnest(?, ?) with ordinality as given (pattern, sent, place)"
    statement = Statement(f"select regexp_like(sent, pattern) as found from {given} order by place", (patterns, texts))
    return [row["found"] for row in machine.runner().run(statement).rows]


def test_each_text_matches_or_not_as_a_person_says(machine: Machine) -> None:
    wanted = {
        (case["pattern"], text): kind == "matches"
        for case in READ
        for kind in ("matches", "fails")
        for text in case[kind]
    }

    done = found(machine, [(parse_pattern(pattern).for_trino, text) for pattern, text in wanted])

    assert dict(zip(wanted, done, strict=True)) == wanted


def texts_for(tree: Tree, random: Random) -> list[str]:
    described = [sample(tree, random) for _ in range(3)]
    others = ["".join(random.choices(ALPHABET, k=random.randint(0, 3))) for _ in range(2)]
    return [*described, *(spoilt(text, random) for text in described), *others, described[0] + "\n"]


# An example is a statement of some 200 texts, so none is made smaller: the message names the texts.
@settings(max_examples=20, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(many=st.lists(trees, min_size=15, max_size=30), seed=st.integers(0, 2**32))
def test_any_pattern_means_what_ecma_262_says(machine: Machine, many: list[Tree], seed: int) -> None:
    random = Random(seed)
    wanted: list[bool] = []
    asked: list[tuple[str, str, str]] = []
    for tree in many:
        try:
            pattern = parse_pattern(text_of(tree))
        except PatternError:
            continue
        for text in texts_for(tree, random):
            asked.append((pattern.text, pattern.for_trino, text))
            wanted.append(matches(tree, text))

    done = found(machine, [(pattern, text) for _, pattern, text in asked]) if asked else []

    assert [(*one, was) for one, was, right in zip(asked, done, wanted, strict=True) if was != right] == []


def hostile_parts(case: dict[str, Any]) -> list[str]:
    """What a text can be made of that begins as one that matches, and goes on and on."""
    parts = {part for text in case["matches"] for part in (text, text[:1], text[-1:], text[1:]) if part}
    return sorted(parts | {"a", "0", "a.", "1@."})


def test_no_text_takes_long(machine: Machine) -> None:
    """With one pattern such as (a+)+$ among them it would not end."""
    asked = [(parse_pattern(case["pattern"]).for_trino, part) for case in READ for part in hostile_parts(case)]
    text = f"substr(array_join(repeat(part, {LONGEST_TEXT}), ''), 1, {LONGEST_TEXT - 1}) || chr(1)"
    statement = Statement(
        f"select count(regexp_like({text}, pattern)) as judged from unnest(?, ?) as given (pattern, part)",
        tuple(map(list, zip(*asked, strict=True))),
    )

    assert machine.runner().run(statement).rows == [{"judged": len(asked)}]
    assert len(asked) > 500


PLAN = r"""
version: 1
events:
  Probe:
    description: d
    owner: o
    status: live
    sources: [s]
    properties:
      bracket: {type: string, pattern: "^[^[]+$"}
      letters: {type: string, pattern: "^\\p{L}+$"}
      code: {type: [string, "null"], pattern: "^[A-Z]+$"}
      items: {type: array, items: {type: string, pattern: "^[^@]+@[^@]+\\.[^@]+$"}}
"""


@pytest.mark.promise("P9")
def test_a_text_that_is_too_long_for_a_pattern_breaks_it(lake: ScratchLake) -> None:
    sent = {
        "right": {"bracket": "abc", "letters": "가나다", "code": None, "items": ["a@b.c"]},
        "longest": {"code": "A" * 4_000, "letters": "é" * 4_000},
        "too-long": {"code": "A" * 4_001, "letters": "é" * 4_001},
        "line-end": {"code": "ABC\n"},
        "bracket": {"bracket": "a[", "letters": "a1", "code": 5},
        "hostile": {"items": ["x@" + "." * 3_997 + "@", "." * 100_000]},
    }
    common = {"type": "track", "event": "Probe", "receivedAt": "2026-11-24T00:00:00Z"}
    lines = [{"messageId": name, **common, "properties": properties} for name, properties in sent.items()]
    lake.stage("20261124T010203004Z-a.ndjson", b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    lake.load("run-1", plan=parse_plan(PLAN, "plan.yaml"))

    rows = lake.rows("violations")
    assert {(row["message_id"], row["property"], row["rule"], row["occurrences"]) for row in rows} == {
        ("too-long", "code", "pattern", 1),
        ("too-long", "letters", "pattern", 1),
        ("line-end", "code", "pattern", 1),
        ("bracket", "bracket", "pattern", 1),
        ("bracket", "letters", "pattern", 1),
        ("bracket", "code", "type", 1),
        ("hostile", "items[]", "pattern", 2),
    }
