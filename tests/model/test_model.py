"""The model against cases worked out by hand, and the comparison against rows that are wrong in known ways.

A case is a folder of `cases`: staged files, and `expected.json` with the rows. There an event lists what is not NULL;
`received_at`, `timestamp`, `is_late` and `is_future` are the time of staging and false unless listed, and `file` is
needed only where the case has several files.
"""

import gzip
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.model.compare import compare, compare_rejects
from tests.model.expected import StagedFile, expected_tables, expected_transform, staged_file
from tests.model.json_text import Number, read_json, write_json
from tests.model.values import JsonText, NumberText, opened

CASES = sorted(path.parent for path in Path(__file__).parent.glob("cases/*/expected.json"))
JSON_COLUMNS = {
    "context",
    "properties",
    "traits",
    "integrations",
    "extras",
    "context_traits",
    "context_user_agent_data_brands",
}
TIME_COLUMNS = {"original_timestamp", "sent_at", "received_at", "timestamp"}
STAGED_AT = datetime(2026, 11, 24, 1, 2, 3, 4000, tzinfo=UTC)


def read_case(case: Path) -> tuple[dict[str, StagedFile], Mapping[str, Any]]:
    files = {
        path.name: staged_file(f"s3://staging/staging/{path.name}", path.read_bytes()) for path in case.glob("*.ndjson")
    }
    return files, read_json((case / "expected.json").read_text())


def by_hand(row: Mapping[str, Any], files: Mapping[str, StagedFile], defaults: bool) -> dict[str, Any]:
    """A row of expected.json with column values in the types of the tables."""
    file = files[row.get("file", next(iter(files)))]
    values: dict[str, Any] = {"source_path": file.path, "staged_at": file.staged_at}
    if defaults:
        values |= {"received_at": file.staged_at, "timestamp": file.staged_at, "is_late": False, "is_future": False}
    for column, value in row.items():
        if column in JSON_COLUMNS:
            values[column] = JsonText(write_json(value))
        elif column in TIME_COLUMNS:
            values[column] = datetime.fromisoformat(value)
        elif column != "file":
            values[column] = float(value.literal) if isinstance(value, Number) else value
    return values


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Path) -> None:
    files, wanted = read_case(case)
    found = expected_tables(list(files.values()))
    events = [by_hand(row, files, defaults=True) for row in wanted.get("events", [])]
    columns = found.events[0].keys() if found.events else set()
    assert all(row.keys() == columns for row in found.events)
    assert not [row for row in events if row.keys() - columns]
    assert compare([dict.fromkeys(columns) | row for row in events], found.events) == []
    rejects = [by_hand(row, files, defaults=False) for row in wanted.get("rejects", [])]
    assert compare_rejects(rejects, found.rejects) == []
    duplicates = wanted.get("duplicate_count", Number("0"))
    assert found.duplicate_count == int(duplicates.literal)
    assert found.line_count == sum(len(file.lines) for file in files.values())


def test_every_column_has_a_value_in_one_case() -> None:
    files, _ = read_case(Path(__file__).parent / "cases" / "every_column")
    (row,) = expected_tables(list(files.values())).events
    assert [column for column, value in row.items() if value is None] == []


def test_the_order_of_files_does_not_matter() -> None:
    files, _ = read_case(Path(__file__).parent / "cases" / "duplicates")
    one_way, other_way = (expected_tables(list(files.values())[::step]) for step in (1, -1))
    assert compare(one_way.events, other_way.events) == []


def nested(levels: int) -> bytes:
    return b'{"a":' * (levels - 1) + b"{}" + b"}" * (levels - 1)


def padded(size: int) -> bytes:
    return b'{"a":"' + b"x" * (size - 8) + b'"}'


UNTOUCHED = [
    b"{}",
    b' { "price": 2.50, "price": 1e400 } ',
    '{"t":"한 🎁 \u2028"}'.encode(),
    b'{"half":"\\ud800","nul":"\\u0000"}',
    b'{"deep in text":"' + b"[{" * 500 + b'"}',
    b'{"n":' + b"9" * 2_000 + b"." + b"9" * 2_000 + b"}",
    nested(200),
    padded(1_048_576),
]


