"""stage_object: recorded events, a crash at every step, repeated and shuffled events, the real client's requests."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clickstream_stream import moves, stage_object
from clickstream_stream.environment import EnvironmentSettingError, read_environment
from clickstream_stream.keys import archive_key, staging_key
from clickstream_stream.notifications import Notification
from tests.lambdas.conftest import ARCHIVE, RAW, STAGING
from tests.lambdas.memory_s3 import CrashError, MemoryS3

EVENTS = Path(__file__).parent / "events" / "stage"
TIME = "2026-11-24T05:28:00.123Z"
SOURCE = Notification("ObjectCreated:Put", TIME, RAW, "raw/a.gz")
TARGET = "staging/20261124T052800123Z-raw_a.gz"
SPILLED = "raw/2026/11/24/04/collector-1-a.gz"


@pytest.fixture
def use_s3(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    return lambda s3: monkeypatch.setattr(stage_object, "s3_client", lambda: s3)


def put_event(*keys: str, message_id: str = "m") -> dict[str, Any]:
    body = {
        "Records": [
            {
                "eventName": "ObjectCreated:Put",
                "eventTime": TIME,
                "s3": {"bucket": {"name": RAW}, "object": {"key": key}},
            }
            for key in keys
        ]
    }
    return {"messageId": message_id, "body": json.dumps(body)}


@pytest.mark.scenario("X25", "X27", "X28")
@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.json")), ids=lambda path: path.stem)
def test_recorded_event(path: Path, use_s3: Callable[[Any], None]) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    s3 = MemoryS3({key: text.encode("utf-8") for key, text in case["before"].items()})
    use_s3(s3)

    response = stage_object.lambda_handler(case["event"], None)

    assert response == case["response"]
    assert {key: content.decode("utf-8") for key, content in s3.objects.items()} == case["after"], case["why"]


def test_failed_messages_are_logged_without_their_text(
    use_s3: Callable[[Any], None], capsys: pytest.CaptureFixture[str]
) -> None:
    use_s3(MemoryS3({}))

    stage_object.lambda_handler({"Records": [{"messageId": "m1", "body": '{"secret": "someone@example.com"}'}]}, None)

    logged, told = map(json.loads, capsys.readouterr().out.splitlines())
    assert (told["StagedObjects"], told["FailedMessages"]) == (0, 1)
    assert "SecondsToStage" not in told
    assert logged == {
        "message": "message failed",
        "id": "m1",
        "error": "NotificationError('message body has no list of Records')",
    }


MOVE = ["head_object", "copy", "head_object", "delete_object"]
MOVE_AND_KEEP = ["head_object", "copy", "head_object", *MOVE[1:]]


@pytest.mark.scenario("X26")
@pytest.mark.promise("P6")
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    ("archive_by", "step"),
    [*(("None", step) for step in range(len(MOVE))), *(("Copy", step) for step in range(len(MOVE_AND_KEEP)))],
    indirect=["archive_by"],
)
def test_a_crash_at_any_step_loses_nothing_and_a_retry_ends_the_same(
    archive_by: str, step: int, moment: str, use_s3: Callable[[Any], None]
) -> None:
    s3 = MemoryS3({f"{RAW}/{SPILLED}": b"{}\n"}, iter([None] * step + [moment]))
    use_s3(s3)
    staged, kept = staging_key("staging/", TIME, SPILLED), archive_key(TIME, SPILLED)

    first = stage_object.lambda_handler({"Records": [put_event(SPILLED)]}, None)
    after_crash = dict(s3.objects)
    second = stage_object.lambda_handler({"Records": [put_event(SPILLED)]}, None)

    steps = MOVE if archive_by == "None" else MOVE_AND_KEEP
    whole = {f"{STAGING}/{staged}": b"{}\n"} | ({} if archive_by == "None" else {f"{ARCHIVE}/{kept}": b"{}\n"})
    assert first == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    assert s3.calls[: step + 1] == steps[: step + 1]
    # While the source is there, everything can be made again of it; without it, everything is there.
    assert f"{RAW}/{SPILLED}" in after_crash or after_crash == whole
    # What is staged may be loaded at once, and what is loaded can be loaded again.
    assert f"{STAGING}/{staged}" not in after_crash or whole.keys() - after_crash.keys() == set()
    assert second == {"batchItemFailures": []}
    assert s3.objects == whole


@pytest.mark.scenario("X43")
def test_an_event_with_another_time_names_the_object_again_if_the_first_copy_is_not_yet_followed_by_the_delete(
    use_s3: Callable[[Any], None],
) -> None:
    """S3's event, whose function dies, then that of reconcile_raw, which has the time of the listing."""
    s3 = MemoryS3({f"{RAW}/raw/a.gz": b"{}\n"}, iter([None, None, None, "before"]))
    use_s3(s3)
    of_reconcile = put_event("raw/a.gz")
    of_reconcile["body"] = of_reconcile["body"].replace(TIME, "2026-11-24T05:27:58.000Z")

    stage_object.lambda_handler({"Records": [put_event("raw/a.gz")]}, None)
    stage_object.lambda_handler({"Records": [of_reconcile]}, None)

    assert s3.objects == {
        f"{STAGING}/{TARGET}": b"{}\n", f"{STAGING}/staging/20261124T052758000Z-raw_a.gz": b"{}\n",
    }  # fmt: skip


