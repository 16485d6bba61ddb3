"""An empty lake as files and entries of Glue, to be copied: hundreds of tests need one, which takes Trino seconds."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.scratch import ScratchLake

NAME = "emptylake"
"""Stands wherever the name of a lake stands: in buckets, databases and what the files say of their places."""
_TABLE_INPUT = {
    "Name", "Description", "Owner", "Retention", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters",
}  # fmt: skip


@dataclass(frozen=True)
class EmptyLake:
    """The files of its lake bucket by key, and its tables by database."""

    files: Mapping[str, bytes]
    tables: Sequence[tuple[str, Mapping[str, Any]]]

    @classmethod
    def of(cls, lake: ScratchLake) -> "EmptyLake":
        """Of a lake called NAME whose tables were made and hold nothing."""
        bucket = lake.settings.lake_bucket
        pages = lake.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        files = {key: lake.s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
        tables = [
            (database, {key: table[key] for key in table.keys() & _TABLE_INPUT})
            for database in (lake.settings.lake_database, lake.settings.lines_database)
            for page in lake.glue.get_paginator("get_tables").paginate(DatabaseName=database)
            for table in page["TableList"]
        ]
        return cls(files, tables)

    def copy_to(self, lake: ScratchLake) -> None:
        """Makes the same tables in a lake that has none, each with an identity of its own."""
        name = lake.settings.lake_database
        for key, body in self.files.items():
            own = _renamed_metadata(body, name) if key.endswith(".json") else body
            lake.s3.put_object(Bucket=lake.settings.lake_bucket, Key=_renamed(key, name), Body=own)
        for database, table in self.tables:
            renamed = json.loads(_renamed(json.dumps(table), name))
            lake.glue.create_table(DatabaseName=_renamed(database, name), TableInput=renamed)


def _renamed(text: str, name: str) -> str:
    return text.replace(NAME, name)


def _renamed_metadata(body: bytes, name: str) -> bytes:
    return json.dumps({**json.loads(_renamed(body.decode(), name)), "table-uuid": str(uuid4())}).encode()
