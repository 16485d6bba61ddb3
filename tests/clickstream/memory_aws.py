"""Real boto3 clients over dictionaries: botocore checks every request against its own model, and nothing is sent."""

import hashlib
import io
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import boto3

from clickstream.staging.keys import staged_at


class RefusalError(Exception):
    """The service answers with this error."""

    def __init__(self, code: str, message: str = "", status: int = 400) -> None:
        super().__init__(code)
        self.code, self.message, self.status = code, message, status


def client(service: str, answer: Callable[[str, dict[str, Any]], dict[str, Any]]) -> Any:
    """A client whose every call is answered by `answer(operation, parameters)`."""
    made = boto3.client(service, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")

    def keep_parameters(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["sent_parameters"] = dict(params)

    def respond(model: Any, context: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        try:
            return SimpleNamespace(status_code=200), answer(model.name, context["sent_parameters"])
        except RefusalError as error:
            parsed = {"Error": {"Code": error.code, "Message": error.message}}
            return SimpleNamespace(status_code=error.status), parsed

    made.meta.events.register(f"before-parameter-build.{service}", keep_parameters)
    made.meta.events.register(f"before-call.{service}", respond)
    return made


def etag(body: bytes) -> str:
    """An object's ETag, as S3 gives it."""
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


class MemoryS3:
    """`buckets[bucket][key]` is an object's bytes.

    `landed` says when an object was written, where its name does not; `refused` is the error of a key's deletion; a
    copy ends after `copied_bytes`.
    """

    def __init__(self, buckets: dict[str, dict[str, bytes]], page: int = 1_000) -> None:
        self.buckets = buckets
        self.page = page
        self.landed: dict[str, datetime] = {}
        self.refused: dict[str, str] = {}
        self.copied_bytes: int | None = None
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.client = client("s3", self._answer)

    def called(self, operation: str) -> list[dict[str, Any]]:
        return [parameters for name, parameters in self.calls if name == operation]

    def _answer(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((operation, parameters))
        return getattr(self, f"_{operation}")(self.buckets[parameters["Bucket"]], parameters)

    def _ListObjectsV2(self, bucket: dict[str, bytes], parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        after, prefix, delimiter = (parameters.get(name, "") for name in ("ContinuationToken", "Prefix", "Delimiter"))
        after = after or parameters.get("StartAfter", "")
        keys = sorted(key for key in bucket if key.startswith(prefix) and key > after)
        if delimiter:
            folders = {prefix + key.removeprefix(prefix).partition(delimiter)[0] + delimiter for key in keys}
            common = sorted(folder for folder in folders if any(key.startswith(folder) for key in keys))
            keys = [key for key in keys if delimiter not in key.removeprefix(prefix)]
            contents = {"Contents": [self._listed(bucket, key) for key in keys]} if keys else {}
            return {"IsTruncated": False, "CommonPrefixes": [{"Prefix": folder} for folder in common], **contents}
        page = keys[: self.page]
        answer: dict[str, Any] = {"IsTruncated": len(keys) > len(page)}
        if page:
            answer["Contents"] = [self._listed(bucket, key) for key in page]
        if answer["IsTruncated"]:
            answer["NextContinuationToken"] = page[-1]
        return answer

    def _ListObjectVersions(self, bucket: dict[str, bytes], parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        """Without versioning: each object is its one version."""
        prefix, after = parameters.get("Prefix", ""), parameters.get("KeyMarker", "")
        keys = sorted(key for key in bucket if key.startswith(prefix) and key > after)
        versions = [{**self._listed(bucket, key), "VersionId": "null", "IsLatest": True} for key in keys[: self.page]]
        answer: dict[str, Any] = {"IsTruncated": len(keys) > len(versions), "Versions": versions}
        return answer | ({"NextKeyMarker": keys[len(versions) - 1]} if answer["IsTruncated"] else {})

    def _listed(self, bucket: dict[str, bytes], key: str) -> dict[str, Any]:
        landed = self.landed.get(key) or staged_at(key) or datetime(2026, 11, 24, tzinfo=UTC)
        return {"Key": key, "Size": len(bucket[key]), "ETag": etag(bucket[key]), "LastModified": landed}

    def _DeleteObjects(self, bucket: dict[str, bytes], parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        keys = [item["Key"] for item in parameters["Delete"]["Objects"]]
        for key in keys:
            if key not in self.refused:
                bucket.pop(key, None)
        errors = [
            {"Key": key, "Code": self.refused[key], "Message": "in the test"} for key in keys if key in self.refused
        ]
        return {"Errors": errors} if errors else {}

    def _GetObject(self, bucket: dict[str, bytes], parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        if parameters["Key"] not in bucket:
            raise RefusalError("NoSuchKey", status=404)
        body = bucket[parameters["Key"]]
        return {"Body": io.BytesIO(body), "ETag": etag(body)}

    def _HeadObject(self, bucket: dict[str, bytes], parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        if parameters["Key"] not in bucket:
            raise RefusalError("404", status=404)
        body = bucket[parameters["Key"]]
        return {"ContentLength": len(body), "ETag": etag(body)}

    def _CopyObject(self, bucket: dict[str, bytes], parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        source, _, key = unquote(parameters["CopySource"]).partition("/")
        body = self.buckets[source][key]
        if parameters.get("CopySourceIfMatch", etag(body)) != etag(body):
            raise RefusalError("PreconditionFailed", status=412)
        bucket[parameters["Key"]] = body[: self.copied_bytes]
        return {}

    def _DeleteObject(self, bucket: dict[str, bytes], parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        if parameters.get("IfMatch", "") not in ("", etag(bucket.get(parameters["Key"], b""))):
            raise RefusalError("PreconditionFailed", status=412)
        bucket.pop(parameters["Key"], None)
        return {}

    def _PutObject(self, bucket: dict[str, bytes], parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        body, expected = parameters["Body"], parameters.get("IfMatch")
        if expected and expected != etag(bucket.get(parameters["Key"], b"")):
            raise RefusalError("PreconditionFailed", status=412)
        bucket[parameters["Key"]] = body if isinstance(body, bytes) else body.read()
        return {}


class Crawl:
    """One crawl: it shows as RUNNING for `polls` calls of GetCrawler, after `unseen` calls that still say READY."""

    def __init__(
        self, started: datetime, status: str = "SUCCEEDED", message: str | None = None, polls: int = 2, unseen: int = 0
    ) -> None:
        self.started, self.status, self.message = started, status, message
        self.polls, self.unseen = polls, unseen

    def last(self) -> dict[str, Any]:
        return {"StartTime": self.started, "Status": self.status} | (
            {"ErrorMessage": self.message} if self.message else {}
        )


class MemoryGlue:
    """One crawler, which makes the crawls of `script` in turn, and the tables of one database.

    `rivals`: that many UpdateTable calls find that another writer was faster.
    `ends_at_start`: a crawl that runs ends just before the next StartCrawler.
    """

    def __init__(self, tables: list[dict[str, Any]] | None = None, page: int = 100) -> None:
        self.tables = {table["Name"]: {"VersionId": "0", **table} for table in tables or []}
        self.page = page
        self.rivals = 0
        self.script: list[Crawl] = []
        self.running: Crawl | None = None
        self.last: Crawl | None = None
        self.ends_at_start = False
        self.partitions: dict[str, dict[str, str]] = {}
        self.refused_partition = ""
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.client = client("glue", self._answer)

    def called(self, operation: str) -> list[dict[str, Any]]:
        return [parameters for name, parameters in self.calls if name == operation]

    def _answer(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((operation, parameters))
        return getattr(self, f"_{operation}")(parameters)

    def _GetTables(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        names = sorted(self.tables)
        first = int(parameters.get("NextToken", 0))
        answer: dict[str, Any] = {"TableList": [self.tables[name] for name in names[first : first + self.page]]}
        return answer | ({"NextToken": str(first + self.page)} if first + self.page < len(names) else {})

    def _UpdateTable(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        table = self.tables[parameters["TableInput"]["Name"]]
        if self.rivals:
            self.rivals -= 1
            table["VersionId"] = str(int(table["VersionId"]) + 1)
            table["Description"] = "written by another"
        if parameters.get("VersionId", table["VersionId"]) != table["VersionId"]:
            raise RefusalError("ConcurrentModificationException", "stale VersionId")
        self.tables[table["Name"]] = {
            **parameters["TableInput"],
            "DatabaseName": parameters["DatabaseName"],
            "VersionId": str(int(table["VersionId"]) + 1),
        }
        return {}

    def _GetTable(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"Table": self.tables[parameters["Name"]]}

    def _BatchCreatePartition(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        partitions = self.partitions.setdefault(parameters["TableName"], {})
        errors = []
        for wanted in parameters["PartitionInputList"]:
            (value,) = wanted["Values"]
            if value == self.refused_partition:
                detail = {"ErrorCode": "InternalServiceException", "ErrorMessage": "in the test"}
            elif value in partitions:
                detail = {"ErrorCode": "AlreadyExistsException", "ErrorMessage": "Partition already exists"}
            else:
                partitions[value] = wanted["StorageDescriptor"]["Location"]
                continue
            errors.append({"PartitionValues": [value], "ErrorDetail": detail})
        return {"Errors": errors}

    def _StartCrawler(self, _: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        if self.running and self.ends_at_start:
            self._end()
        if self.running:
            raise RefusalError("CrawlerRunningException", "it runs")
        self.running = self.script.pop(0)
        return {}

    def _GetCrawler(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        state = "READY"
        if self.running and self.running.unseen:
            self.running.unseen -= 1
        elif self.running and self.running.polls:
            self.running.polls -= 1
            state = "RUNNING"
        elif self.running:
            self._end()
        crawler: dict[str, Any] = {"Name": parameters["Name"], "State": state}
        return {"Crawler": crawler | ({"LastCrawl": self.last.last()} if self.last else {})}

    def _end(self) -> None:
        self.last, self.running = self.running, None


class MemorySqs:
    """`queues[name]` are the bodies of a queue's messages; a body with a text of `refused` is refused."""

    def __init__(self, *names: str) -> None:
        self.queues: dict[str, list[str]] = {name: [] for name in names}
        self.refused: tuple[str, ...] = ()
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.client = client("sqs", self._answer)

    def called(self, operation: str) -> list[dict[str, Any]]:
        return [parameters for name, parameters in self.calls if name == operation]

    def _answer(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((operation, parameters))
        if operation == "GetQueueUrl":
            if parameters["QueueName"] not in self.queues:
                raise RefusalError("QueueDoesNotExist")
            return {"QueueUrl": f"https://sqs.test/000000000000/{parameters['QueueName']}"}
        queue = self.queues[parameters["QueueUrl"].rpartition("/")[2]]
        if operation == "GetQueueAttributes":
            # One is with a consumer, the rest waits.
            away = min(len(queue), 1)
            counts = {"NotVisible": away, "Delayed": 0, "": len(queue) - away}
            return {"Attributes": {f"ApproximateNumberOfMessages{kind}": str(count) for kind, count in counts.items()}}
        return self._send(queue, parameters["Entries"])

    def _send(self, queue: list[str], entries: list[dict[str, Any]]) -> dict[str, Any]:
        assert len(entries) <= 10
        assert len({entry["Id"] for entry in entries}) == len(entries)
        bad = [entry for entry in entries if any(text in entry["MessageBody"] for text in self.refused)]
        queue += [entry["MessageBody"] for entry in entries if entry not in bad]
        failed = [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in bad]
        return {"Successful": [], "Failed": failed}


class MemoryKinesis:
    """`records` are those accepted, as (partition key, data). Each number in `refusals` is how many of a call's last
    records are refused, call by call; then none."""

    def __init__(self) -> None:
        self.records: list[tuple[str, bytes]] = []
        self.refusals: list[int] = []
        self.call_sizes: list[int] = []
        self.client = client("kinesis", self._answer)

    def _answer(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        assert operation == "PutRecords"
        entries = parameters["Records"]
        assert sum(len(entry["Data"]) + len(entry["PartitionKey"].encode()) for entry in entries) <= 5 * 2**20
        self.call_sizes.append(len(entries))
        taken = len(entries) - (self.refusals.pop(0) if self.refusals else 0)
        self.records += [(entry["PartitionKey"], entry["Data"]) for entry in entries[:taken]]
        accepted = [{"SequenceNumber": "1", "ShardId": "shardId-0"}] * taken
        refused = [{"ErrorCode": "ProvisionedThroughputExceededException"}] * (len(entries) - taken)
        return {"FailedRecordCount": len(refused), "Records": accepted + refused}
