"""Patterns of the tracking plan: what is read, what is refused and why, and that what is read runs in bounded time."""

import re
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from clickstream.plan.pattern import LONGEST_FOR_TRINO, LONGEST_PATTERN, PatternError, parse_pattern
from clickstream.plan.pattern_cost import LONGEST_TEXT, MOST_STEPS, most_steps
from tests.model.patterns import Tree, sample, text_of, trees, tries

BY_HAND: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parent / "patterns.yaml").read_text(encoding="utf-8")
)


def cases(*names: str) -> list[dict[str, Any]]:
    return [case for name in names for case in BY_HAND[name]]


@pytest.mark.parametrize("pattern", [case["pattern"] for case in cases("read", "common")])
def test_what_people_write_is_read(pattern: str) -> None:
    read = parse_pattern(pattern)

    assert read.text == pattern
    assert (most_steps(read.node, LONGEST_TEXT) or 0) <= MOST_STEPS


@pytest.mark.parametrize("case", cases("refused_for_its_cost", "refused"), ids=lambda case: case["pattern"])
def test_a_pattern_is_refused_with_place_and_fix(case: dict[str, str]) -> None:
    with pytest.raises(PatternError) as error:
        parse_pattern(case["pattern"])

    assert case["reason"] in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("a" * (LONGEST_PATTERN + 1), "it has 1,001 characters, and 1,000 are allowed"),
        ("(" * 51 + ")" * 51, "character 51: more than 50 groups inside each other"),
        (r"[^\p{L}]" * 8, "too many ranges"),
        ("\ud83d", "character 1: this is no character by itself"),
    ],
)
def test_what_a_yaml_file_does_not_show(pattern: str, reason: str) -> None:
    with pytest.raises(PatternError, match=reason):
        parse_pattern(pattern)


# Without a budget the analysis itself would take minutes for the first ones.
@pytest.mark.parametrize(
    "pattern",
    [
        *("a" * 1000, "a?" * 500, "[^a]*a" * 160, "a{0,32}" * 120, "(a|b)" * 200),
        # An engine goes 2 to the 40 ways here, and reads no character on them.
        *("^" + "(|)" * 40 + "$", "^a" + "($|$)" * 40 + "b", "(^|^)" * 40 + "b"),
    ],
)
def test_what_takes_long_to_judge_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError, match=r"too complicated|in so many ways"):
        parse_pattern(pattern)


def test_the_deepest_and_longest_that_is_read() -> None:
    assert parse_pattern("(" * 50 + "a" + ")" * 50).for_trino == "a"
    assert parse_pattern("^" + "a" * 999).for_trino == r"\A" + "a" * 999


@given(tree=trees, seed=st.integers(0, 2**32))
def test_no_engine_tries_more_than_the_bound(tree: Tree, seed: int) -> None:
    try:
        node = parse_pattern(text_of(tree)).node
    except PatternError:
        return
    random = Random(seed)
    part = sample(tree, random)[:5] or "a"
    for text in (part * 3 + "!", "a" * 15 + "!", "ab" * 8, "".join(random.choice("ab ") for _ in range(14))):
        bound = most_steps(node, len(text))
        assert bound is not None
        assert tries(tree, text, bound) <= bound


REFUSED_TREES = "can be empty|too long|too complicated|too many|no character|more than 1,000"


@given(trees)
def test_what_is_written_for_trino_has_no_character_that_engines_read_in_different_ways(tree: Tree) -> None:
    try:
        written = parse_pattern(text_of(tree)).for_trino
    except PatternError as error:
        refused = str(error)
    else:
        refused = ""
    # The trees have what is refused for what it can do, and nothing that is not read.
    assert not refused or re.search(REFUSED_TREES, refused)
    if refused:
        return
    assert len(written) <= LONGEST_FOR_TRINO
    assert not set(written) & set("&/_ @#.\0\n\r\u2028")
    assert all(after in "xAz" for before, after in pairwise(written) if before == "\\")
