"""The search finds what the erasure leaves, in another way than it."""

import base64
import gzip
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.erase.lines import cleaner, contained, rewrite
from clickstream.erase.proof import _TOKEN, BROKEN, Found, Search

KIM = contained(["kim", "device-7", "42", "é😀"])
SEARCH = Search(KIM)


@pytest.mark.parametrize(
    ("line", "own", "mentions"),
    [
        (b'{"userId":"kim"}', 1, 0),
        (b'{"a":{"userId":"lee"},"previousId" : "device-7"}', 1, 0),
        (b'{"userId":42}', 1, 0),
        (b'{"userId":"\\u00e9\\ud83d\\ude00"}', 1, 0),
        ('{"anonymousId":"é😀"}'.encode(), 1, 0),
        (b'{"userId":"kim","traits":{', 1, 0),
        (b'{"userId":"lee"}{"userId":"kim"}', 1, 0),
        (b'{"userId":"lee","properties":{"userId":"kim"}}', 0, 1),
        (b'{"userId":"lee","note":"\\"userId\\":\\"kim\\""}', 0, 0),
        (b'{"userId":"lee","a":["kim"]}', 0, 1),
        (b'{"userId":"kim2","a":"kim 42"}', 0, 0),
        (b"\xff{", 0, 0),
        (b'{"userId":4.2e1}', 1, 0),
        (b'{"a":1,"userId":"kim\r\n', 1, 0),
        (b'{"userId":"kim\\', 0, 0),
        (b'{"userId":null}', 0, 0),
    ],
)
def test_a_line_is_the_person_s_or_mentions_the_person(line: bytes, own: int, mentions: int) -> None:
    found = SEARCH.in_lines([line])

    assert (found.own, found.mentions) == (own, mentions)


def test_records_are_opened() -> None:
    def line(record: bytes) -> bytes:
        return json.dumps({"rawData": base64.b64encode(record).decode()}).encode()

    lines = [
        line(b'{"userId":"lee"}\n{"userId":"kim"}'), line(gzip.compress(b'{"userId":"kim"}')),
        line(b'{"userId":"lee","a":"kim"}'), line(gzip.compress(b"{}")[:-4]), b'{"rawData":7}', b"",
    ]  # fmt: skip

    found = SEARCH.in_lines(lines, is_failed=True)

    assert (found.own, found.mentions, found.unreadable) == (2, 1, 2)


def test_a_string_that_does_not_end_is_one_token() -> None:
    """Tried again from each quotation mark in it, a megabyte takes hours."""
    line = b'"' + b'\\"' * 500_000

    assert [len(token[0]) for token in _TOKEN.finditer(line)] == [len(line)]
    assert SEARCH.in_lines([b"{" + line]) == Found()


def test_a_number_that_is_not_an_id_is_not_taken_for_one() -> None:
    ids = contained(["1500.0", "007", "9007199254740993", "null"])

    own = [number for number in ("1.5e3", "1500", "7", "7.0", "9007199254740992", "null") if ids.has_bare(number)]

    assert own == ["1.5e3"]


def test_damaged_data_is_told() -> None:
    with pytest.raises(BROKEN):
        SEARCH.in_object(io.BytesIO(gzip.compress(b'{"userId":"kim"}' * 99)[:-9]), is_failed=False)


IDS = st.sampled_from(["kim", "device-7", "42", "é😀", "lee", "", '"', "\\"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from([42.0, 4.2e1, 42.5]) | IDS | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["userId", "a", "}"]), inner, max_size=2)
    ),
    max_leaves=6,
)
MESSAGES = st.dictionaries(st.sampled_from(["userId", "anonymousId", "previousId", "p", "q"]), VALUES, max_size=4)
LINES = st.builds(
    lambda message, ascii_only, cut: json.dumps(message, ensure_ascii=ascii_only)[:cut].encode(),
    MESSAGES, st.booleans(), st.none() | st.integers(0, 40),
)  # fmt: skip


@given(st.lists(LINES | st.lists(LINES, max_size=3).map(b"".join), max_size=8), st.booleans())
def test_of_what_was_cleaned_nothing_is_found(lines: list[bytes], is_failed: bool) -> None:
    """Whole messages, halves of them, several in one line, nested ones: the two ways agree."""
    if is_failed:
        lines = [json.dumps({"rawData": base64.b64encode(line).decode()}).encode() for line in lines]
    body, target = io.BytesIO(b"\n".join(lines)), io.BytesIO()

    rewrite("a", body, target, KIM, cleaner(is_failed))

    target.seek(0)
    assert SEARCH.in_object(target, is_failed).own == 0