raw_keys = st.builds(
    "raw/{}{}".format, st.sampled_from(["", "collector-", "2026/11/24/04/", "2026/11/24/04/collector-"]),
    st.text(alphabet="ab/_.", min_size=1, max_size=6),
)  # fmt: skip


@pytest.mark.scenario("X25", "X26")
@pytest.mark.promise("P1", "P6")
@given(
    st.dictionaries(raw_keys, st.binary(max_size=3), min_size=1, max_size=5),
    st.data(),
    st.lists(st.sampled_from([None, None, None, "before", "after"]), max_size=40),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_repeated_shuffled_and_crashing_deliveries_end_in_the_same_state(
    archive_by: str,
    use_s3: Callable[[Any], None],
    sources: dict[str, bytes],
    data: st.DataObject,
    faults: list[str | None],
) -> None:
    bystander = {f"{RAW}/processing-failed/x": b"p", f"{STAGING}/staging/old": b"o"}
    s3 = MemoryS3({**{f"{RAW}/{key}": content for key, content in sources.items()}, **bystander}, iter(faults))
    use_s3(s3)
    deliveries = data.draw(st.permutations(list(sources) * data.draw(st.integers(min_value=1, max_value=3))))
    waiting = {str(i): put_event(key, message_id=str(i)) for i, key in enumerate(deliveries)}

    for _ in range(len(faults) + 1):  # each try that fails uses up a fault, so this many are always enough
        response = stage_object.lambda_handler({"Records": list(waiting.values())}, None)
        waiting = {one["itemIdentifier"]: waiting[one["itemIdentifier"]] for one in response["batchItemFailures"]}

    staged = {f"{STAGING}/{staging_key('staging/', TIME, key)}": content for key, content in sources.items()}
    kept = {
        f"{ARCHIVE}/{archive_key(TIME, key)}": content
        for key, content in sources.items()
        if archive_by == "Copy" or (archive_by == "Firehose" and key.rpartition("/")[2].startswith("collector-"))
    }
    assert waiting == {}
    assert s3.objects == {**staged, **kept, **bystander}


class TestForbidden:
    """Without s3:ListBucket a missing object is answered with 403, like one that may not be read."""

    def test_done_if_the_target_is_there(self) -> None:
        s3 = MemoryS3({f"{STAGING}/{TARGET}": b"x"})
        s3.hides_missing = True

        assert moves.move(s3, SOURCE, STAGING, TARGET) == "already_moved"

    def test_tried_again_if_the_target_is_not_there(self) -> None:
        s3 = MemoryS3({})
        s3.hides_missing = True

        with pytest.raises(ClientError):
            moves.move(s3, SOURCE, STAGING, TARGET)

    def test_tried_again_if_only_the_source_is_hidden(self) -> None:
        class HidesSource(MemoryS3):
            def head_object(self, Bucket: str, Key: str, VersionId: str | None = None) -> dict[str, Any]:  # noqa: N803
                self.hides_missing = Bucket == RAW
                return super().head_object(Bucket, Key, VersionId)

        with pytest.raises(moves.SourceUnreadableError, match=r"access denied to raw/a\.gz"):
            moves.move(HidesSource({}), SOURCE, STAGING, TARGET)


MD5 = '"b1946ac92492d2347c6235b4d2611184"'
OTHER_MD5 = '"5d41402abc4b2a76b9719d911017c592"'


@pytest.mark.parametrize(
    ("source", "target", "same"),
    [
        ({"ETag": MD5}, {"ETag": MD5}, True),
        ({"ETag": MD5}, {"ETag": OTHER_MD5}, False),
        ({"ETag": MD5, "ServerSideEncryption": "AES256"}, {"ETag": OTHER_MD5}, False),
        ({"ETag": MD5, "ServerSideEncryption": "aws:kms"}, {"ETag": OTHER_MD5}, True),
        ({"ETag": MD5}, {"ETag": OTHER_MD5, "ServerSideEncryption": "aws:kms:dsse"}, True),
        ({"ETag": MD5, "SSECustomerAlgorithm": "AES256"}, {"ETag": OTHER_MD5}, True),
        ({"ETag": '"b1946ac92492d2347c6235b4d2611184-2"'}, {"ETag": OTHER_MD5}, True),
        ({"ETag": MD5}, {"ETag": MD5, "ContentLength": 5}, False),
    ],
)
def test_source_is_deleted_only_if_the_target_is_whole(
    source: dict[str, Any], target: dict[str, Any], same: bool
) -> None:
    client = boto3.client("s3")
    with Stubber(client) as stub:
        stub.add_response("head_object", {"ContentLength": 6, **source})
        stub.add_response("head_object", {"ContentLength": 6, **source})  # the transfer manager's own
        stub.add_response("copy_object", {})
        stub.add_response("head_object", {"ContentLength": 6, **target})
        if same:
            stub.add_response("delete_object", {})
            assert moves.move(client, SOURCE, STAGING, TARGET) == "moved"
        else:
            with pytest.raises(moves.CopyIncompleteError, match=TARGET):
                moves.move(client, SOURCE, STAGING, TARGET)
        stub.assert_no_pending_responses()


def test_an_object_is_not_staged_before_its_copy_in_the_archive_is_whole() -> None:
    client = boto3.client("s3")
    kept = {"Bucket": ARCHIVE, "Key": archive_key(TIME, SOURCE.key)}
    with Stubber(client) as stub:
        stub.add_response("head_object", {"ContentLength": 6, "ETag": MD5})
        stub.add_response("head_object", {"ContentLength": 6, "ETag": MD5})
        stub.add_response(
            "copy_object", {}, {**kept, "CopySource": {"Bucket": RAW, "Key": SOURCE.key}, "CopySourceIfMatch": MD5}
        )
        stub.add_response("head_object", {"ContentLength": 5, "ETag": MD5}, kept)

        with pytest.raises(moves.CopyIncompleteError, match=kept["Key"]):
            moves.move(client, SOURCE, STAGING, TARGET, (kept["Bucket"], kept["Key"]))
        stub.assert_no_pending_responses()


@pytest.mark.parametrize("version", [None, "3HL4kqtJvjVBH40Nrjfkd"])
def test_the_delete_hits_only_what_was_copied(version: str | None) -> None:
    client = boto3.client("s3")
    place = {"Bucket": RAW, "Key": "raw/a.gz", **({"VersionId": version} if version else {})}
    source = Notification("ObjectCreated:Put", TIME, RAW, "raw/a.gz", version)
    with Stubber(client) as stub:
        stub.add_response("head_object", {"ContentLength": 6, "ETag": MD5}, place)
        stub.add_response("head_object", {"ContentLength": 6, "ETag": MD5}, {**place, "IfMatch": MD5})
        stub.add_response(
            "copy_object", {}, {"Bucket": STAGING, "Key": TARGET, "CopySource": place, "CopySourceIfMatch": MD5}
        )
        stub.add_response("head_object", {"ContentLength": 6, "ETag": MD5}, {"Bucket": STAGING, "Key": TARGET})
        stub.add_response("delete_object", {}, place if version else {**place, "IfMatch": MD5})

        assert moves.move(client, source, STAGING, TARGET) == "moved"


@pytest.mark.parametrize(("status", "outcome"), [(404, "moved"), (412, None), (409, None)])
def test_delete_of_an_object_that_changed_or_went(status: int, outcome: str | None) -> None:
    client = boto3.client("s3")
    head = {"ContentLength": 6, "ETag": MD5}
    with Stubber(client) as stub:
        for operation in ("head_object", "head_object", "copy_object", "head_object"):
            stub.add_response(operation, head if operation == "head_object" else {})
        stub.add_client_error("delete_object", "Refused", http_status_code=status)
        if outcome:
            assert moves.move(client, SOURCE, STAGING, TARGET) == outcome
        else:
            with pytest.raises(ClientError):
                moves.move(client, SOURCE, STAGING, TARGET)


def test_large_objects_are_copied_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    mib = 1024 * 1024
    small = TransferConfig(multipart_threshold=8 * mib, multipart_chunksize=5 * mib, use_threads=False)
    monkeypatch.setattr(moves, "COPY_CONFIG", small)
    client = boto3.client("s3")
    head = {"ContentLength": 12 * mib, "ETag": MD5}
    with Stubber(client) as stub:
        stub.add_response("head_object", head)
        stub.add_response("head_object", head)
        stub.add_response("create_multipart_upload", {"UploadId": "u"})
        for _ in range(3):
            stub.add_response("upload_part_copy", {"CopyPartResult": {"ETag": OTHER_MD5}})
        stub.add_response("complete_multipart_upload", {})
        stub.add_response("head_object", {"ContentLength": 12 * mib, "ETag": '"b1946ac92492d2347c6235b4d2611184-3"'})
        stub.add_response("delete_object", {})

        assert moves.move(client, SOURCE, STAGING, TARGET) == "moved"
        stub.assert_no_pending_responses()


def test_one_copy_request_does_for_anything_firehose_writes() -> None:
    assert moves.COPY_CONFIG.multipart_threshold > 128 * 1024 * 1024
    assert moves.COPY_CONFIG.multipart_threshold <= 5 * 1024**3  # CopyObject's own limit


VALID = {
    "CLICKSTREAM_RAW_BUCKET": "r",
    "CLICKSTREAM_RAW_PREFIX": "raw/",
    "CLICKSTREAM_STAGING_BUCKET": "s",
    "CLICKSTREAM_STAGING_PREFIX": "staging/",
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"CLICKSTREAM_RAW_BUCKET": ""}, "CLICKSTREAM_RAW_BUCKET is not set"),
        ({"CLICKSTREAM_STAGING_PREFIX": " "}, "CLICKSTREAM_STAGING_PREFIX is not set"),
        ({"CLICKSTREAM_RAW_PREFIX": "raw"}, "CLICKSTREAM_RAW_PREFIX is 'raw': it must end in '/'"),
        ({"CLICKSTREAM_STAGING_PREFIX": "/"}, "CLICKSTREAM_STAGING_PREFIX is '/'"),
        ({"CLICKSTREAM_STAGING_BUCKET": "r", "CLICKSTREAM_STAGING_PREFIX": "raw/staging/"}, "overlap in bucket 'r'"),
        ({"CLICKSTREAM_STAGING_BUCKET": "r", "CLICKSTREAM_STAGING_PREFIX": "raw/"}, "overlap in bucket 'r'"),
        ({"CLICKSTREAM_ARCHIVE_BY": "copy"}, "CLICKSTREAM_ARCHIVE_BY is 'copy': it must be Copy or Firehose or None"),
        ({"CLICKSTREAM_ARCHIVE_BY": "Copy"}, "CLICKSTREAM_ARCHIVE_BUCKET is not set"),
    ],
)
def test_unusable_settings_are_named(change: dict[str, str], message: str) -> None:
    with pytest.raises(EnvironmentSettingError, match=message):
        read_environment({**VALID, **change})


def test_one_bucket_for_both_is_allowed_if_the_prefixes_do_not_overlap() -> None:
    assert read_environment({**VALID, "CLICKSTREAM_STAGING_BUCKET": "r"}).staging_prefix == "staging/"


def test_bad_settings_fail_the_call_not_the_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLICKSTREAM_RAW_BUCKET")

    with pytest.raises(EnvironmentSettingError):
        stage_object.lambda_handler({"Records": [put_event("raw/a.gz")]}, None)


def test_the_fake_crashes_where_it_is_told() -> None:
    faults: Iterator[str | None] = iter(["before"])

    with pytest.raises(CrashError):
        MemoryS3({}, faults).head_object(RAW, "x")
