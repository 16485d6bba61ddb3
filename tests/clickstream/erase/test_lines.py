"""Lines of a person go, and all others stay as they are, byte for byte."""

import base64
import gzip
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickstream.erase.lines import (
    Cleaned,
    UnreadableError,
    clean_failed_line,
    clean_line,
    cleaner,
    contained,
    count,
    lines_of,
    rewrite,
)

KIM = contained(["kim", "device-7", "42", "é😀", "1500.0", "true"])


@pytest.mark.parametrize(
    "line",
    [
        b'{"userId":"kim"}\n',
        b'  {"type": "track", "anonymousId" : "device-7", "userId": null}',
        b'{"previousId":"kim","userId":"lee"}\r\n',
        b'{"userId":42}\n',
        b'{"userId":1.5e3}\n',
        b'{"userId":true}\n',
        b'{"userId":"k\\u0069m"}\n',
        b'{"userId":"\\u00e9\\ud83d\\ude00"}\n',
        '{"userId":"é😀"}\n'.encode(),
        # Of two members of one key either may be taken.
        b'{"userId":"kim","userId":"lee"}\n',
        b'\xef\xbb\xbf{"userId":"kim"}\n',
        # Rejected lines: a list, half a message, bytes that are no UTF-8.
        b'[{"userId":"kim"}]\n',
        b'{"batch":[{"userId":"kim"}]}\n',
        b'{"userId":"kim","properties":{\n',
        b'{"userId":"kim","a":"\xff',
        # Cut off in the id, which may be the person's.
        b'{"type":"track","userId":"kim\n',
        b'{"type":"track","userId":"\\u00e9\\ud83d\\ude00',
        # With a point or an exponent, the load may write it in another way.
        b'{"userId":4.2e1}\n',
        b'{"userId":42.0}\n',
        b'{"userId":1500.00}\n',
        b'{"userId":"kim","deep":' + b"[" * 100_000,
    ],
)
def test_a_line_of_the_person_goes(line: bytes) -> None:
    cleaned = clean_line(line, KIM)

    assert (cleaned.kept, cleaned.removed) == (b"", 1)


@pytest.mark.parametrize(
    "line",
    [
        b'{"userId":"kim2"}\n',
        b'{"userId":"lee","properties":{"userId":"kim","seller":"kim"}}\n',
        b'{"userid":"kim","user_id":"kim","context":{"userId":"kim"}}\n',
        b'{"userId":"lee","note":"\\"userId\\":\\"kim\\""}\n',
        b'{"userId":420,"anonymousId":"42x"}\n',
        b"\n",
        b'{"userId":1500}\n',
        b'{"userId":null,"a":4e2}\n',
        b'{"userId":"ki',
        b'{"userId":"kim\\',
        b"kim went home\n",
        b"\xff\xfe\n",
        b"42\n",
    ],
)
def test_a_line_of_another_stays(line: bytes) -> None:
    assert clean_line(line, KIM).kept == line
    assert clean_line(line, KIM).removed == 0


def test_of_several_messages_in_one_line_the_person_s_go() -> None:
    line = b'{"userId":"lee","n":1.50}{"userId":"kim"} {"userId":"pat"}\n'

    cleaned = clean_line(line, KIM)

    assert (cleaned.kept, cleaned.removed) == (b'{"userId":"lee","n":1.50} {"userId":"pat"}\n', 1)


@pytest.mark.parametrize(
    ("line", "kept", "removed"),
    [
        (b'[{"userId":"lee", "n":1.50} , {"userId":"kim"}]\n', b'[{"userId":"lee", "n":1.50}]\n', 1),
        (b'{"a" :"b","batch": [{"userId":"kim"},{"n":1e2}],"x":1}', b'{"a" :"b","batch": [{"n":1e2}],"x":1}', 1),
        (b'{"batch":[{"userId":"kim"},{"previousId":"device-7"}]}\n', b"", 2),
        (b'{"userId":"kim","batch":[{"userId":"lee"}]}\n', b"", 1),
        (b'[[{"userId":"kim"},7,"\xff"],{"batch":[]}] {"userId":"kim"}', b'[[7,"\xff"],{"batch":[]}] ', 2),
        (b'{"batch\\u0000":[{"userId":"kim"}]}', b'{"batch\\u0000":[{"userId":"kim"}]}', 0),
    ],
)  # fmt: skip
def test_of_a_list_and_a_batch_the_person_s_go(line: bytes, kept: bytes, removed: int) -> None:
    assert clean_line(line, KIM) == Cleaned(kept, removed)


@pytest.mark.parametrize("depth", [400, 700, 950])
def test_a_list_that_is_too_deep_to_go_through_is_told_by_its_text(depth: int) -> None:
    line = b"[" * depth + b'{"userId":"kim"}' + b"]" * depth

    assert clean_line(line, KIM) == Cleaned(b"", 1)


def failed(*records: bytes) -> bytes:
    """Lines as Firehose writes them."""
    return b"".join(
        json.dumps({"attemptsMade": 1, "rawData": base64.b64encode(record).decode(), "lambdaArn": "kim"}).encode()
        + b"\n"
        for record in records
    )


