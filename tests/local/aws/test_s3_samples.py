"""How much of an object a crawl looks at."""

import gzip
import hashlib
import io
import json

import pytest

from local.aws.s3_samples import SAMPLE_BYTES, sample_object
from local.aws.schema_inference import columns


class OneObject:
    """The part of an S3 client that a sample needs."""

    def __init__(self, body):
        self.body, self.read = body, 0

    def get_object(self, Bucket, Key, Range):  # noqa: N803 (boto3's names)
        first, last = Range.removeprefix("bytes=").split("-")
        part = self.body[int(first) : int(last) + 1]
        self.read += len(part)
        return {"Body": io.BytesIO(part)}


def sample(body):
    client = OneObject(body)
    return sample_object(client, "b", "f/", "1", len(body)), client


def events(count, **extra):
    return b"".join(json.dumps({"n": n, "pad": "x" * 900, **extra}).encode() + b"\n" for n in range(count))


@pytest.mark.parametrize(("pack", "compression"), [(bytes, "none"), (gzip.compress, "gzip")])
def test_a_small_object_is_read_whole(pack, compression):
    found, _client = sample(pack(events(50)))
    assert (found.records, found.compression) == (50, compression)


def test_gzip_files_of_several_members_are_read_to_the_end():
    found, _client = sample(gzip.compress(events(3)) + gzip.compress(events(2, late=1)))
    assert found.records == 5
    assert {column["Name"] for column in columns(found.shape)} == {"n", "pad", "late"}


def test_only_the_head_of_a_large_object_is_read_and_its_records_are_estimated():
    found, client = sample(events(4000) + events(1, late=1))
    assert client.read == SAMPLE_BYTES
    assert {column["Name"] for column in columns(found.shape)} == {"n", "pad"}
    assert found.records == pytest.approx(4001, rel=0.02)


def test_records_of_a_large_gzip_object_are_estimated_from_the_part_that_was_unpacked():
    found, _client = sample(
        gzip.compress(
            b"".join(events(1, key=hashlib.md5(b"%d" % n, usedforsecurity=False).hexdigest()) for n in range(8000))
        )
    )
    assert found.records == pytest.approx(8000, rel=0.1)


def test_a_first_record_over_one_megabyte_makes_the_sample_larger():
    found, client = sample(json.dumps({"big": "x" * 2_500_000}).encode() + b"\n")
    assert found.records == 1
    assert client.read > 2_500_000


@pytest.mark.parametrize("body", [b"\n\n", b"hello\nworld\n", gzip.compress(b"")[:12], b"\x1f\x8bnot really", b"7\n"])
def test_what_holds_no_json_object_gives_nothing(body):
    assert sample(body)[0] is None


def test_a_gzip_file_that_is_cut_off_gives_what_could_be_read():
    packed = gzip.compress(
        b"".join(
            json.dumps({"n": n, "r": hashlib.md5(b"%d" % n, usedforsecurity=False).hexdigest()}).encode() + b"\n"
            for n in range(5000)
        )
    )
    found, _client = sample(packed[: len(packed) // 2])
    assert 0 < found.records < 5000
