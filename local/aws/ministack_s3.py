"""Let ministack's S3 answer a change only when the disk has it: the part of `ministack_hooks` that is about S3.

ministack logs a write that fails, answers 200 and keeps the object in memory until it stops. Here such a request is
answered with 503 and undone: the key has what it had before, no part of a file is left, and no notification is sent.

S3 requests are handled one at a time, on the event loop, so no other request sees what is not kept.

Parts of an upload stay in memory, as in ministack: a stop forgets uploads that were not completed.
"""

import copy
import json
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ministack.services import s3

from local.aws.atomic_files import not_stored


@dataclass
class _Change:
    """The request that is being handled: what waits until it is kept, and what the disk refused."""

    notifications: list[Callable[[], None]] = field(default_factory=list)
    refused: list[OSError] = field(default_factory=list)


_change: ContextVar[_Change | None] = ContextVar("change", default=None)


def keep_objects(save_buckets: Callable[[], None]) -> None:
    """Install it. `save_buckets` stores all that is not an object; it raises OSError when the disk refuses."""
    dispatch = s3._dispatch

    def answer(method: str, bucket: str, key: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
        if method in ("GET", "HEAD", "OPTIONS"):
            return dispatch(method, bucket, key, headers, body, query)
        change, undo = _Change(), _undo(bucket, key, query)
        token = _change.set(change)
        try:
            response = dispatch(method, bucket, key, headers, body, query)
            if change.refused:
                raise change.refused[0]
            # A POST to a bucket deletes objects, or puts one.
            if not key and method != "POST":
                save_buckets()
        except Exception as error:
            undo()
            if not isinstance(error, OSError):
                raise
            return s3._error("ServiceUnavailable", not_stored(error), 503, f"/{bucket}/{key}")
        finally:
            _change.reset(token)
        for notify in change.notifications:
            notify()
        return response

    s3._dispatch = answer
    s3._persist_object = _write_object
    # Called where ministack passes over an error: of deleted objects, and of versions.
    s3._atomic_write, s3._remove_key_files = _noted(s3._atomic_write), _noted(s3._remove_key_files)
    s3._fire_s3_event_async = _held_back(s3._fire_s3_event_async)


def _undo(bucket_name: str, key: str, query: dict[str, Any]) -> Callable[[], None]:
    """Put back, in memory, what a key and an upload have now; or remove the bucket if there is none now."""
    bucket = s3._buckets.get(bucket_name)
    if bucket is None:
        return lambda: s3._buckets.pop(bucket_name, None)
    replaced = [(bucket["objects"], key), (s3._multipart_uploads, s3._qp(query, "uploadId"))]
    altered: list[tuple[Any, tuple[str | None, ...]]] = [(s3._object_versions, (bucket_name, key))]
    altered += [
        (store, (bucket_name, key, None)) for store in (s3._object_tags, s3._object_acl, s3._object_annotations)
    ]
    before = [(store, name, store.get(name)) for store, name in replaced]
    before += [(store, name, copy.deepcopy(store.get(name))) for store, name in altered]

    def undo() -> None:
        for store, name, value in before:
            if value is None:
                store.pop(name, None)
            else:
                store[name] = value

    return undo


def _write_object(bucket: str, key: str, record: dict[str, Any]) -> None:
    """Do what ministack's `_persist_object` does, but raise OSError, with no file of the object changed.

    Data and description are both written before either takes its place: renaming needs no room.
    """
    path = s3._object_disk_path(bucket, key)
    described = {**s3._object_meta_from_record(record), **s3._key_history_meta(bucket, key), "key": key}
    files = {Path(f"{path}.meta.json"): json.dumps(described).encode()}
    # A record that was rebuilt from a version has no body: the data file stands.
    if record.get("body") is not None:
        files = {Path(path): record["body"], **files}
    parts = {Path(f"{file}.tmp"): file for file in files}
    Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        for part, file in parts.items():
            part.touch(mode=0o600)
            part.write_bytes(files[file])
    except OSError:
        for part in parts:
            with suppress(OSError):
                part.unlink(missing_ok=True)
        raise
    for part, file in parts.items():
        part.replace(file)
    record["body"] = None
    base = Path(s3.DATA_DIR) / s3.get_account_id() / bucket
    s3._remove_key_files(s3._other_key_disk_path(str(base), key, path))


def _noted(act: Callable[..., None]) -> Callable[..., None]:
    """Return the same, but the request that is being handled learns of an OSError that its callers pass over."""

    def noted(*arguments: Any, **named: Any) -> None:
        try:
            act(*arguments, **named)
        except OSError as error:
            if (change := _change.get()) is not None:
                change.refused.append(error)
            raise

    return noted


def _held_back(notify: Callable[..., None]) -> Callable[..., None]:
    """Return the same, once the request that is being handled is kept."""

    def held_back(*arguments: Any, **named: Any) -> None:
        if (change := _change.get()) is None:
            notify(*arguments, **named)
        else:
            change.notifications.append(lambda: notify(*arguments, **named))

    return held_back