@pytest.mark.parametrize("record", UNTOUCHED, ids=range(len(UNTOUCHED)))
def test_good_records_keep_their_bytes(record: bytes) -> None:
    assert expected_transform(record) == record + b"\n"


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (b"{}\n", b"{}\n"),
        (b"{}\r\n", b"{}\n"),
        (b"{}\n\n", b"{}\n"),
        (b"{}\r", b"{}\n"),
        (b"{} \n", b"{} \n"),
        (b'{\n  "a": 1.10\r\n}\n', b'{   "a": 1.10  }\n'),
        (b"\n{}", b" {}\n"),
        (b'{}\n{"a":1}', b'{}\n{"a":1}\n'),
        (b"{}\r\n{}\r\n", b"{} \n{}\n"),
    ],
)
def test_each_object_becomes_one_line(record: bytes, line: bytes) -> None:
    assert expected_transform(record) == line


BAD = [
    b"",
    b"\n",
    b"not json",
    b"[{}]",
    b'"{}"',
    b"null",
    b"{}{}",
    b"{}\n[]",
    b"{}\n\n{}",
    b"{}\r{}",
    b'{"a":1',
    b'{"a":NaN}',
    b'{"a":-Infinity}',
    b"\xef\xbb\xbf{}",
    b'{"a":"\xff"}',
    b'{"a":"\xed\xa0\x80"}',
    b'{"a":"\n"}',
    b"{'a':1}",
    b'{"a":01}',
    "{}".encode("utf-16"),
    nested(201),
    b'{"a":' + b"[" * 100_000,
    padded(1_048_577),
    b'{"n":' + b"9" * 2_001 + b"}",
    b'{"n":[0.' + b"9" * 2_001 + b"]}",
    b'{"n":1e' + b"9" * 2_001 + b"}",
]


@pytest.mark.parametrize("record", BAD, ids=range(len(BAD)))
def test_bad_records_are_kept_out(record: bytes) -> None:
    assert expected_transform(record) is None


def test_a_staged_object_is_read_like_trino_reads_it() -> None:
    body = b"a\nb\r\nc\rd\n\ne"
    lines = [b"a", b"b", b"c", b"d", b"", b"e"]
    for stored in (body, body + b"\n", gzip.compress(body)):
        file = staged_file("s3://b/staging/20261124T010203004Z-raw_x.gz", stored)
        assert (file.lines, file.staged_at) == (lines, STAGED_AT)
    assert staged_file("20261124T010203004Z-empty", b"").lines == []
    with pytest.raises(ValueError, match="time it was staged"):
        staged_file("s3://b/20261124T010203004Z-folder/x.gz", b"")


def test_a_string_is_opened_down_to_200_levels() -> None:
    at_limit, beyond = nested(200).decode(), nested(201).decode()
    assert write_json(opened(at_limit)) == at_limit
    assert opened(beyond) == beyond


