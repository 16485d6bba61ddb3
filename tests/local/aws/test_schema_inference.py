"""Each folder of inference/ has objects as they lie in S3 and the columns a crawl makes of them, written by hand."""

import json
from pathlib import Path

import pytest

from local.aws.schema_inference import Shape, columns, json_objects, paths, similarity

CASES = sorted((Path(__file__).parent / "inference").iterdir())


def shape_of(text):
    shape, records = Shape(), 0
    for record in json_objects(text):
        shape.observe(record)
        records += 1
    return shape, records


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_columns_of_a_sample(case):
    shape, records = shape_of((case / "input.ndjson").read_bytes().decode())
    found = {"records": records, "paths": paths(shape), "columns": columns(shape)}
    assert found == json.loads((case / "expected.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_shapes_of_parts_merge_to_the_shape_of_the_whole(case):
    whole, _records = shape_of((case / "input.ndjson").read_bytes().decode())
    merged = Shape()
    for record in json_objects((case / "input.ndjson").read_bytes().decode()):
        part = Shape()
        part.observe(record)
        merged.merge(part)
    assert columns(merged) == columns(whole)


def test_nesting_deeper_than_the_parser_goes_is_passed_over():
    deep = '{"a":' + "[" * 200_000 + "]" * 200_000 + "}"
    assert list(json_objects(f'{deep}\n{{"b":1}}\n')) == [{"b": 1}]


@pytest.mark.parametrize(
    ("one", "other", "expected"), [('{"a":1,"b":1}', '{"b":2,"c":1}', 1 / 3), ("{}", "{}", 1.0), ('{"a":1}', "{}", 0.0)]
)
def test_similarity_is_the_share_of_common_keys(one, other, expected):
    assert similarity(shape_of(one)[0], shape_of(other)[0]) == pytest.approx(expected)