@pytest.mark.parametrize(
    ("records", "kept", "removed", "unreadable"),
    [
        ([b'{"userId":"kim"}'], [], 1, 0),
        ([b'{"userId":"lee"}', b'{"userId":"kim"}'], [b'{"userId":"lee"}'], 1, 0),
        # A record of the collector's has several messages.
        ([b'{"userId":"lee"}\n{"userId":"kim"}\n{"a":1}\n'], [b'{"userId":"lee"}\n{"a":1}\n'], 1, 0),
        ([b"not JSON", b"kim"], [b"not JSON", b"kim"], 0, 0),
        ([gzip.compress(b'{"batch":[{"userId":"kim"}]}')], [], 1, 0),
        (
            [gzip.compress(b'{"batch":[{"userId":"lee"},{"userId":"kim"}]}')],
            [gzip.compress(b'{"batch":[{"userId":"lee"}]}', mtime=0)],
            1,
            0,
        ),
        (
            [gzip.compress(b'{"batch":[{"userId":"lee"}]}', mtime=0)],
            [gzip.compress(b'{"batch":[{"userId":"lee"}]}', mtime=0)],
            0,
            0,
        ),
        ([gzip.compress(b"kim", mtime=0)[:-4]], [gzip.compress(b"kim", mtime=0)[:-4]], 0, 1),
    ],
)
def test_failed_records_are_opened(records: list[bytes], kept: list[bytes], removed: int, unreadable: int) -> None:
    found = [clean_failed_line(line, KIM) for line in failed(*records).splitlines(keepends=True)]

    assert b"".join(one.kept for one in found) == failed(*kept)
    assert sum(one.removed for one in found) == removed
    assert sum(one.unreadable for one in found) == unreadable


@pytest.mark.parametrize("line", [b"no JSON\n", b"{}\n", b'{"rawData":7}\n', b'{"rawData":"!"}\n', b"[]\n"])
def test_a_failed_line_of_another_form_is_counted(line: bytes) -> None:
    assert clean_failed_line(line, KIM).unreadable == 1
    assert clean_failed_line(line, KIM).kept == line


IDS = st.sampled_from(["kim", "device-7", "lee", "42", "kim2", "", "é😀", "\ud800"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | IDS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(IDS | st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(["userId", "anonymousId", "previousId", "messageId", "properties"])
MESSAGES = st.dictionaries(KEYS, VALUES, max_size=4).map(lambda value: json.dumps(value).encode())
# Nothing in them is in quotation marks.
OTHERS = st.binary(max_size=40).map(lambda text: text.replace(b"\n", b"").replace(b'"', b""))


def is_kims(line: bytes) -> bool:
    """Say it in the plainest way, of a line without duplicate keys."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return False
    texts = (
        {
            str(message.get(key))
            for key in ("userId", "anonymousId", "previousId")
            if not isinstance(message.get(key), (dict, list, bool))
        }
        if isinstance(message, dict)
        else set()
    )
    return bool(texts & {"kim", "device-7", "42", "42.0"})


@given(st.lists(MESSAGES | OTHERS, max_size=12), st.booleans(), st.booleans())
def test_any_other_line_of_any_object_stays_byte_for_byte(lines: list[bytes], packed: bool, ended: bool) -> None:
    ids = contained(["kim", "device-7", "42"])
    body = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    sent = io.BytesIO(gzip.compress(body) if packed else body)
    # Bytes that begin as gzip data does are no lines.
    if not packed and body.startswith(b"\x1f\x8b"):
        return
    target = io.BytesIO()

    found = count("a.gz", sent, ids, cleaner(is_failed=False))
    sent.seek(0)
    rewrite("a.gz", sent, target, ids, cleaner(is_failed=False))

    written = gzip.decompress(target.getvalue()) if packed else target.getvalue()
    parts = [part + b"\n" for part in body.split(b"\n")[:-1]] + [body.split(b"\n")[-1]]
    assert written == b"".join(part for part in parts if not is_kims(part))
    assert found.found == sum(is_kims(part) for part in parts)


@given(st.binary())
def test_lines_are_the_bytes_again(body: bytes) -> None:
    if body.startswith(b"\x1f\x8b"):
        return
    found = list(lines_of("a.ndjson", io.BytesIO(body)))

    assert b"".join(found) == body
    assert all(line.endswith(b"\n") for line in found[:-1])
    assert all(b"\n" not in line[:-1] for line in found)


@pytest.mark.parametrize(
    ("key", "body", "said"),
    [
        ("a.gz", gzip.compress(b"kim" * 100)[:-10], "cut off"),
        ("a.gz", b"\x1f\x8b" + b"\0" * 40, "damaged"),
        ("a.zst", b"\x28\xb5\x2f\xfdx", "another way"),
        ("a.snappy", b"x", "another way"),
    ],
)
def test_what_cannot_be_read_is_named(key: str, body: bytes, said: str) -> None:
    with pytest.raises(UnreadableError, match=said):
        count(key, io.BytesIO(body), KIM, cleaner(is_failed=False))
