"""An S3 client over a dictionary, for the calls that `stage_object` makes; it can fail before or after each."""

import hashlib
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError


class CrashError(Exception):
    """The function was killed at this point."""


def _error(status: int, operation: str) -> ClientError:
    response: Any = {"Error": {"Code": str(status)}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, operation)


class MemoryS3:
    """`objects` maps "bucket/key" to bytes. `faults` holds one item a call: None, "before" or "after" its effect.

    `hides_missing`: without s3:ListBucket, a missing object is answered with 403 instead of 404.
    """

    def __init__(self, objects: dict[str, bytes], faults: Iterator[str | None] | None = None) -> None:
        self.objects = objects
        self.faults = iter(()) if faults is None else faults
        self.hides_missing = False
        self.calls: list[str] = []

    def _call(self, name: str, effect: Any = None) -> None:
        self.calls.append(name)
        fault = next(self.faults, None)
        if fault == "before":
            raise CrashError(name)
        if effect:
            effect()
        if fault == "after":
            raise CrashError(name)

    def head_object(self, Bucket: str, Key: str, VersionId: str | None = None) -> dict[str, Any]:  # noqa: N803
        self._call("head_object")
        content = self.objects.get(f"{Bucket}/{Key}")
        if content is None:
            raise _error(403 if self.hides_missing else 404, "HeadObject")
        return {"ContentLength": len(content), "ETag": f'"{hashlib.md5(content).hexdigest()}"'}

    def copy(self, source: dict[str, str], bucket: str, key: str, ExtraArgs: Any, Config: Any) -> None:  # noqa: N803
        def effect() -> None:
            if f"{source['Bucket']}/{source['Key']}" not in self.objects:
                raise _error(404, "CopyObject")
            self.objects[f"{bucket}/{key}"] = self.objects[f"{source['Bucket']}/{source['Key']}"]

        self._call("copy", effect)

    def delete_object(self, Bucket: str, Key: str, IfMatch: str | None = None, VersionId: str | None = None) -> None:  # noqa: N803
        self._call("delete_object", lambda: self.objects.pop(f"{Bucket}/{Key}", None))
