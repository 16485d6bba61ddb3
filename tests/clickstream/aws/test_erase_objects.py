"""Objects that are written anew: only what was read is replaced, and its version goes for good."""

import io
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clickstream.aws.erase_objects import AwsEraseObjects
from clickstream.erase.places import Place, Version
from clickstream.load.objects import NotReadableError
from clickstream.settings import Settings
from tests.clickstream.memory_aws import MemoryS3, RefusalError, client, etag

SETTINGS = Settings(staging_bucket="staging", lake_bucket="lake", crawler="c")
PLACE = Place("archive/", "archive", "archive/")


class Versioned:
    """One object with versions, as S3 keeps them: (id, body), the latest first. `code`: how a write is refused."""

    def __init__(self, *versions: tuple[str, bytes], code: str = "") -> None:
        self.versions = list(versions)
        self.code = code
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.client = client("s3", self._answer)

    def _answer(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((operation, parameters))
        version_id, body = self.versions[0]
        if operation == "HeadObject":
            return {"ETag": etag(body), "ContentType": "text/plain", "Metadata": {"a": "b"}, "ContentEncoding": "gzip"}
        if operation == "PutObject":
            if self.code:
                raise RefusalError(self.code)
            assert parameters["IfMatch"] == etag(body)
            if version_id == "null":
                self.versions[0] = "null", parameters["Body"].read()
                return {}
            self.versions.insert(0, ("new", parameters["Body"].read()))
            return {"VersionId": "new"}
        assert operation == "DeleteObject"
        self.versions = [one for one in self.versions if one[0] != parameters["VersionId"]]
        return {}

    def replace(self) -> bool:
        version_id, body = self.versions[0]
        objects = AwsEraseObjects(lambda _: self.client, SETTINGS)
        return objects.replace(PLACE, Version("archive/a", version_id, True, etag(body)), io.BytesIO(b"anew"))


@pytest.mark.parametrize(
    ("versions", "left"),
    [
        ([("null", b"old")], [("null", b"anew")]),
        ([("v2", b"old"), ("v1", b"older")], [("new", b"anew"), ("v1", b"older")]),
    ],
    ids=["without versioning", "with it"],
)
def test_the_version_that_was_read_is_gone_and_no_other(
    versions: list[tuple[str, bytes]], left: list[tuple[str, bytes]]
) -> None:
    s3 = Versioned(*versions)

    assert s3.replace()

    assert s3.versions == left
    [written] = [parameters for operation, parameters in s3.calls if operation == "PutObject"]
    assert (written["ContentType"], written["ContentEncoding"], written["Metadata"]) == (
        "text/plain", "gzip", {"a": "b"},
    )  # fmt: skip


def test_an_object_that_is_gone_is_not_made_again() -> None:
    s3 = Versioned(("v1", b"old"), code="NoSuchKey")

    assert s3.replace() is False
    assert s3.versions == [("v1", b"old")]


def test_an_object_that_was_written_meanwhile_is_read_again_by_a_retry() -> None:
    with pytest.raises(ClientError, match="PreconditionFailed"):
        Versioned(("v1", b"old"), code="PreconditionFailed").replace()


def test_an_object_that_may_not_be_written_is_told() -> None:
    with pytest.raises(NotReadableError, match="archive/a: AccessDenied"):
        Versioned(("v1", b"old"), code="AccessDenied").replace()


def test_objects_are_listed_in_pages_from_a_key_on_and_read() -> None:
    s3 = MemoryS3({"archive": {f"archive/{name}": name.encode() for name in "abcd"}, "lake": {}}, page=2)
    s3.buckets["archive"]["other/e"] = b"e"
    objects = AwsEraseObjects(lambda _: s3.client, SETTINGS)

    found = list(objects.versions(PLACE, "archive/a"))

    assert [(one.key, one.version_id, one.is_latest) for one in found] == [
        (f"archive/{name}", "null", True) for name in "bcd"
    ]
    with objects.opened(PLACE, found[0]) as body:
        assert body.read() == b"b"
    assert "VersionId" not in s3.called("GetObject")[0]


def test_a_version_of_before_versioning_is_read_by_its_id() -> None:
    bodies = {"v2": b"new", "null": b"old"}

    def answer(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        assert operation == "GetObject"
        return {"Body": io.BytesIO(bodies[parameters.get("VersionId", "v2")])}

    objects = AwsEraseObjects(lambda _: client("s3", answer), SETTINGS)

    for version_id, body in bodies.items():
        with objects.opened(PLACE, Version("archive/a", version_id, version_id == "v2", "etag")) as opened:
            assert opened.read() == body


def test_a_job_is_kept_in_the_lake_bucket_until_it_is_deleted() -> None:
    s3 = MemoryS3({"lake": {}})
    objects = AwsEraseObjects(lambda _: s3.client, SETTINGS)

    assert objects.write_text("erasures/a", "text") == "s3://lake/erasures/a"
    assert objects.read_text("erasures/a") == "text"
    for _ in range(2):
        objects.delete_text("erasures/a")
    assert objects.read_text("erasures/a") is None
