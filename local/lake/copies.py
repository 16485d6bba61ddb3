"""Lakes made from others, for making and loading one takes Trino seconds, and hundreds of tests need one."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from local.lake.scratch import ScratchLake

_TABLE_INPUT = {
    "Name", "Description", "Owner", "Retention", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters",
}  # fmt: skip


@dataclass(frozen=True)
class EmptyLake:
    """An empty lake as files and entries of Glue: the files of its lake bucket by key, its tables by database.

    Its name stands in buckets, databases and in what the files say of their places.
    """

    name: str
    files: Mapping[str, bytes]
    tables: Sequence[tuple[str, Mapping[str, Any]]]

    @classmethod
    def of(cls, lake: ScratchLake) -> "EmptyLake":
        """Of a lake whose tables were made and hold nothing; no other text in them may be its name."""
        bucket = lake.settings.lake_bucket
        pages = lake.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        files = {key: lake.s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
        databases = (lake.settings.lake_database, lake.settings.lines_database)
        return cls(
            lake.settings.lake_database,
            files,
            [(database, table) for database in databases for table in _tables(lake, database)],
        )

    def copy_to(self, lake: ScratchLake) -> None:
        """Make the same tables in a lake that has none, each with an identity of its own."""

        def renamed(text: str) -> str:
            return text.replace(self.name, lake.settings.lake_database)

        for key, body in self.files.items():
            own = _with_own_uuid(renamed(body.decode())) if key.endswith(".json") else body
            lake.s3.put_object(Bucket=lake.settings.lake_bucket, Key=renamed(key), Body=own)
        for database, table in self.tables:
            entry = json.loads(renamed(json.dumps(table)))
            lake.glue.create_table(DatabaseName=renamed(database), TableInput=entry)


def share_tables(source: ScratchLake, target: ScratchLake) -> None:
    """Give `target`, which has no rows, the lake tables of `source` as they are now.

    Both read the same files. What one writes the other does not see, for a commit makes new files and changes one entry
    of Glue. Files may be removed by neither: no retention shorter than the 7 days that Trino insists on.
    """
    for mine, theirs in (
        (target.settings.lake_database, source.settings.lake_database),
        (target.settings.events_database, source.settings.events_database),
    ):
        present = {table["Name"] for table in _tables(target, mine)}
        for table in _tables(source, theirs):
            if table["TableType"] == "VIRTUAL_VIEW":
                continue
            write = target.glue.update_table if table["Name"] in present else target.glue.create_table
            write(DatabaseName=mine, TableInput=table)


def _tables(lake: ScratchLake, database: str) -> Iterator[dict[str, Any]]:
    """Return the tables and views of a database, as Glue takes them."""
    for page in lake.glue.get_paginator("get_tables").paginate(DatabaseName=database):
        for table in page["TableList"]:
            yield {key: table[key] for key in table.keys() & _TABLE_INPUT}


def _with_own_uuid(metadata: str) -> bytes:
    return json.dumps({**json.loads(metadata), "table-uuid": str(uuid4())}).encode()
