"""newline_transform: recorded events, the limits to the byte, and properties that hold for any input."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clickstream_stream import records
from clickstream_stream.newline_transform import lambda_handler

EVENTS = Path(__file__).parent / "events" / "transform"
CASES = sorted(path.stem for path in EVENTS.glob("*.json") if ".expected" not in path.name)


def read(name: str) -> Any:
    return json.loads((EVENTS / name).read_text(encoding="utf-8"))


def record(payload: bytes, record_id: str = "1") -> dict[str, str]:
    return {"recordId": record_id, "data": base64.b64encode(payload).decode("ascii")}


def transform(payload: bytes) -> tuple[bytes, dict[str, int]]:
    batch = records.transform_batch([record(payload)])
    return base64.b64decode(batch.results[0]["data"]), batch.failed


def nested(depth: int) -> bytes:
    return b'{"a":' * (depth - 1) + b"{}" + b"}" * (depth - 1)


@pytest.mark.scenario("X19", "X29")
@pytest.mark.parametrize("case", CASES)
def test_recorded_event(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    event, expected = read(f"{case}.json"), read(f"{case}.expected.json")

    answer = lambda_handler(event, None)

    assert [one["recordId"] for one in answer["records"]] == [one["recordId"] for one in event["records"]]
    for sent, got, want in zip(event["records"], answer["records"], expected["records"], strict=True):
        assert got["result"] == want["result"], want["why"]
        if want["result"] == "Ok":
            assert base64.b64decode(got["data"]) == want["text"].encode("utf-8"), want["why"]
        else:
            sent_data = sent.get("data")
            assert got["data"] == (sent_data if isinstance(sent_data, str) else ""), want["why"]
    logged = json.loads(capsys.readouterr().out)
    assert logged["failed"] == expected["failed"]
    assert logged["RefusedRecords"] == sum(expected["failed"].values())
    assert logged["records"] == len(event["records"]) == logged["ok"] + sum(expected["failed"].values())


def test_the_log_is_one_line_and_holds_no_payload(capsys: pytest.CaptureFixture[str]) -> None:
    secret = b'{"email":"someone@example.com"'

    lambda_handler({"records": [record(secret), record(secret + b"}")]}, None)

    output = capsys.readouterr().out
    assert output.count("\n") == 1
    assert "someone" not in output
    assert base64.b64encode(secret).decode() not in output


@pytest.mark.parametrize("opening", [b"{", b"["])
def test_depth_boundary(opening: bytes) -> None:
    if opening == b"{":
        accepted, refused = nested(200), nested(201)
    else:
        accepted = b'{"a":' + b"[" * 199 + b"]" * 199 + b"}"
        refused = b'{"a":' + b"[" * 200 + b"]" * 200 + b"}"

    assert transform(accepted) == (accepted + b"\n", {})
    assert transform(refused) == (refused, {"too_deep": 1})


@pytest.mark.scenario("X36")
@pytest.mark.promise("P9")
@pytest.mark.parametrize("number", [b"%b", b"-%b", b"0.%b", b"%b.5", b"1e%b", b'[1, {"b": %b}]'])
def test_digits_boundary(number: bytes) -> None:
    accepted, refused = (b'{"a":' + number % (b"7" * digits) + b"}" for digits in (2000, 2001))

    assert transform(accepted) == (accepted + b"\n", {})
    assert transform(refused) == (refused, {"number_too_long": 1})


def test_many_digits_of_a_text_and_of_several_numbers_are_accepted() -> None:
    for members in (b'"a":"%b"' % (b"7" * 5000), b'"a":[%b]' % b",".join([b"7" * 1999] * 9), b'"%b":1' % (b"7" * 5000)):
        assert transform(b"{%b}" % members) == (b"{%b}\n" % members, {})


def test_many_brackets_that_do_not_nest_are_accepted() -> None:
    wide = b'{"a":[' + b",".join([b"[{}]"] * 5000) + b"]}"
    in_text = b'{"a":"' + rb"[{\"[" * 5000 + b'"}'

    assert transform(wide) == (wide + b"\n", {})
    assert transform(in_text) == (in_text + b"\n", {})


@pytest.mark.scenario("X29")
@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    "bomb",
    [b"[" * 500_000, b'{"a":' * 150_000, b'{"a":"' + b'\\"' * 400_000 + b"{" * 300, b'["' * 400_000, b"\\" * 900_000],
    ids=["arrays", "objects", "unterminated string", "quotes", "backslashes"],
)
@pytest.mark.usefixtures("within_a_second")
def test_bombs_fail_fast_and_alone(bomb: bytes) -> None:
    batch = records.transform_batch([record(b"{}", "a"), record(bomb, "b"), record(b"{}", "c")])

    assert [one["result"] for one in batch.results] == ["Ok", "ProcessingFailed", "Ok"]


@pytest.fixture
def within_a_second() -> Iterator[None]:
    started = time.perf_counter()
    yield
    assert time.perf_counter() - started < 1


def test_size_boundary() -> None:
    accepted = b'{"a":"' + b"x" * (records.MAX_RECORD_BYTES - 8) + b'"}'
    refused = accepted.replace(b"x", b"xx", 1)

    assert len(accepted) == 1_048_576
    assert transform(accepted) == (accepted + b"\n", {})
    assert transform(refused) == (refused, {"too_large": 1})


def test_a_record_without_fields_fails_alone() -> None:
    batch = records.transform_batch([None, "x", [], {}, record(b"{}")])

    assert [one["result"] for one in batch.results] == ["ProcessingFailed"] * 4 + ["Ok"]
    assert batch.failed == {"no_data": 4}


@pytest.mark.scenario("X29")
@pytest.mark.promise("P5")
def test_text_that_utf8_cannot_hold_does_not_break_the_answer() -> None:
    batch = records.transform_batch([{"recordId": "1", "data": "\ud800"}])

    assert json.dumps(batch.results, ensure_ascii=False).encode("utf-8")
    assert batch.failed == {"not_base64": 1}


class TestResponseLimit:
    """6,291,456 bytes of answer: failed records give up their data first, then the last good ones fail."""

    def answer(self, payloads: list[bytes], limit: int = records.MAX_RESPONSE_BYTES) -> tuple[records.Batch, int]:
        batch = records.transform_batch([record(one, str(i)) for i, one in enumerate(payloads)], limit)
        return batch, len(json.dumps({"records": batch.results}))

    def test_exactly_at_the_limit_nothing_changes(self) -> None:
        payloads = [b'{"a":%d}' % i for i in range(9)] + [b"bad"]
        whole, size = self.answer(payloads)

        same, _ = self.answer(payloads, limit=size)
        less, smaller = self.answer(payloads, limit=size - 1)

        assert same == whole
        assert smaller <= size - 1
        assert less.failed == whole.failed
        assert [one["data"] for one in less.results if one["result"] != "Ok"] == [""]

    def test_failed_records_give_up_their_data_before_a_good_one_fails(self) -> None:
        payloads = [b"bad" * 50, b'{"a":"%s"}' % (b"x" * 100), b'{"b":"%s"}' % (b"y" * 100)]
        _, size = self.answer(payloads)

        batch, smaller = self.answer(payloads, limit=size - 100)

        assert smaller <= size - 100
        assert [one["result"] for one in batch.results] == ["ProcessingFailed", "Ok", "Ok"]
        assert batch.results[0]["data"] == ""
        assert batch.failed == {"not_json": 1}

    def test_good_records_fail_from_the_end(self) -> None:
        payloads = [b"bad" * 50, b'{"a":"%s"}' % (b"x" * 100), b'{"b":"%s"}' % (b"y" * 100)]
        _, size = self.answer(payloads)

        batch, smaller = self.answer(payloads, limit=size - 300)

        assert smaller <= size - 300
        assert [one["result"] for one in batch.results] == ["ProcessingFailed", "Ok", "ProcessingFailed"]
        assert batch.failed == {"not_json": 1, "response_full": 1}

    def test_a_real_overflow_fits_and_loses_no_record(self) -> None:
        payloads = [b'{"a":"%s"}' % (b"x" * 1_000_000) for _ in range(6)]

        batch, size = self.answer(payloads)

        assert size <= 6_291_456
        assert [one["result"] for one in batch.results] == ["Ok"] * 4 + ["ProcessingFailed"] * 2
        assert [one["recordId"] for one in batch.results] == list("012345")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
json_objects = st.dictionaries(st.text(max_size=8), json_values, max_size=5)
line_ends = st.text(alphabet="\r\n", max_size=4).map(str.encode)


@pytest.mark.scenario("X19")
@given(json_objects, st.booleans(), line_ends)
def test_payload_bytes_stay_and_one_newline_follows(value: dict[str, Any], ascii_only: bool, ending: bytes) -> None:
    payload = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    line, failed = transform(payload + ending)

    if failed:
        assert failed == {"not_utf8": 1}  # a lone surrogate, written raw
    else:
        assert line == payload + b"\n"


@given(json_objects, st.sampled_from(["\n", "\r\n", "\r"]))
def test_pretty_printed_objects_become_one_line_of_the_same_value(value: dict[str, Any], line_end: str) -> None:
    pretty = json.dumps(value, indent=2).replace("\n", line_end).encode("utf-8")
    line, failed = transform(pretty)

    assert not failed
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert b"\r" not in line
    assert json.loads(line) == value


@given(st.lists(json_objects, min_size=1, max_size=6), line_ends)
def test_packed_objects_come_out_as_they_are(values: list[dict[str, Any]], ending: bytes) -> None:
    packed = b"\n".join(json.dumps(value).encode() for value in values)

    assert transform(packed + ending) == (packed + b"\n", {})


@given(st.lists(json_objects, min_size=1, max_size=4), st.integers(0, 3), st.binary(max_size=12))
def test_whatever_is_packed_every_line_is_an_object_or_the_record_stays_whole(
    values: list[dict[str, Any]], place: int, other: bytes
) -> None:
    lines = [json.dumps(value).encode() for value in values]
    packed = b"\n".join([*lines[:place], other, *lines[place:]])
    out, failed = transform(packed)

    if failed:
        assert out == packed
    else:
        assert all(isinstance(json.loads(line), dict) for line in out.removesuffix(b"\n").split(b"\n"))


anything = (
    st.none()
    | st.integers()
    | st.text(max_size=20)
    | st.binary(max_size=40).map(lambda b: base64.b64encode(b).decode())
)
any_records = st.lists(
    st.fixed_dictionaries({"recordId": st.text(max_size=8)}, optional={"data": anything})
    | st.none()
    | st.text(max_size=3),
    max_size=12,
)


@given(any_records, st.integers(min_value=2_000, max_value=4_000))
@settings(max_examples=200)
def test_any_batch_is_answered_whole_and_in_order(batch: list[Any], limit: int) -> None:
    answer = records.transform_batch(batch, limit)

    ids = [one.get("recordId") if isinstance(one, dict) else None for one in batch]
    assert [one["recordId"] for one in answer.results] == ids
    assert len(json.dumps({"records": answer.results})) <= limit
    assert answer.ok + sum(answer.failed.values()) == len(batch)
    for one in answer.results:
        if one["result"] == "Ok":
            line = base64.b64decode(one["data"])
            assert line.endswith(b"\n")
            assert line.count(b"\n") == 1
            assert isinstance(json.loads(line), dict)


@given(st.text(alphabet='[]{}"\\a', max_size=60))
def test_depth_agrees_with_a_character_by_character_scan(text: str) -> None:
    depth = deepest = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            in_string = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1

    for limit in range(5):
        assert records.nesting_exceeds(text.encode(), limit) == (deepest > limit)
