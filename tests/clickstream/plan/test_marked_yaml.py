"""Scalars of the plan by the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema)."""

from typing import Any

import pytest
import yaml

from clickstream.plan.marked_yaml import read

SCALARS = {
    "NO": "NO", "yes": "yes", "On": "On", "y": "y", "12:30": "12:30", "09:00": "09:00", "2024-01-01": "2024-01-01",
    "2024-01-01T00:00:00Z": "2024-01-01T00:00:00Z", "1_000": "1_000", "0b11": "0b11", ".inf": ".inf", ".nan": ".nan",
    "1.2.3": "1.2.3", "'1'": "1", "=": "=", "true": True, "False": False, "null": None, "~": None, "": None, "7": 7,
    "-7": -7, "+7": 7, "010": 10, "0o10": 8, "0x1F": 31, "1.5": 1.5, "1.": 1.0, ".5": 0.5, "1e3": 1000.0,
    "-1E-2": -0.01,
}  # fmt: skip


@pytest.mark.parametrize("text", SCALARS)
def test_a_scalar_is_what_the_core_schema_says(text: str) -> None:
    value = read(f"[{text}]").value[0] if text else read("a:").value["a"]

    assert (value, type(value)) == (SCALARS[text], type(SCALARS[text]))


@pytest.mark.parametrize("key", [key for key in SCALARS if key and "'" not in key])
def test_a_key_is_text(key: str) -> None:
    assert read(f"{key}: 1\n").value == {key: 1}


@pytest.mark.parametrize(
    "text",
    [
        "? [a]\n: 1\n",
        "? {a: 1}\n: 1\n",
        "&a [*a]\n",
        "&a {b: *a}\n",
        "[" * 5000,
        "a: " + "9" * 5000,
        "!!map [a]\n",
        "a: !x 1\n",
    ],
    ids=range(8),
)
def test_what_no_plan_needs_is_an_error_with_a_reason(text: str) -> None:
    with pytest.raises(yaml.MarkedYAMLError) as refused:
        read(text)

    assert refused.value.problem


def test_merged_entries_are_read_as_before() -> None:
    value: Any = read("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n").value

    assert value["b"] == {"x": 1, "y": 3}