SEOUL = timezone(timedelta(hours=9))
ROW: dict[str, Any] = {
    "message_id": "m",
    "version": NumberText("2"),
    "properties": JsonText('{"a":1.10,"b":[1,null]}'),
    "received_at": STAGED_AT,
    "context_screen_width": 390.0,
    "context_active": True,
    "user_id": None,
    "name": "1.10",
}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"loaded_at": STAGED_AT},
        {"version": "2.0"},
        {"properties": '{ "b" : [1.0, null], "a" : 1.1E0 }'},
        {"received_at": STAGED_AT.astimezone(SEOUL)},
        {"context_screen_width": Decimal(390)},
    ],
)
def test_equal_rows_have_no_differences(change: dict[str, Any]) -> None:
    assert compare([ROW], [ROW | change]) == []


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"version": "3"}, "message_id m: version expected '2', found '3'"),
        ({"version": "two"}, "message_id m: version expected '2', found 'two'"),
        ({"name": "1.1"}, "message_id m: name expected '1.10', found '1.1'"),
        ({"user_id": ""}, "message_id m: user_id expected None, found ''"),
        ({"context_active": None}, "message_id m: context_active expected True, found None"),
        ({"context_active": "true"}, "message_id m: context_active expected True, found 'true'"),
        ({"context_screen_width": 390.5}, "message_id m: context_screen_width expected 390.0, found 390.5"),
        (
            {"received_at": STAGED_AT.replace(tzinfo=SEOUL)},
            "message_id m: received_at expected 2026-11-24T01:02:03.004000+00:00, "
            "found 2026-11-23T16:02:03.004000+00:00",
        ),
    ],
)
def test_a_wrong_value_is_named(change: dict[str, Any], difference: str) -> None:
    assert compare([ROW], [ROW | change]) == [difference]


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1.10,"b":[null,1]}',
        '{"a":"1.10","b":[1,null]}',
        '{"a":1.10,"b":[1]}',
        '{"a":1.10,"b":[1,null],"c":null}',
        '{"a":1.10}',
        '{"a":1.10,"b":[true,null]}',
        '{"a":1.11,"b":[1,null]}',
        "{a=1.10, b=[1, null]}",
        "",
    ],
)
def test_other_json_is_a_difference(text: str) -> None:
    assert len(compare([ROW], [ROW | {"properties": text}])) == 1


@pytest.mark.parametrize(
    ("expected", "actual", "is_same"),
    [
        ("9007199254740993", "9007199254740993", True),
        ("9007199254740993", "9007199254740992", False),
        ("9007199254740993.0", "9.007199254740992E15", True),
        ("123456789012345678901234567890", "1.2345678901234568E29", True),
        ("1e400", "1e400", True),
        ("1e400", "Infinity", False),
        ("0.1", "0.10000000000000001", True),
        ("0.1", "0.2", False),
        ("-0.0", "0", True),
        ("9" * 2_000, "9" * 2_000, True),
        ("9" * 2_000, "9" * 1_999 + "8", False),
        ("1e99999999999999999999", "1", False),
    ],
)
def test_numbers_are_equal_as_integers_or_as_doubles(expected: str, actual: str, is_same: bool) -> None:
    row = ROW | {"properties": JsonText(f"[{expected}]")}
    assert (compare([row], [row | {"properties": f"[{actual}]"}]) == []) is is_same


def test_missing_surplus_and_repeated_rows_are_named() -> None:
    rows = [ROW | {"message_id": name} for name in ("here", "missing", "twice")]
    actual = [rows[2], rows[0], rows[2], ROW | {"message_id": "surplus"}, ROW | {"message_id": None}]
    assert compare(rows, actual) == [
        "message_id missing: expected 1 row, found 0",
        "message_id twice: expected 1 row, found 2",
        "message_id surplus: expected no row, found 1",
        "message_id None: expected no row, found 1",
    ]
    assert compare([ROW], [{"message_id": "m"}])[0] == "message_id m: no column version, expected '2'"


def test_a_numeric_message_id_may_be_spelt_otherwise() -> None:
    assert compare([ROW | {"message_id": NumberText("1000.0")}], [ROW | {"message_id": "1E3"}]) == []
    assert len(compare([ROW | {"message_id": "1000.0"}], [ROW | {"message_id": "1E3"}])) == 2


def test_rejects_are_compared_with_how_often_they_occur() -> None:
    reject = {"reason": "blank", "line": "", "source_path": "p", "staged_at": STAGED_AT}
    assert compare_rejects([reject, reject], [reject | {"staged_at": STAGED_AT.astimezone(SEOUL)}, reject]) == []
    found = compare_rejects([reject, reject], [reject, reject | {"reason": "not_json"}])
    assert found == [
        "rejects ('blank', 'p', '2026-11-24T01:02:03.004000+00:00', ''): expected 2, found 1",
        "rejects ('not_json', 'p', '2026-11-24T01:02:03.004000+00:00', ''): expected 0, found 1",
    ]
